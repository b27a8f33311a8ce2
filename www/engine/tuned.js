// @ts-check
// A model being tuned in the worker: its steps, previews of the first picture, and snapshots, of which
// the newest is kept here to go back to and saved for the next visit.
import { PATIENCE_MS, forgetTuning, holdTuning, keepTuning, newestTuning } from './kept.js';
import { pixels, unshared } from './pixels.js';
import { Code, TesseraeError, failure } from './protocol.js';

/** Steps between snapshots. */
const SNAPSHOT = 10;
/** Previews take at most this fraction of the time. */
const PREVIEWS = 0.2;
/** The largest crop size in pixels by default, as in the crate, and the smallest that is proposed. */
const CROPS = { most: 256, least: 32 };

/** @typedef {import('./protocol.js').Preview} Preview */

/**
 * Half the size of a tuning's crops, in whole tokens; undefined if that is too small to learn from.
 * @param {import('./protocol.js').TuneConfig} config @param {{width: number, height: number}[]} pictures
 * @param {number} factor of the model
 */
export function halved({ crop }, pictures, factor) {
  const side = crop || Math.min(CROPS.most, ...pictures.flatMap(({ width, height }) => [width, height]));
  const half = side / 2 - ((side / 2) % factor);
  return half < CROPS.least ? undefined : half;
}

export class Tuned {
  #wasm;
  #settle;
  #tuner;
  #shown;
  #tuning;
  #snapshot = { step: -1, bytes: new Uint8Array() };
  /** @type {import('./protocol.js').Begun['kept']} */ #kept = 'other';
  /** @type {Awaited<ReturnType<typeof holdTuning>>} */ #release = null;
  #previewed = { at: 0, took: 0 };
  /** The codes in use, and the step that they were counted at. */
  #usage = { step: 0, value: /** @type {import('./protocol.js').Usage | null} */ (null) };

  /**
   * @param {import('./wasm.js').Wasm} wasm @param {() => Promise<void>} settle waits until the device's work is known to be valid
   * @param {import('./wasm.js').Tuner} tuner @param {import('./wasm.js').Picture} shown the first picture @param {import('./protocol.js').Tuning} tuning
   */
  constructor(wasm, settle, tuner, shown, tuning) {
    this.#wasm = wasm;
    this.#settle = settle;
    this.#tuner = tuner;
    this.#shown = shown;
    this.#tuning = tuning;
  }

  /** @param {Blob | null} snapshot to resume from @returns {Promise<import('./protocol.js').Begun>} */
  async begin(snapshot) {
    const seen = this.#tuner.seen(this.#shown);
    const shown = pixels(seen);
    const damaged = this.#tuning.config.damage ? { ...this.#wasm.compare(this.#shown, seen) } : null;
    seen.free();
    const before = await this.#preview();
    this.#release = await holdTuning(PATIENCE_MS);
    // Only the visitor decides whether an unfinished tuning is discarded.
    if (this.#release && !snapshot && (await newestTuning())) {
      this.#release();
      this.#release = null;
      this.#kept = 'left';
    }
    if (this.#release) this.#kept = 'yes';
    if (snapshot) this.#tuner.resume(new Uint8Array(await snapshot.arrayBuffer()));
    await this.#keep();
    return { seen: shown, damaged, before, now: snapshot ? await this.#preview() : before, done: this.#tuner.done, kept: this.#kept };
  }

  /**
   * The next steps; they end early at a pause, and at a loss that is not finite.
   * @param {number} count @param {() => boolean} paused @param {(step: import('./protocol.js').Step) => void} report
   * @returns {Promise<import('./protocol.js').Stepped>}
   */
  async run(count, paused, report) {
    const end = Math.min(this.#tuner.steps, this.#tuner.done + count);
    let wrong = null;
    /** @type {Preview} */ let now;
    try {
      while (this.#tuner.done < end && !paused()) {
        const begin = performance.now();
        const { step, losses } = await this.#tuner.step();
        const seconds = (performance.now() - begin) / 1000;
        const loss = losses.l1 ?? losses.mse;
        this.#tuning.losses.push(loss);
        if (step % SNAPSHOT === 0) await this.#keep();
        const due = (performance.now() - this.#previewed.at) * PREVIEWS > this.#previewed.took;
        report({ step, loss, seconds, now: due ? await this.#sound() : null });
        // A pause can only arrive between macrotasks.
        await new Promise((resolve) => setTimeout(resolve));
      }
      now = await this.#sound();
      await this.#keep();
    } catch (error) {
      if (failure(error).code !== Code.LOSS_NOT_FINITE) throw error;
      wrong = this.#tuner.done;
      this.#tuner.resume(this.#snapshot.bytes);
      this.#tuning.losses.length = this.#tuner.done;
      // The codes counted since then belong to discarded steps.
      await this.#tuner.usage();
      this.#usage = { step: this.#tuner.done, value: null };
      now = await this.#preview();
    }
    return { done: this.#tuner.done, now, wrong };
  }

  /** @param {string} name @returns {Promise<Uint8Array<ArrayBuffer>>} */
  weights(name) {
    return this.#tuner.weights(name).then(unshared);
  }

  /** Leaves nothing of it for the next visit. */
  async forget() {
    if (this.#release) await forgetTuning().catch(() => {});
  }

  free() {
    this.#tuner.free();
    this.#shown.free();
    this.#release?.();
  }

  /** @returns {Promise<Preview>} */
  async #preview() {
    const begin = performance.now();
    const picture = await this.#tuner.preview(this.#shown);
    await this.#settle();
    const rebuilt = pixels(picture);
    const quality = { ...this.#wasm.compare(this.#shown, picture) };
    picture.free();
    const usage = await this.#counted();
    this.#previewed = { at: performance.now(), took: performance.now() - begin };
    return { rebuilt, quality, usage };
  }

  /** Broken weights show in the picture before they show in a loss. @returns {Promise<Preview>} */
  async #sound() {
    return this.#preview().catch((error) => {
      const { code, message } = failure(error);
      throw code === Code.INTERNAL ? new TesseraeError(Code.LOSS_NOT_FINITE, message) : error;
    });
  }

  /** The codes are read back with a preview, so that a step reads back nothing but its loss. */
  async #counted() {
    const step = this.#tuner.done;
    if (step !== this.#usage.step) {
      const usage = await this.#tuner.usage();
      this.#usage = { step, value: usage.used ? usage : null };
    }
    return this.#usage.value;
  }

  async #keep() {
    if (this.#snapshot.step === this.#tuner.done) return;
    this.#snapshot = { step: this.#tuner.done, bytes: unshared(await this.#tuner.snapshot()) };
    // Private windows and full disks store nothing; the tuning continues without.
    if (this.#kept === 'yes')
      this.#kept = await keepTuning(this.#tuning, this.#snapshot.bytes).then(
        () => 'yes',
        () => 'no',
      );
  }
}
