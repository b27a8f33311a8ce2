// @ts-check
// A training in the worker, of a model or of a prior: its steps, previews now and then, and snapshots, of which the
// newest is kept here to go back to and saved for the next visit.
import { PATIENCE_MS, forgetTuning, holdTuning, keepTuning, newestTuning } from './kept.js';
import { unshared } from './pixels.js';
import { Code, TesseraeError, failure } from './protocol.js';

/** Steps between snapshots. */
const SNAPSHOT = 10;
/** Previews take at most this fraction of the time. */
const PREVIEWS = 0.2;

/** What of the package's `Tuner` and `PriorTrainer` is the same. @typedef {Pick<import('./wasm.js').PriorTrainer, 'done' | 'steps' | 'step' | 'snapshot' | 'resume' | 'weights' | 'free'>} Trainer */

/**
 * @template {import('./protocol.js').Training} Kind
 * @template Now what a preview is
 */
export class Training {
  record;
  #trainer;
  #snapshot = { step: -1, bytes: new Uint8Array() };
  /** @type {import('./protocol.js').Kept} */ #kept = 'other';
  /** @type {Awaited<ReturnType<typeof holdTuning>>} */ #release = null;
  #previewed = { at: 0, took: 0 };

  /** @param {Trainer} trainer @param {Kind} record */
  constructor(trainer, record) {
    this.#trainer = trainer;
    this.record = record;
  }

  // ---- what each kind does in its own way

  /** The number that the curve shows. @param {Record<string, number>} losses @returns {number} */
  loss(losses) {
    return Object.values(losses)[0];
  }

  /** @returns {Promise<Now>} */
  preview() {
    throw new TesseraeError(Code.INTERNAL, 'This training has no preview.');
  }

  /** Whether a preview that fails like this shows that the weights are broken, which no loss has shown yet. @param {string} code @returns {boolean} */
  broken(code) {
    return code === Code.INTERNAL;
  }

  /** The steps since the last snapshot are discarded. */
  async wentBack() {}

  // ---- what all have in common

  get done() {
    return this.#trainer.done;
  }

  /**
   * Decides whether it survives closing the page, and resumes a snapshot.
   * @param {Blob | null} snapshot
   */
  async hold(snapshot) {
    this.#release = await holdTuning(PATIENCE_MS);
    // Only the visitor decides whether an unfinished tuning is discarded.
    if (this.#release && !snapshot && (await newestTuning())) {
      this.#release();
      this.#release = null;
      this.#kept = 'left';
    }
    if (this.#release) this.#kept = 'yes';
    if (snapshot) this.#trainer.resume(new Uint8Array(await snapshot.arrayBuffer()));
    await this.#keep();
    return this.#kept;
  }

  /**
   * The next steps; they end early at a pause, and at a loss that is not finite.
   * @param {number} count @param {() => boolean} paused
   * @param {(step: {step: number, loss: number, seconds: number, now: Now | null}) => void} report
   */
  async run(count, paused, report) {
    const trainer = this.#trainer;
    const end = Math.min(trainer.steps, trainer.done + count);
    let wrong = null;
    /** @type {Now} */ let now;
    try {
      while (trainer.done < end && !paused()) {
        const begin = performance.now();
        const { step, losses } = await trainer.step();
        const seconds = (performance.now() - begin) / 1000;
        const loss = this.loss(losses);
        this.record.losses.push(loss);
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
      wrong = trainer.done;
      trainer.resume(this.#snapshot.bytes);
      this.record.losses.length = trainer.done;
      await this.wentBack();
      now = await this.show();
    }
    return { done: trainer.done, now, wrong };
  }

  /** A preview, and how long it took. */
  async show() {
    const begin = performance.now();
    const now = await this.preview();
    this.#previewed = { at: performance.now(), took: performance.now() - begin };
    return now;
  }

  /** @param {string} name @returns {Promise<Uint8Array<ArrayBuffer>>} */
  weights(name) {
    return this.#trainer.weights(name).then(unshared);
  }

  /** Leaves nothing of it for the next visit. */
  async forget() {
    if (this.#release) await forgetTuning().catch(() => {});
  }

  free() {
    this.#trainer.free();
    this.#release?.();
  }

  /** Broken weights show in a preview before they show in a loss. */
  async #sound() {
    return this.show().catch((error) => {
      const { code, message } = failure(error);
      throw this.broken(code) ? new TesseraeError(Code.LOSS_NOT_FINITE, message) : error;
    });
  }

  async #keep() {
    if (this.#snapshot.step === this.#trainer.done) return;
    this.#snapshot = { step: this.#trainer.done, bytes: unshared(await this.#trainer.snapshot()) };
    // Private windows and full disks store nothing; the training continues without.
    if (this.#kept === 'yes')
      this.#kept = await keepTuning(this.record, this.#snapshot.bytes).then(
        () => 'yes',
        () => 'no',
      );
  }
}
