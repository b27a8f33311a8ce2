// @ts-check
// The visitor's own priors, for as long as the page is open, each with the model that decodes what it draws: the
// file that came with it, a shipped model with the right codebook, or the model in use.
import { Code, PageCode, TesseraeError, failure } from '../engine/protocol.js';
import { purpose } from '../files.js';
import { fills } from './priors.js';

/** @typedef {import('../engine/protocol.js').Brought} Brought */
/** @typedef {import('../engine/protocol.js').PriorFacts} PriorFacts */
/** @typedef {import('./priors.js').Prior} Prior */
/** @typedef {Pick<Prior, 'tokenizer' | 'codebook'>} Reader what decodes a prior's tokens */

/** It emits `list` when there is one more. */
export class OwnPriors extends EventTarget {
  #session;
  /** @type {Prior[]} */ all = [];
  /** A prior that came without the model of its tokens. @type {Brought | null} */ #waiting = null;
  #last = 0;

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    super();
    this.#session = session;
  }

  /**
   * Adds the prior among these files, or the one that waited for them.
   * @param {File[]} files @param {boolean} [inUse] whether the model in use is the one that made its tokens
   * @returns {Promise<Prior>}
   */
  async add(files, inUse = false) {
    const weights = files.filter(({ name }) => purpose(name) === 'weights');
    const config = files.find(({ name }) => purpose(name) === 'config') ?? null;
    if (!weights.length || weights.length > 2) {
      const words = weights.length
        ? 'A prior and the model of its tokens are two files, not more.'
        : 'There is no weight file among these.';
      throw new TesseraeError(PageCode.PRIOR_FILES, words);
    }
    const { sources, index, facts, codebook } = await this.#adopt(weights.map((blob) => this.#brought(blob.name, blob, config)));
    const source = sources[index];
    const name = facts.name ?? source.name.replace(/\.[^.]*$/, '');
    const reader = codebook === null ? this.#reader(facts, inUse) : { tokenizer: sources[1 - index], codebook };
    this.#waiting = reader ? null : source;
    if (!reader) throw wanted(name, facts);
    const prior = entryOf(name, source, facts, reader);
    this.all.push(prior);
    this.dispatchEvent(new Event('list'));
    return prior;
  }

  /** Those that can draw what is missing between tokens of a codebook. @param {string} codebook hash */
  fillers(codebook) {
    return this.all.filter((prior) => fills(prior, codebook));
  }

  /** A file that is no prior may be the model that another one waits for. @param {Brought[]} sources */
  async #adopt(sources) {
    const { client } = this.#session;
    const waiting = this.#waiting;
    try {
      return { sources, ...(await client.adopt(sources)) };
    } catch (error) {
      if (!waiting || sources.length > 1 || failure(error).code !== Code.WEIGHTS_MISMATCH) throw error;
      const both = [waiting, ...sources];
      return { sources: both, ...(await client.adopt(both)) };
    }
  }

  /** @param {PriorFacts} facts @param {boolean} mine whether the model in use is its model @returns {Reader | null} */
  #reader({ corpus, codes }, mine) {
    const { models } = this.#session;
    const { shelf, inUse } = models;
    const fits = corpus && !mine ? shelf.entries.filter((entry) => entry.codebook === corpus.codebook) : [];
    const shipped = fits.find(({ name }) => name === corpus?.tokenizer) ?? fits[0];
    if (corpus && shipped) return { tokenizer: shelf.source(shipped.name), codebook: corpus.codebook };
    const source = inUse && models.source(inUse.name);
    if (!inUse || !source) return null;
    const { codebookHash, codebookSize, grids } = inUse.model;
    if (grids.length !== 1 || (corpus ? corpus.codebook !== codebookHash : codes !== codebookSize)) return null;
    const tokenizer = source.from === 'shipped' ? source : this.#brought(source.name, source.blob, source.config);
    return { tokenizer, codebook: codebookHash };
  }

  /** @param {string} name @param {Blob} blob @param {Blob | null} config @returns {Brought} */
  #brought(name, blob, config) {
    this.#last += 1;
    return { from: 'file', name, blob, config, key: `own-${this.#last}` };
  }
}

/** @param {string} name @param {PriorFacts} facts */
function wanted(name, { corpus, codes }) {
  const model = corpus ? `the tokens of ${corpus.tokenizer}` : `the tokens of a model with ${codes.toLocaleString('en')} codes`;
  return new TesseraeError(PageCode.TOKENIZER_WANTED, `The prior ${name} draws ${model}, which is not on this page.`);
}

/** @param {string} name @param {Brought} source @param {PriorFacts} facts @param {Reader} reader @returns {Prior} */
function entryOf(name, source, { order, codes, rows, columns, classes, guided, corpus, assumed }, reader) {
  const names = corpus?.classes.length === classes ? corpus.classes : Array.from({ length: classes }, (_, i) => String(i));
  return {
    entry: { name, config: { codes, rows, columns, classes } },
    source,
    ...reader,
    classes: names,
    masked: order === 'masked',
    any: guided,
    assumed,
  };
}
