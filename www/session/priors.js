// @ts-check
// The shipped priors: transformers that know which tokens of a model go together, each with the model that
// decodes what it draws.
import { DEFAULTS, UNGUIDED } from './sampling.js';

/** Kinds that draw tokens in any order, several at once; all others go row by row. */
const MASKED = new Set(['maskgit']);
/** Kinds that never learned to do without a class. */
const CLASSED = new Set(['mingpt']);

/** @typedef {import('../engine/protocol.js').PriorEntry} PriorEntry */
/** @typedef {import('../engine/protocol.js').Shipped} Shipped */
/** @typedef {import('../engine/protocol.js').LastingSource} LastingSource */
/** @typedef {import('./sampling.js').Sampling} Sampling */
/**
 * @typedef {object} Prior
 * @property {Pick<PriorEntry, 'name' | 'config'> & Partial<PriorEntry>} entry all of it where it is shipped
 * @property {LastingSource} source
 * @property {LastingSource} tokenizer
 * @property {string} codebook hash of the tokenizer's
 * @property {string[]} classes their names; none for a prior without classes
 * @property {boolean} masked whether it draws several tokens at once, in any order
 * @property {string[]} [assumed] what its file does not say
 * @property {boolean} any whether it can do without a class, and so be guided to one
 */

/**
 * Weights that are shipped.
 * @param {{name: string, file: string, bytes: number, sha256: string}} entry @param {string} folder @returns {Shipped}
 */
export const shipped = ({ name, file, bytes, sha256 }, folder) => ({
  from: 'shipped',
  name,
  url: new URL(file, folder).href,
  bytes,
  sha256,
});

/**
 * A prior and the model that it needs; nothing if that is not shipped with the right codebook.
 * @param {PriorEntry} entry @param {import('../engine/protocol.js').ModelEntry[]} models @param {string} folder
 * @returns {Prior[]}
 */
export function pair(entry, models, folder) {
  const [need] = entry.needs;
  const fits = models.filter(({ codebook }) => codebook !== null && codebook === need?.hash);
  const model = fits.find(({ name }) => name === need.name) ?? fits[0];
  if (!model) return [];
  return [
    {
      entry,
      source: shipped(entry, folder),
      tokenizer: shipped(model, folder),
      codebook: need.hash,
      classes: entry.classes ?? Array.from({ length: entry.config.classes ?? 0 }, (_, i) => String(i)),
      masked: MASKED.has(entry.kind),
      any: !CLASSED.has(entry.kind),
    },
  ];
}

/** Whether the visitor brought it, so that no link can carry it. @param {Prior} prior */
export const brought = ({ source }) => source.from === 'file';

/** Whether it can draw what is missing between tokens. @param {Prior} prior @param {string} [codebook] hash of the tokens', any by default */
export const fills = (prior, codebook) => prior.masked && (codebook === undefined || prior.codebook === codebook);

/** What it is called in a list. @param {Prior} prior */
export const nameOf = (prior) => (brought(prior) ? `${prior.entry.name} (yours)` : prior.entry.name);

/** What tells it from the others. @param {Prior} prior */
export const keyOf = ({ source, entry }) => (source.from === 'file' ? source.key : entry.name);

/** What was asked for, as far as this prior can do it. @param {Sampling} asked @param {Prior} prior @returns {Sampling} */
export function fitted(asked, { entry, classes, masked, any }) {
  const { codes, rows, columns } = entry.config;
  const known = asked.class === null ? any : asked.class < classes.length;
  return {
    ...asked,
    prior: entry.name,
    class: !classes.length ? null : known ? asked.class : DEFAULTS.class,
    steps: Math.min(masked ? asked.steps : DEFAULTS.steps, rows * columns),
    top_k: asked.top_k < codes ? asked.top_k : DEFAULTS.top_k,
    order: masked ? asked.order : null,
  };
}

/** Whether there is a class to guide to. @param {Sampling} asked @param {Prior} prior */
export const guided = (asked, { any, classes }) => any && classes.length > 0 && asked.class !== null;

/** @param {Sampling} asked fitted to the prior @param {Prior} prior @returns {import('../engine/protocol.js').SampleJob['options']} */
export const options = (asked, prior) => ({
  class: asked.class,
  count: asked.count,
  seed: asked.seed,
  steps: asked.steps,
  temperature: asked.temperature,
  top_k: asked.top_k,
  top_p: asked.top_p,
  guidance: guided(asked, prior) ? asked.guidance : UNGUIDED,
  order: asked.order,
});
