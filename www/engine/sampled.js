// @ts-check
// Pictures that a prior draws in the worker: it draws tokens step by step, and the model that they belong to
// decodes them, now and then while they are incomplete, and all of them at the end.
import { asPrior, checked, mustFit, only } from './adopted.js';
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

/** @typedef {import('./protocol.js').LastingSource} Source */
/** @typedef {import('./adopted.js').Read} Read */

/** A prior, and the model of its tokens where that is not the one in use: each stays loaded until another is asked for. */
export class Drawers {
  /** @type {Held<import('./wasm.js').Prior>} */ #prior = new Held();
  /** @type {Held<import('./wasm.js').Model>} */ #tokenizer = new Held();

  /**
   * Loads what is missing of them. Both files are checked before either is built.
   * @param {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} opened
   * @param {Source} prior @param {Source | null} tokenizer null for the model in use
   * @param {(sources: Source[]) => Promise<Read[]>} fetched @param {<T>(thing: T) => T} own
   */
  async load({ wasm, engine }, prior, tokenizer, fetched, own) {
    const model = tokenizer && !this.#tokenizer.of(tokenizer) ? tokenizer : null;
    const missing = [...(this.#prior.of(prior) ? [] : [prior]), ...(model ? [model] : [])];
    if (!missing.length) return;
    if (missing.includes(prior)) this.#prior.free();
    if (model) this.#tokenizer.free();
    const files = await fetched(missing);
    const last = files[files.length - 1];
    const weights =
      missing[0] === prior ? own(checked(files[0], false, (bytes, json) => wasm.PriorWeights.check(engine, bytes, json))) : null;
    const decoder = model && own(checked(last, false, (bytes, json) => wasm.Weights.check(engine, bytes, json)));
    if (weights) this.#prior.put(prior, weights.load(engine));
    if (model && decoder) this.#tokenizer.put(model, await decoder.load(engine));
  }

  /**
   * Loads a prior that the visitor brought, and the model of its tokens where that came with it.
   * @param {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} opened
   * @param {import('./protocol.js').Brought[]} sources one or two @param {Read[]} files @param {<T>(thing: T) => T} own
   * @returns {Promise<import('./protocol.js').Adopted>}
   */
  async adopt(opened, sources, files, own) {
    const { wasm, engine } = opened;
    const alone = files.length === 1;
    const weights = files.map((file, i) => (this.#prior.of(sources[i]) ? null : asPrior(opened, file, alone)));
    for (const one of weights) if (one) own(one);
    const index = only(weights.map((one, i) => one !== null || this.#prior.of(sources[i]) !== null));
    const other = alone ? null : files[1 - index];
    const decoder = other && own(checked(other, false, (bytes, json) => wasm.Weights.check(engine, bytes, json)));
    const fresh = weights[index];
    if (fresh) this.#prior.free();
    if (decoder) this.#tokenizer.free();
    const drawer = fresh ? this.#prior.put(sources[index], fresh.load(engine)) : this.#prior.of(sources[index]);
    if (!drawer) throw new TesseraeError(Code.INTERNAL, 'The prior is not loaded.');
    const model = decoder && this.#tokenizer.put(sources[1 - index], await decoder.load(engine));
    if (model) mustFit(drawer, model);
    return { index, facts: drawer.facts, codebook: model && model.facts.codebookHash };
  }

  /** The two of them, once they are loaded. @param {Source} prior @param {Source | null} tokenizer @param {() => import('./wasm.js').Model} inUse */
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
