// @ts-check
// Pictures that a generator makes in the worker, out of numbers: at once, or step by step, and then with previews.
import { checked } from './adopted.js';
import { Held } from './held.js';
import { pixels, rgb, unshared } from './pixels.js';

/** How many generators stay loaded: all that the page compares. */
const HELD = 4;
/** Previews of a job, at most, */
const MOST = 20;
/** and the fraction of its time that they take at most. */
const PREVIEWS = 1 / 3;

/** @typedef {import('./protocol.js').LastingSource} Source */
/** @typedef {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} Opened */
/** @typedef {Omit<import('./protocol.js').GenerateJob, 'id' | 'kind' | 'source'>} Asked */

/** Those that are loaded. */
export class Generators {
  /** @type {Held<import('./wasm.js').Generator>} */ #held = new Held(HELD);

  /**
   * Loads one if it is missing.
   * @param {Opened} opened @param {Source} source @param {(sources: Source[]) => Promise<import('./adopted.js').Read[]>} fetched
   * @param {<T>(thing: T) => T} own
   */
  async load({ wasm, engine }, source, fetched, own) {
    const known = this.#held.of(source);
    if (known) return known;
    this.#held.makeRoom();
    const [file] = await fetched([source]);
    const weights = own(checked(file, true, (bytes, json) => wasm.GeneratorWeights.check(engine, bytes, json)));
    return this.#held.put(source, weights.load(engine));
  }

  free() {
    this.#held.free();
  }
}

/** Some pictures that are being generated. */
export class Generating {
  #sampler;
  #breathe;
  /** Milliseconds that steps have taken, */ #stepped = 0;
  /** and previews. */ #looked = 0;
  /** The number of previews so far. */ #looks = 0;

  /**
   * @param {Opened} opened @param {import('./wasm.js').Generator} generator @param {Asked} asked
   * @param {() => Promise<void>} breathe between two steps
   */
  constructor({ wasm, engine }, generator, { options, noise, start }, breathe) {
    // The sampler takes this picture, and frees it.
    const from = start && wasm.Picture.fromRgb(start.width, start.height, rgb(start));
    this.#sampler = wasm.PictureSampler.begin(engine, generator, options, noise, from);
    this.#breathe = breathe;
  }

  /** The next step; null after the last one. @returns {Promise<import('./protocol.js').GeneratePart | null>} */
  async step() {
    const sampler = this.#sampler;
    if (sampler.done === sampler.steps) return null;
    await this.#breathe();
    const begin = performance.now();
    await sampler.step();
    this.#stepped += performance.now() - begin;
    const { done, steps } = sampler;
    // The last step's pictures come with the result.
    const pictures = done < steps && this.#due(done, steps) ? await this.#look() : [];
    return { done, steps, pictures };
  }

  /** Whether there is time for a preview: the first is always shown. @param {number} done @param {number} steps */
  #due(done, steps) {
    if (this.#looks === 0) return true;
    return this.#looks < (MOST * done) / steps && this.#looked <= PREVIEWS * (this.#looked + this.#stepped);
  }

  async #look() {
    const begin = performance.now();
    const pictures = await this.#pictures(pixels);
    this.#looked += performance.now() - begin;
    this.#looks += 1;
    return pictures;
  }

  /** @returns {Promise<import('./protocol.js').Generation>} */
  async finish() {
    const begin = performance.now();
    const pictures = await this.#pictures((picture) => ({ pixels: pixels(picture), png: unshared(picture.png()) }));
    return { pictures, seconds: (this.#stepped + performance.now() - begin) / 1000 };
  }

  /** What is wanted of each picture. @template T @param {(picture: import('./wasm.js').Picture) => T} want */
  async #pictures(want) {
    const pictures = await this.#sampler.pictures();
    return pictures.map((picture) => {
      const wanted = want(picture);
      picture.free();
      return wanted;
    });
  }

  free() {
    this.#sampler.free();
  }
}
