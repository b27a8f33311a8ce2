// The shipped models, from models/index.json, and what the page says about them.
import { Code, PageCode, TesseraeError } from './engine/protocol.js';

const INDEX = new URL('models/index.json', document.baseURI).href;
// Kinds that turn a picture into tokens and back by themselves; others only serve them.
const RUNNABLE = new Set(['vqvae', 'vqgan']);

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

  /** One sentence about a loaded model. @param {import('./engine/protocol.js').Loaded} loaded */
  describe({ model, name, origin }) {
    const facts = [
      `${(model.parameters / 1e6).toFixed(1)} million weights`,
      `${model.codebookSize.toLocaleString('en')} codes, one for every ${model.factor} × ${model.factor} pixels`,
    ];
    const entry = this.entries.find((e) => e.name === name);
    if (entry?.trained_on) facts.push(`trained on ${entry.trained_on}`);
    if (entry?.licence) facts.push(`licence ${entry.licence}`);
    if (origin === 'healed') facts.push('the kept copy was damaged and has been fetched again');
    return `${facts.join('; ')}.`;
  }
}
