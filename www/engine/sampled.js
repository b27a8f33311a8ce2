// @ts-check
// New pictures in the worker: a prior draws tokens step by step, and the model that they belong to decodes
// them, now and then while they are incomplete, and all of them at the end.
import { pixels, unshared } from './pixels.js';

/** Previews take at most this fraction of the time. */
const PREVIEWS = 1 / 3;

/** @typedef {import('./protocol.js').Shipped} Shipped */
/** @typedef {import('./protocol.js').SampleJob['options']} Options */

/** A prior, and the model whose tokens it predicts. */
export class Pair {
  #wasm;
  #engine;
  #sha256;
  #prior;
  #model;

  /**
   * @param {import('./wasm.js').Wasm} wasm @param {import('./wasm.js').Engine} engine @param {string[]} sha256 of both
   * @param {import('./wasm.js').Prior} prior @param {import('./wasm.js').Model} model
   */
  constructor(wasm, engine, sha256, prior, model) {
    this.#wasm = wasm;
    this.#engine = engine;
    this.#sha256 = sha256;
    this.#prior = prior;
    this.#model = model;
  }

  /**
   * @param {import('./wasm.js').Wasm} wasm @param {import('./wasm.js').Engine} engine
   * @param {Record<'prior' | 'tokenizer', Shipped>} sources @param {Record<'prior' | 'tokenizer', Uint8Array>} files
   * @param {<T>(thing: T) => T} own
   */
  static async load(wasm, engine, sources, files, own) {
    // Both are checked before either is built.
    const prior = own(wasm.PriorWeights.check(engine, files.prior));
    const model = own(wasm.Weights.check(engine, files.tokenizer));
    const sha256 = [sources.prior.sha256, sources.tokenizer.sha256];
    return new Pair(wasm, engine, sha256, prior.load(engine), await model.load(engine));
  }

  /** Whether it was loaded from these. @param {Shipped[]} sources the prior's and the model's */
  serves(...sources) {
    return sources.every(({ sha256 }, i) => sha256 === this.#sha256[i]);
  }

  /** Fails if the prior predicts the tokens of another model. @param {Options} options */
  begin(options) {
    this.#prior.fits(this.#model);
    const sampler = this.#wasm.Sampler.begin(this.#engine, this.#prior, options);
    return new Sampling(sampler, this.#model, options.count);
  }

  free() {
    this.#prior.free();
    this.#model.free();
  }
}

/** Some pictures that are being drawn. */
class Sampling {
  #sampler;
  #model;
  #count;
  /** Milliseconds that steps and previews have taken. */
  #stepped = 0;
  #shown = 0;
  /** The picture whose turn it is to be shown. */
  #next = 0;

  /** @param {import('./wasm.js').Sampler} sampler @param {import('./wasm.js').Model} model @param {number} count */
  constructor(sampler, model, count) {
    this.#sampler = sampler;
    this.#model = model;
    this.#count = count;
  }

  /** The next step and what it has drawn; null after the last one. @returns {Promise<import('./protocol.js').SamplePart | null>} */
  async step() {
    const sampler = this.#sampler;
    if (sampler.done === sampler.steps) return null;
    const begin = performance.now();
    await sampler.step();
    this.#stepped += performance.now() - begin;
    const { done, steps } = sampler;
    /** @type {import('./protocol.js').Forming[]} */
    const pictures = Array.from({ length: this.#count }, (_, i) => ({ tokens: sampler.tokens(i), preview: null }));
    // All are decoded after the last step anyway.
    if (done < steps) await this.#preview(pictures, done === 1);
    return { done, steps, pictures };
  }

  /**
   * Previews of as many pictures as there is time for, in turn.
   * @param {import('./protocol.js').Forming[]} pictures @param {boolean} first whether there must be at least one
   */
  async #preview(pictures, first) {
    for (let shown = 0; shown < this.#count; shown += 1) {
      const affordable = this.#shown <= PREVIEWS * (this.#shown + this.#stepped);
      if (!affordable && !(first && shown === 0)) return;
      const begin = performance.now();
      pictures[this.#next].preview = await this.#decoded(this.#next, (_, picture) => pixels(picture));
      this.#next = (this.#next + 1) % this.#count;
      this.#shown += performance.now() - begin;
    }
  }

  /**
   * @param {() => Promise<void>} breathe between two pictures
   * @returns {Promise<import('./protocol.js').Sampled>}
   */
  async finish(breathe) {
    const begin = performance.now();
    /** @type {import('./protocol.js').Drawn[]} */ const pictures = [];
    for (let i = 0; i < this.#count; i += 1) {
      await breathe();
      const drawn = await this.#decoded(i, (tokens, picture) => ({
        pixels: pixels(picture),
        png: unshared(picture.png()),
        file: unshared(tokens.bytes()),
        facts: tokens.facts,
      }));
      if (drawn) pictures.push(drawn);
    }
    const seconds = (this.#stepped + this.#shown + performance.now() - begin) / 1000;
    return { pictures, seconds };
  }

  /**
   * What is wanted of one picture's tokens and what they decode to; null before the first is drawn.
   * @template T
   * @param {number} index @param {(tokens: import('./wasm.js').Tokens, picture: import('./wasm.js').Picture) => T} want
   */
  async #decoded(index, want) {
    const tokens = this.#sampler.preview(index, this.#model);
    if (!tokens) return null;
    const picture = await this.#model.decode(tokens);
    const wanted = want(tokens, picture);
    tokens.free();
    picture.free();
    return wanted;
  }

  free() {
    this.#sampler.free();
  }
}
