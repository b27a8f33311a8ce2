// @ts-check
// A model being tuned in the worker, with previews of the first picture.
import { pixels } from './pixels.js';
import { Training } from './training.js';

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

/** @extends {Training<import('./protocol.js').Tuning, Preview>} */
export class Tuned extends Training {
  #wasm;
  #settle;
  #tuner;
  #shown;
  /** The codes in use, and the step that they were counted at. */
  #usage = { step: 0, value: /** @type {import('./protocol.js').Usage | null} */ (null) };

  /**
   * @param {import('./wasm.js').Wasm} wasm @param {() => Promise<void>} settle waits until the device's work is known to be valid
   * @param {import('./wasm.js').Tuner} tuner @param {import('./wasm.js').Picture} shown the first picture @param {import('./protocol.js').Tuning} tuning
   */
  constructor(wasm, settle, tuner, shown, tuning) {
    super(tuner, tuning);
    this.#wasm = wasm;
    this.#settle = settle;
    this.#tuner = tuner;
    this.#shown = shown;
  }

  /** @param {Blob | null} snapshot to resume from @returns {Promise<import('./protocol.js').Begun>} */
  async begin(snapshot) {
    const seen = this.#tuner.seen(this.#shown);
    const shown = pixels(seen);
    const damaged = this.record.config.damage ? { ...this.#wasm.compare(this.#shown, seen) } : null;
    seen.free();
    const before = await this.show();
    const kept = await this.hold(snapshot);
    return { seen: shown, damaged, before, now: snapshot ? await this.show() : before, done: this.done, kept };
  }

  /** @override @param {Record<string, number>} losses */
  loss(losses) {
    return losses.l1 ?? losses.mse;
  }

  /** @override @returns {Promise<Preview>} */
  async preview() {
    const picture = await this.#tuner.preview(this.#shown);
    await this.#settle();
    const rebuilt = pixels(picture);
    const quality = { ...this.#wasm.compare(this.#shown, picture) };
    picture.free();
    return { rebuilt, quality, usage: await this.#counted() };
  }

  /** @override The codes counted since then belong to discarded steps. */
  async wentBack() {
    await this.#tuner.usage();
    this.#usage = { step: this.done, value: null };
  }

  /** @override */
  free() {
    super.free();
    this.#shown.free();
  }

  /** The codes are read back with a preview, so that a step reads back nothing but its loss. */
  async #counted() {
    const step = this.done;
    if (step !== this.#usage.step) {
      const usage = await this.#tuner.usage();
      this.#usage = { step, value: usage.used ? usage : null };
    }
    return this.#usage.value;
  }
}
