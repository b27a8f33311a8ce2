// @ts-check
// The jobs of the worker that train something: one training at a time, next to the model in use, which stays.
import { keepModel } from './kept.js';
import { Ask, Code, Stage, Tell, TesseraeError, failure } from './protocol.js';
import { Taught, lessons, smallerSquares } from './taught.js';
import { Tuned, halved } from './tuned.js';

/** @typedef {import('./protocol.js').Photo} Photo */
/** @typedef {import('./protocol.js').TuneJob} TuneJob */
/**
 * @typedef {object} Inside what the worker lends to these jobs
 * @property {() => {wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} opened
 * @property {() => import('./wasm.js').Model} model the one in use
 * @property {() => void} spare frees what is loaded next to it: a training needs the memory
 * @property {() => Promise<void>} settle
 * @property {(photo: Photo, id: number, rebuilt: boolean) => Promise<import('./wasm.js').Picture>} develop
 * @property {(id: number) => (stage: typeof Stage[keyof typeof Stage], done: number, total: number) => boolean} watcher
 * @property {(source: import('./protocol.js').Shipped, watch: (done: number, total: number) => boolean) => Promise<Blob | Uint8Array>} download
 * @property {(id: number) => boolean} paused
 * @property {(message: import('./protocol.js').FromWorker) => void} tell
 */

/** The jobs of a training that end it when they fail. @type {ReadonlySet<string>} */
export const TRAINING = new Set([Ask.TUNE, Ask.STEPS, Ask.FINISH]);

export class Trainings {
  #inside;
  /** @type {Tuned | Taught | null} */ #now = null;
  /** Side in pixels of crops or squares to try if it runs out of memory. @type {number | undefined} */ smaller;

  /** @param {Inside} inside */
  constructor(inside) {
    this.#inside = inside;
  }

  /** @param {TuneJob} job */
  async [Ask.TUNE]({ id, tuning, source, snapshot }) {
    this.end();
    this.#inside.spare();
    const now = 'goal' in tuning ? await this.#taught(id, tuning) : await this.#tuned(id, tuning, source);
    this.#now = now;
    return now.begin(snapshot);
  }

  /** @param {import('./protocol.js').StepsJob} job */
  async [Ask.STEPS]({ id, count }) {
    const { paused, tell } = this.#inside;
    return this.#underWay.run(
      count,
      () => paused(id),
      (/** @type {import('./protocol.js').Step} */ step) => tell({ tell: Tell.STEP, id, step }),
    );
  }

  /** @param {import('./protocol.js').FinishJob} job */
  async [Ask.FINISH]({ name, keep, base }) {
    const bytes = await this.#underWay.weights(name);
    if (keep) {
      await keepModel(name, bytes, base);
      await this.#underWay.forget();
      this.end();
    }
    return { weights: bytes };
  }

  async [Ask.UNDO]() {
    await this.#now?.forget();
    this.end();
    return null;
  }

  end() {
    this.#now?.free();
    this.#now = null;
  }

  get #underWay() {
    if (!this.#now) throw new TesseraeError(Code.ARGUMENT, 'Nothing is being trained.');
    return this.#now;
  }

  /** @param {number} id @param {import('./protocol.js').Tuning} tuning @param {import('./protocol.js').Shipped | null} source */
  async #tuned(id, tuning, source) {
    const { opened, model, settle, watcher, download } = this.#inside;
    const base = model();
    const watch = watcher(id);
    const discriminator = source && (await download(source, (done, total) => watch(Stage.DOWNLOAD, done, total)));
    const pictures = await this.#developAll(tuning.photos, id);
    this.smaller = halved(tuning.config, pictures, base.facts.factor);
    watch(Stage.BUILD, 0, 1);
    const shown = pictures[0].fit(0, false);
    const { wasm, engine } = opened();
    try {
      // From here on the tuner owns the pictures.
      return new Tuned(wasm, settle, wasm.Tuner.begin(engine, base, pictures, tuning.config, discriminator ?? undefined), shown, tuning);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) shown.free();
      throw error;
    }
  }

  /** @param {number} id @param {import('./protocol.js').Teaching} teaching */
  async #taught(id, teaching) {
    const { opened, model, settle, watcher, develop } = this.#inside;
    const base = model();
    const watch = watcher(id);
    let read = 0;
    this.smaller = smallerSquares(teaching.photos, base.facts.grids[0]);
    const develops = async (/** @type {Photo} */ photo) => {
      read += 1;
      return develop(photo, id, true);
    };
    const made = await lessons(teaching.photos, base, develops, (done, total) => watch(Stage.ENCODE, done, total)).catch((error) => {
      throw numbered(error, read, teaching.photos.length);
    });
    watch(Stage.BUILD, 0, 1);
    return new Taught({ ...opened(), model: base }, settle, made, teaching);
  }

  /** The pictures to tune on. @param {Photo[]} photos @param {number} id */
  async #developAll(photos, id) {
    /** @type {import('./wasm.js').Picture[]} */ const pictures = [];
    try {
      for (const photo of photos) pictures.push(await this.#inside.develop(photo, id, photo === photos[0]));
      return pictures;
    } catch (error) {
      for (const picture of pictures) picture.free();
      throw numbered(error, pictures.length + 1, photos.length);
    }
  }
}

/** Says which of several pictures failed. @param {unknown} error @param {number} number from 1 @param {number} count */
function numbered(error, number, count) {
  const { code, message } = failure(error);
  if (error instanceof WebAssembly.RuntimeError || code === Code.CANCELLED || count === 1 || number === 0) return error;
  return new TesseraeError(code, `Picture ${number} of ${count}: ${message}`);
}
