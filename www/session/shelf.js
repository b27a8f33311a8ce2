// @ts-check
// The shipped models, priors and generators, from models/index.json, and what the page says about them.
import { Code, PageCode, TesseraeError } from '../engine/protocol.js';
import { fills, pair, shipped } from './priors.js';

const INDEX = new URL('../models/index.json', import.meta.url).href;
// Weights and cards stay in place when a new release brings a new index.
const MODELS = new URL('models/', document.baseURI).href;
/** The stages of training, in order. @type {Record<Stage, string>} */
const STAGES = { vqvae: 'VQ-VAE', vqgan: 'VQ-GAN' };
/** @type {Record<Stage, string>} */
const CHARACTER = { vqvae: 'Faithful and soft.', vqgan: 'Sharper: it invents texture.' };
// Kinds that are better known by another name than by their stage.
/** @type {Record<string, string>} */
const KINDS = { vqvae2: 'VQ-VAE-2', kl: 'VAE' };

/** @typedef {import('../engine/protocol.js').ModelEntry} ModelEntry */
/** @typedef {ModelEntry['stage']} Stage */
/** @typedef {{name: string, kind: string, facts: string[], purpose: string, url: string}} Card */
/** @typedef {{entry: import('../engine/protocol.js').GeneratorEntry, source: import('../engine/protocol.js').Shipped}} Generator makes pictures out of numbers, without tokens */
/** @typedef {{own: ModelEntry, other: ModelEntry, source: import('../engine/protocol.js').Shipped}} Pair */

export const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);

export class Shelf {
  /** @type {ModelEntry[]} */ entries = [];
  /** @type {import('./priors.js').Prior[]} those whose model is shipped too */ priors = [];
  /** @type {Generator[]} */ generators = [];

  get loaded() {
    return this.entries.length > 0;
  }

  async load() {
    if (this.loaded) return;
    const response = await fetch(INDEX, { cache: 'no-cache' }).catch(() => null);
    const index = response?.ok ? await response.json().catch(() => null) : null;
    if (!Array.isArray(index?.models)) {
      throw new TesseraeError(PageCode.DOWNLOAD_FAILED, 'The list of models could not be loaded.');
    }
    /** @type {(ModelEntry | import('../engine/protocol.js').PriorEntry | import('../engine/protocol.js').GeneratorEntry)[]} */
    const all = index.models;
    this.entries = all.filter((entry) => entry.stage !== 'prior' && entry.stage !== 'generator');
    this.priors = all.flatMap((entry) => (entry.stage === 'prior' ? pair(entry, this.entries, MODELS) : []));
    this.generators = all.flatMap((entry) => (entry.stage === 'generator' ? { entry, source: shipped(entry, MODELS) } : []));
  }

