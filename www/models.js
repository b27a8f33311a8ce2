// The shipped models, from models/index.json, and what the page says about them.
import { Code, PageCode, TesseraeError } from './engine/protocol.js';

const INDEX = new URL('models/index.json', document.baseURI).href;
// Kinds that rebuild a picture by themselves; others only serve them.
const RUNNABLE = new Set(['vqvae', 'vqgan', 'vqvae2', 'kl']);

/** @typedef {import('./engine/protocol.js').ModelEntry} ModelEntry */

export const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

export class Shelf {
  /** @type {ModelEntry[]} */ entries = [];

  async load() {
    if (this.entries.length) return;
    const response = await fetch(INDEX, { cache: 'no-cache' }).catch(() => null);
    const index = response?.ok ? await response.json().catch(() => null) : null;
    if (!Array.isArray(index?.models)) {
      throw new TesseraeError(PageCode.DOWNLOAD_FAILED, 'The list of models could not be loaded.');
    }
    this.entries = index.models.filter((entry) => RUNNABLE.has(entry.kind));
  }

  has(name) {
    return this.entries.some((entry) => entry.name === name);
  }

  /** Where the weights of this model are, or of the first one. */
  source(name) {
    const entry = this.entries.find((e) => e.name === name) ?? this.entries[0];
    if (!entry) throw new TesseraeError(Code.MODEL_UNKNOWN, 'No model is shipped with this page; drop a weight file.');
    return { from: 'shipped', name: entry.name, url: new URL(entry.file, INDEX).href, bytes: entry.bytes, sha256: entry.sha256 };
  }

  options() {
    return this.entries.map((e) => new Option(`${e.name} (${megabytes(e.bytes)} MB)`, e.name));
  }

  /** What a loaded model is, in a sentence or two. @param {import('./engine/protocol.js').Loaded} loaded */
  describe({ model, name, origin }) {
    const facts = [weights(model.parameters), grids(model)];
    const entry = this.entries.find((e) => e.name === name);
    if (entry?.trained_on) facts.push(`trained on ${entry.trained_on}`);
    if (entry?.licence) facts.push(`licence ${entry.licence}`);
    if (origin === 'healed') facts.push('the kept copy was damaged and has been fetched again');
    return [facts.join('; '), ...provenance(model)].map((sentence) => `${sentence}.`).join(' ');
  }
}

function weights(count) {
  return count < 1e6 ? `${count.toLocaleString('en')} weights` : `${(count / 1e6).toFixed(1)} million weights`;
}

/** What becomes of the pixels. @param {import('./engine/protocol.js').ModelFacts} model */
function grids({ grids: [coarse, fine], codebookSize, factor, config }) {
  const square = (side) => `${side} × ${side}`;
  const codes = `${codebookSize.toLocaleString('en')} codes`;
  if (fine) return `${codes}; two grids: one token for every ${square(coarse)} pixels, and one for every ${square(fine)}`;
  if (coarse) return `${codes}, one for every ${square(coarse)} pixels`;
  return `no codebook, but ${config.embed_dim} continuous numbers for every ${square(factor)} pixels`;
}

/** Whose file it is and what it left open; nothing about a file of this project. */
function provenance({ family, assumed, config }) {
  if (family === 'tesserae') return [];
  const words = assumed.map((field) => ASSUMED[field]?.(config[field]) ?? field.replaceAll('_', ' '));
  return [`In the format of ${family}`, ...(words.length ? [`Assumed, as the file does not say: ${words.join(', ')}`] : [])];
}

const ASSUMED = {
  norm_groups: (groups) => `${groups} groups in each normalisation`,
  norm_eps: (eps) => `ε = ${eps}`,
  resolution: (side) => `trained at ${side} pixels a side`,
  input: ([low, high]) => `pixel values from ${low} to ${high}`.replace('-', '−'),
  quantizer: (kind) => (kind === 'cosine' ? 'codes chosen by direction' : `a quantizer of the kind ${kind}`),
};
