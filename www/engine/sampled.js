// @ts-check
// Pictures that a prior draws in the worker: it draws tokens step by step, and the model that they belong to
// decodes them, now and then while they are incomplete, and all of them at the end.
import { asPrior, checked, mustFit, only } from './adopted.js';
import { Held } from './held.js';
import { pixels, unshared } from './pixels.js';
import { Code, TesseraeError } from './protocol.js';

/** How many priors and how many tokenizers stay loaded: those of two that are compared. */
const HELD = 2;
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

/** Priors, and the models of their tokens where those are not the one in use: they stay loaded until others take their place. */
export class Drawers {
  /** @type {Held<import('./wasm.js').Prior>} */ #priors = new Held(HELD);
  /** @type {Held<import('./wasm.js').Model>} */ #tokenizers = new Held(HELD);

  /**
   * Loads what is missing of them. Both files are checked before either is built.
   * @param {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} opened
   * @param {Source} prior @param {Source | null} tokenizer null for the model in use
   * @param {(sources: Source[]) => Promise<Read[]>} fetched @param {<T>(thing: T) => T} own
   */
  async load({ wasm, engine }, prior, tokenizer, fetched, own) {
    const model = tokenizer && !this.#tokenizers.of(tokenizer) ? tokenizer : null;
    const missing = [...(this.#priors.of(prior) ? [] : [prior]), ...(model ? [model] : [])];
    if (!missing.length) return;
    if (missing.includes(prior)) this.#priors.makeRoom();
    if (model) this.#tokenizers.makeRoom();
    const files = await fetched(missing);
    const last = files[files.length - 1];
    const weights =
      missing[0] === prior ? own(checked(files[0], false, (bytes, json) => wasm.PriorWeights.check(engine, bytes, json))) : null;
    const decoder = model && own(checked(last, false, (bytes, json) => wasm.Weights.check(engine, bytes, json)));
    if (weights) this.#priors.put(prior, weights.load(engine));
    if (model && decoder) this.#tokenizers.put(model, await decoder.load(engine));
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
    const weights = files.map((file, i) => (this.#priors.of(sources[i]) ? null : asPrior(opened, file, alone)));
    for (const one of weights) if (one) own(one);
    const index = only(weights.map((one, i) => one !== null || this.#priors.of(sources[i]) !== null));
    const other = alone ? null : files[1 - index];
    const decoder = other && own(checked(other, false, (bytes, json) => wasm.Weights.check(engine, bytes, json)));
    const fresh = weights[index];
    if (fresh) this.#priors.makeRoom();
    if (decoder) this.#tokenizers.makeRoom();
    const drawer = fresh ? this.#priors.put(sources[index], fresh.load(engine)) : this.#priors.of(sources[index]);
    if (!drawer) throw new TesseraeError(Code.INTERNAL, 'The prior is not loaded.');
    const model = decoder && this.#tokenizers.put(sources[1 - index], await decoder.load(engine));
    if (model) mustFit(drawer, model);
    return { index, facts: drawer.facts, codebook: model && model.facts.codebookHash };
  }

  /**
   * A model of tokens without a prior, which is loaded if it is missing.
   * @param {{wasm: import('./wasm.js').Wasm, engine: import('./wasm.js').Engine}} opened
   * @param {Source} source @param {(sources: Source[]) => Promise<Read[]>} fetched @param {<T>(thing: T) => T} own
   */
  async tokenizer({ wasm, engine }, source, fetched, own) {
    const known = this.#tokenizers.of(source);
    if (known) return known;
    this.#tokenizers.makeRoom();
    const [file] = await fetched([source]);
    const weights = own(checked(file, false, (bytes, json) => wasm.Weights.check(engine, bytes, json)));
    return this.#tokenizers.put(source, await weights.load(engine));
  }

  /** The two of them, once they are loaded. @param {Source} prior @param {Source | null} tokenizer @param {() => import('./wasm.js').Model} inUse */
  pair(prior, tokenizer, inUse) {
    const [drawer, model] = [this.#priors.of(prior), tokenizer ? this.#tokenizers.of(tokenizer) : inUse()];
    if (!drawer || !model) throw new TesseraeError(Code.INTERNAL, 'The prior is not loaded.');
    // Fails if the prior predicts the tokens of another model.
    drawer.fits(model);
    return { drawer, model };
  }

  free() {
    this.#priors.free();
    this.#tokenizers.free();
  }
}

/** Some pictures that are being drawn. */
export class Sampling {
  #sampler;
  #model;
  #count;
  /** Milliseconds that steps have taken, */
  #stepped = 0;
  /** and previews. */
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
    return { pictures, seconds: (this.#stepped + performance.now() - begin) / 1000 };
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
