// @ts-check
// Pictures that a prior draws in the worker: it draws tokens step by step, and the model that they belong to
// decodes them, now and then while they are incomplete, and all of them at the end.
import { Held } from './held.js';
import { pixels, unshared } from './pixels.js';
import { Code, TesseraeError } from './protocol.js';

/** Previews take at most this fraction of the time. */
const PREVIEWS = 1 / 3;

/**
 * @param {import('./wasm.js').Tokens} tokens of one grid @param {import('./wasm.js').Picture} picture that they decode to
 * @returns {import('./protocol.js').Drawn}
 */
export const drawn = (tokens, picture) => ({
  pixels: pixels(picture),
  png: unshared(picture.png()),
  file: unshared(tokens.bytes()),
  indices: tokens.indices(0),
  facts: tokens.facts,
});

/** @typedef {import('./protocol.js').Shipped} Shipped */

/** A prior, and the model of its tokens where that is not the one in use: each stays loaded until another is asked for. */
export class Drawers {
  /** @type {Held<import('./wasm.js').Prior>} */ #prior = new Held();
  /** @type {Held<import('./wasm.js').Model>} */ #tokenizer = new Held();

  /**
   * Loads what is missing of them. Both files are checked before either is built.
   * @param {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} opened
   * @param {Shipped} prior @param {Shipped | null} tokenizer null for the model in use
   * @param {(sources: Shipped[]) => Promise<Uint8Array[]>} fetched @param {<T>(thing: T) => T} own
   */
  async load({ wasm, engine }, prior, tokenizer, fetched, own) {
    const model = tokenizer && !this.#tokenizer.of(tokenizer) ? tokenizer : null;
    const missing = [...(this.#prior.of(prior) ? [] : [prior]), ...(model ? [model] : [])];
    if (!missing.length) return;
    if (missing.includes(prior)) this.#prior.free();
    if (model) this.#tokenizer.free();
    const files = await fetched(missing);
    const checked = missing[0] === prior ? own(wasm.PriorWeights.check(engine, files[0])) : null;
    const decoder = model && own(wasm.Weights.check(engine, files[files.length - 1]));
    if (checked) this.#prior.put(prior, checked.load(engine));
    if (model && decoder) this.#tokenizer.put(model, await decoder.load(engine));
  }

  /** The two of them, once they are loaded. @param {Shipped} prior @param {Shipped | null} tokenizer @param {() => import('./wasm.js').Model} inUse */
  pair(prior, tokenizer, inUse) {
    const [drawer, model] = [this.#prior.of(prior), tokenizer ? this.#tokenizer.of(tokenizer) : inUse()];
    if (!drawer || !model) throw new TesseraeError(Code.INTERNAL, 'The prior is not loaded.');
    // Fails if the prior predicts the tokens of another model.
    drawer.fits(model);
    return { drawer, model };
  }

  free() {
    this.#prior.free();
    this.#tokenizer.free();
  }
}

/** Some pictures that are being drawn. */
export class Sampling {
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
      const made = await this.#decoded(i, drawn);
      if (made) pictures.push(made);
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
