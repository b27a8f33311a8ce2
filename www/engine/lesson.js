// @ts-check
// The jobs of the worker that train something small from random weights, in front of the visitor: one at a time, with a
// look now and then at what it has learned.
import { pixels, unshared } from './pixels.js';
import { Ask, PageCode, Tell, TesseraeError } from './protocol.js';

/** @typedef {import('./protocol.js').Look} Look */
/** @typedef {import('./protocol.js').LearnJob} LearnJob */
/** @typedef {<T>(thing: T) => T} Own remembers what has to be freed when the job ends */
/**
 * @typedef {object} Inside what the worker lends to these jobs
 * @property {() => {wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} opened
 * @property {() => Promise<void>} settle
 * @property {(photo: import('./protocol.js').Photo, id: number, rebuilt: boolean) => Promise<import('./wasm.js').Picture>} develop
 * @property {(id: number) => Promise<void>} breathe
 * @property {(id: number) => boolean} paused
 * @property {(message: import('./protocol.js').FromWorker) => void} tell
 */

/** Those that end the training when they fail. @type {ReadonlySet<string>} */
export const LESSONS = new Set([Ask.LEARN, Ask.LESSON, Ask.LEARNED]);
const CLASSES = 10;
/** Pictures of each class. */
const EACH = 2;
/** Milliseconds of a job, after which others may have their turn. */
const TURN = 1000;
/** Looks take at most this fraction of the time. */
const LOOKS = 0.2;

/** One training. */
class Trained {
  #trainer;
  #lesson;
  /** What an autoencoder rebuilds. */ #shown;
  /** Milliseconds that steps have taken since the last look, */ #stepped = 0;
  /** and that the look took. */ #looked = 0;

  /** @param {import('./wasm.js').Trainer} trainer @param {LearnJob['lesson']} lesson @param {import('./wasm.js').Picture[]} shown */
  constructor(trainer, lesson, shown) {
    this.#trainer = trainer;
    this.#lesson = lesson;
    this.#shown = shown;
  }

  get done() {
    return this.#trainer.done;
  }

  get over() {
    return this.done === this.#lesson.steps;
  }

  /** Whether there is time for a look. The last step is always followed by one. */
  get due() {
    return this.over || this.#looked <= LOOKS * (this.#looked + this.#stepped);
  }

  get shown() {
    return this.#shown.map(pixels);
  }

  async step() {
    const begin = performance.now();
    const { step, losses } = await this.#trainer.step();
    const took = performance.now() - begin;
    this.#stepped += took;
    return { step, losses, seconds: took / 1000 };
  }

  /** @param {() => Promise<void>} breathe between two pictures */
  async look(breathe) {
    const begin = performance.now();
    const { draws } = this.#lesson;
    const look = draws ? await this.#drawn(draws, breathe) : await this.#rebuilt(breathe);
    this.#looked = performance.now() - begin;
    this.#stepped = 0;
    return look;
  }

  /** @param {string} name */
  weights(name) {
    return this.#trainer.weights(name).then(unshared);
  }

  free() {
    this.#trainer.free();
    for (const picture of this.#shown) picture.free();
  }

  /** Always out of the same random numbers. @param {import('./protocol.js').PictureOptions} draws @param {() => Promise<void>} breathe @returns {Promise<Look>} */
  async #drawn(draws, breathe) {
    /** @type {import('./protocol.js').Pixels[]} */ const pictures = [];
    for (let kind = 0; kind < CLASSES; kind += 1) {
      for (const picture of await this.#trainer.sample({ ...draws, class: kind, count: EACH, seed: 1 + EACH * kind })) {
        pictures.push(pixels(picture));
        picture.free();
      }
      await breathe();
    }
    return { pictures, usage: null };
  }

  /** @param {() => Promise<void>} breathe @returns {Promise<Look>} */
  async #rebuilt(breathe) {
    /** @type {import('./protocol.js').Pixels[]} */ const pictures = [];
    for (const one of this.#shown) {
      const picture = await this.#trainer.rebuild(one);
      pictures.push(pixels(picture));
      picture.free();
      await breathe();
    }
    const usage = await this.#trainer.usage();
    return { pictures, usage: usage.used ? usage : null };
  }
}

export class Lessons {
  #inside;
  /** @type {Trained | null} */ #now = null;
  work = {
    [Ask.LEARN]: (/** @type {LearnJob} */ job, /** @type {Own} */ own) => this.#learn(job, own),
    [Ask.LESSON]: (/** @type {import('./protocol.js').LessonJob} */ job) => this.#lesson(job),
    [Ask.LEARNED]: async (/** @type {import('./protocol.js').LearnedJob} */ { name }) => ({ weights: await this.#underWay.weights(name) }),
  };

  /** @param {Inside} inside */
  constructor(inside) {
    this.#inside = inside;
  }

  end() {
    this.#now?.free();
    this.#now = null;
  }

  get #underWay() {
    if (!this.#now)
      throw new TesseraeError(PageCode.TUNING_GONE, 'This training is gone: the engine needed its memory, or was started anew.');
    return this.#now;
  }

  /** @param {LearnJob} job @param {Own} own @returns {Promise<import('./protocol.js').Learning>} */
  async #learn({ id, lesson }, own) {
    this.end();
    const { opened, settle, develop, breathe } = this.#inside;
    const { wasm, engine } = opened();
    const { side, config, draws } = lesson;
    const sheet = own(await develop({ blob: lesson.sheet, maxSide: 0, square: false }, id, false));
    const count = Math.floor(sheet.width / side) * Math.floor(sheet.height / side);
    const classes = Uint32Array.from({ length: count }, (_, i) => i % CLASSES);
    const trainer = wasm.Trainer.begin(engine, config, sheet, side, classes);
    this.#now = new Trained(trainer, lesson, draws ? [] : firstOf(wasm, sheet, side));
    const look = await this.#now.look(() => breathe(id));
    await settle();
    return { shown: this.#now.shown, look };
  }

  /** @param {import('./protocol.js').LessonJob} job @returns {Promise<import('./protocol.js').Lesson>} */
  async #lesson({ id, count }) {
    const { settle, breathe, paused, tell } = this.#inside;
    const now = this.#underWay;
    const end = performance.now() + TURN;
    for (let i = 0; i < count && !now.over && !paused(id) && performance.now() < end; i += 1) {
      const step = await now.step();
      const look = now.due ? await now.look(() => breathe(id)) : null;
      if (look) await settle();
      tell({ tell: Tell.STEP, id, step: { ...step, look } });
      // A pause can only arrive between macrotasks.
      await breathe(id);
    }
    return { done: now.done };
  }
}

/** The first picture of each class on a sheet. @param {import('./wasm.js').Wasm} wasm @param {import('./wasm.js').Picture} sheet @param {number} side */
function firstOf({ Picture }, sheet, side) {
  const rgb = sheet.rgb();
  const row = 3 * side;
  return Array.from({ length: CLASSES }, (_, i) => {
    const samples = new Uint8Array(row * side);
    for (let y = 0; y < side; y += 1) {
      const from = 3 * y * sheet.width + i * row;
      samples.set(rgb.subarray(from, from + row), y * row);
    }
    return Picture.fromRgb(side, side, samples);
  });
}
