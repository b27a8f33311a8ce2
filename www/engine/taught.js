// @ts-check
// A small prior being trained in the worker, on the tokens of the visitor's pictures, with previews of what it
// would draw.
import { pixels } from './pixels.js';
import { Code, PageCode, TesseraeError } from './protocol.js';
import { Training } from './training.js';

/** How previews are drawn: few steps, and the same random numbers every time. */
const DRAWN = { class: null, count: 4, seed: 1, steps: 8 };
/** The largest window that it learns, in tokens a side, as in the crate, and the smallest that is proposed. */
const WINDOWS = { most: 16, least: 4 };
const ACROSS = 2;

/** @typedef {import('./protocol.js').Pixels} Pixels */
/** @typedef {import('./protocol.js').Teaching} Teaching */
/** @typedef {{tokens: import('./wasm.js').Tokens[], sizes: {rows: number, columns: number}[], shown: Pixels[]}} Lessons the first few as pixels, too */

/**
 * Half the size of the pictures to learn from, in pixels a side; undefined if that is too small or they are not squares.
 * @param {import('./protocol.js').Photo[]} photos @param {number} patch pixels a side of a token
 */
export function smallerSquares([{ maxSide, square }], patch) {
  const half = Math.floor(Math.min(maxSide / patch, WINDOWS.most) / 2);
  return square && half >= WINDOWS.least ? half * patch : undefined;
}

/**
 * The pictures' tokens. Each picture is freed before the next one is read.
 * @param {import('./protocol.js').Photo[]} photos @param {import('./wasm.js').Model} model
 * @param {(photo: import('./protocol.js').Photo) => Promise<import('./wasm.js').Picture>} develop
 * @param {(done: number, total: number) => boolean} watch
 * @returns {Promise<Lessons>}
 */
export async function lessons(photos, model, develop, watch) {
  if (model.facts.grids.length !== 1) {
    const words = 'Only a model whose pictures are a single grid of tokens can teach another one.';
    throw new TesseraeError(model.facts.grids.length ? Code.ARGUMENT : Code.NO_CODEBOOK, words);
  }
  if (!photos.length) throw new TesseraeError(Code.ARGUMENT, 'There are no pictures to learn from.');
  if (photos.length > 50) throw new TesseraeError(PageCode.TOO_MANY, 'It learns from at most 50 pictures.');
  /** @type {Lessons} */ const made = { tokens: [], sizes: [], shown: [] };
  try {
    for (const [i, photo] of photos.entries()) {
      const picture = await develop(photo);
      try {
        const tokens = await model.encode(picture, (_, done, total) => watch(i + done / total, photos.length));
        made.tokens.push(tokens);
        const { rows, columns } = tokens.facts.grids[0];
        made.sizes.push({ rows, columns });
        if (i < ACROSS * ACROSS) made.shown.push(pixels(picture));
      } finally {
        picture.free();
      }
    }
    return made;
  } catch (error) {
    for (const tokens of made.tokens) tokens.free();
    throw error;
  }
}

/** @extends {Training<Teaching, import('./protocol.js').Made>} */
export class Taught extends Training {
  #opened;
  #settle;
  #trainer;
  #lessons;
  #size;

  /**
   * @param {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine, model: import('./wasm.js').Model}} opened with the model that made the tokens
   * @param {() => Promise<void>} settle waits until the device's work is known to be valid
   * @param {Lessons} made whose tokens it takes @param {Teaching} teaching
   */
  constructor(opened, settle, made, teaching) {
    const trainer = opened.wasm.PriorTrainer.begin(opened.engine, opened.model, made.tokens, teaching.config);
    super(trainer, teaching);
    this.#opened = opened;
    this.#settle = settle;
    this.#trainer = trainer;
    this.#lessons = made;
    // As `PriorTrainConfig::small` has it: as large as the smallest picture allows.
    const least = (/** @type {'rows' | 'columns'} */ side) => Math.min(WINDOWS.most, ...made.sizes.map((size) => size[side]));
    this.#size = { rows: least('rows'), columns: least('columns') };
  }

  /** @param {Blob | null} snapshot to resume from @returns {Promise<import('./protocol.js').Taught>} */
  async begin(snapshot) {
    const { sizes, shown } = this.#lessons;
    const kept = await this.hold(snapshot);
    const yours = this.#sheet(shown);
    return { yours, window: this.#size, sizes, now: await this.show(), done: this.done, kept };
  }

  /** @override In bits a token. @param {Record<string, number>} losses */
  loss({ cross_entropy: nats }) {
    return nats / Math.LN2;
  }

  /** @override @returns {Promise<import('./protocol.js').Made>} */
  async preview() {
    const { wasm, engine, model } = this.#opened;
    /** @type {{free(): void}[]} */ const owned = [];
    const own = (/** @type {any} */ thing) => (owned.push(thing), thing);
    try {
      const checked = own(wasm.PriorWeights.check(engine, await this.#trainer.weights()));
      const prior = own(checked.load(engine));
      const steps = Math.min(DRAWN.steps, this.#size.rows * this.#size.columns);
      const sampler = own(wasm.Sampler.begin(engine, prior, { ...DRAWN, steps }));
      while (sampler.done < sampler.steps) await sampler.step();
      /** @type {Pixels[]} */ const drawn = [];
      for (let i = 0; i < DRAWN.count; i += 1) drawn.push(pixels(own(await model.decode(own(sampler.preview(i, model))))));
      await this.#settle();
      return { made: this.#sheet(drawn) };
    } finally {
      for (const thing of owned) thing.free();
    }
  }

  /** @override The values are checked before a prior is built of them. @param {string} code @returns {boolean} */
  broken(code) {
    return super.broken(code) || code === 'weights_not_finite' || code === 'logits_not_finite';
  }

  /** Pictures next to and under each other, cropped to what the prior draws. @param {Pixels[]} pictures @returns {Pixels} */
  #sheet(pictures) {
    const [patch] = this.#opened.model.facts.grids;
    const [width, height] = [this.#size.columns * patch, this.#size.rows * patch];
    const gap = Math.max(1, Math.round(width / 32));
    const across = Math.min(ACROSS, pictures.length);
    const whole = across * (width + gap) - gap;
    const down = Math.ceil(pictures.length / across) * (height + gap) - gap;
    // What no picture covers stays transparent.
    const rgba = new Uint8ClampedArray(4 * whole * down);
    for (const [i, picture] of pictures.entries()) {
      const to = { x: (i % across) * (width + gap), y: Math.floor(i / across) * (height + gap) };
      const [columns, rows] = [Math.min(width, picture.width), Math.min(height, picture.height)];
      const from = { x: Math.floor((picture.width - columns) / 2), y: Math.floor((picture.height - rows) / 2) };
      for (let row = 0; row < rows; row += 1) {
        const start = 4 * ((from.y + row) * picture.width + from.x);
        rgba.set(picture.rgba.subarray(start, start + 4 * columns), 4 * ((to.y + row) * whole + to.x));
      }
    }
    return { width: whole, height: down, rgba };
  }
}