  /** @param {string} name */
  #find(name) {
    return this.entries.find((entry) => entry.name === name);
  }

  /** Where a file next to the weights is. @param {string} file */
  address(file) {
    return new URL(file, MODELS).href;
  }

  /** @param {string} name */
  has(name) {
    return this.#find(name) !== undefined;
  }

  /** Where the weights of this model are, or of the first one. @param {string} name @returns {Pair['source']} */
  source(name) {
    const entry = this.#find(name) ?? this.entries[0];
    if (!entry) throw new TesseraeError(Code.MODEL_UNKNOWN, 'No model is shipped with this page; drop a weight file.');
    return shipped(entry, MODELS);
  }

  /** The discriminator that this model was trained against, if it is shipped. @param {string} name @returns {Pair['source'] | null} */
  discriminator(name) {
    const found = this.#find(name)?.discriminator;
    return found
      ? {
          from: 'shipped',
          name: `the discriminator of ${name}`,
          url: new URL(found.file, MODELS).href,
          bytes: found.bytes,
          sha256: found.sha256,
        }
      : null;
  }

  /** The text of each model's card. @returns {Card[]} */
  get cards() {
    return this.entries.map(({ name, kind, stage, bytes, quality: { bpp }, licence, trained_on, card }) => ({
      name,
      kind: KINDS[kind] ?? STAGES[stage],
      facts: [typeof bpp === 'number' ? `${bpp.toFixed(3)} bits per pixel` : '', `${megabytes(bytes)} MB`, licence].filter(Boolean),
      purpose: [KINDS[kind] ? '' : CHARACTER[stage], trained_on && `Trained on ${trained_on}.`].filter(Boolean).join(' '),
      url: new URL(card, MODELS).href,
    }));
  }

  /**
   * The model of this name, and the other stage of its training, which decodes the same tokens.
   * @param {string} name @returns {Pair | null}
   */
  stages(name) {
    const own = this.#find(name);
    const other = own?.codebook && this.entries.find((e) => e.codebook === own.codebook && e.stage !== own.stage);
    return own && other ? { own, other, source: this.source(other.name) } : null;
  }

  /** The model that decodes tokens of this codebook. @param {string} codebook hash */
  reader(codebook) {
    return this.entries.find((entry) => entry.codebook === codebook);
  }

  /** The priors that can draw what is missing between tokens. @param {string} [codebook] hash of the tokens', any by default */
  fillers(codebook) {
    return this.priors.filter((prior) => fills(prior, codebook));
  }

  /** The error for tokens of this codebook, if an earlier version of a model made them. @param {string} codebook hash */
  retired(codebook) {
    const entry = this.entries.find(({ retired }) => retired?.includes(codebook));
    if (!entry) return null;
    const message = `These tokens were made by an earlier version of ${entry.name}, whose codebook has been replaced; its old weights can decode them.`;
    return new TesseraeError(Code.TOKENS_RETIRED, message);
  }

  /** Describes a loaded model in a sentence or two, with a link to its card. @param {import('../engine/protocol.js').Loaded} loaded */
  describe({ model, name, origin }) {
    const facts = [weights(model.parameters), grids(model)];
    const entry = this.#find(name);
    if (entry?.trained_on) facts.push(`trained on ${entry.trained_on}`);
    if (entry?.licence) facts.push(`licence ${entry.licence}`);
    if (origin === 'healed') facts.push('the saved copy was damaged and has been downloaded again');
    const words = [facts.join('; '), ...provenance(model)].map((sentence) => `${sentence}. `);
    const card = entry && Object.assign(document.createElement('a'), { href: new URL(entry.card, MODELS).href, textContent: 'Model card' });
    return card ? [...words, card] : words;
  }
}

/** @param {number} count */
function weights(count) {
  return count < 1e6 ? `${count.toLocaleString('en')} weights` : `${(count / 1e6).toFixed(1)} million weights`;
}

/** What the pixels are encoded to. @param {import('../engine/protocol.js').ModelFacts} model */
function grids({ grids: [coarse, fine], codebookSize, factor, config }) {
  const square = (/** @type {number} */ side) => `${side} × ${side}`;
  const codes = `${codebookSize.toLocaleString('en')} codes`;
  if (fine) return `${codes}; two grids: one token for every ${square(coarse)} pixels, and one for every ${square(fine)}`;
  if (coarse) return `${codes}, one for every ${square(coarse)} pixels`;
  return `no codebook, but ${/** @type {Record<string, unknown>} */ (config).embed_dim} continuous numbers for every ${square(factor)} pixels`;
}

/** The file's format and what had to be assumed; empty for this project's own files. @param {import('../engine/protocol.js').ModelFacts} model */
function provenance({ family, assumed, prefix, config }) {
  if (family === 'tesserae') return [];
  const words = assumed.map(
    (field) => ASSUMED[field]?.(/** @type {Record<string, unknown>} */ (config)[field]) ?? field.replaceAll('_', ' '),
  );
  return [
    `In the format of ${family}${prefix && `, with names under ${prefix}`}`,
    ...(words.length ? [`Assumed, because the file does not say: ${words.join(', ')}`] : []),
  ];
}

/** @type {Record<string, (value: any) => string>} */
const ASSUMED = {
  norm_groups: (groups) => `${groups} groups in each normalisation`,
  norm_eps: (eps) => `ε = ${eps}`,
  resolution: (side) => `trained at ${side} pixels a side`,
  input: ([low, high]) => `pixel values from ${low} to ${high}`.replace('-', '−'),
  quantizer: (kind) => (kind === 'cosine' ? 'codes chosen by cosine similarity' : `a ${kind} quantizer`),
};
