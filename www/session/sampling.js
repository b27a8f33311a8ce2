// @ts-check
// What pictures are sampled, and how, as a link carries it. Whatever a link has wrong falls back to the default,
// without an error.

/**
 * @typedef {object} Sampling
 * @property {string} prior its name, or nothing for the first
 * @property {number | null} class from 0; null for any
 * @property {number} seed of the first picture; the others have the numbers after it
 * @property {number} count
 * @property {number} steps of a prior that draws several tokens at once
 * @property {number} temperature
 * @property {number} guidance to the class, where there is one
 * @property {number} top_k 0 keeps all codes
 * @property {number} top_p 1 keeps all codes
 * @property {NonNullable<import('../engine/protocol.js').SampleOptions['order']> | null} order null for the prior's own
 */

/** The guidance that is none. */
export const UNGUIDED = 1;
/** @type {Readonly<Sampling>} */
export const DEFAULTS = Object.freeze({
  prior: '',
  class: 0,
  seed: 1,
  count: 4,
  steps: 16,
  temperature: 1,
  // Of digits drawn so, 99.6 % are of the class that was asked for; without guidance, 90 % (docs/models.md).
  guidance: 2,
  top_k: 0,
  top_p: 1,
  order: null,
});
/** For a part of a picture, which is to go on with what is around it: less varied. @type {Readonly<Sampling>} */
export const EDITING = Object.freeze({ ...DEFAULTS, class: null, temperature: 0.7, guidance: UNGUIDED });
export const COUNTS = [1, 4, 9, 16];
/** What can be set at all; a prior may allow less. @type {Record<'seed' | 'steps' | 'temperature' | 'guidance' | 'top_k' | 'top_p', [least: number, most: number]>} */
export const RANGES = {
  seed: [0, 999_999_999],
  steps: [1, 4096],
  temperature: [0, 2],
  guidance: [UNGUIDED, 10],
  top_k: [0, 1_000_000],
  top_p: [0.05, 1],
};
const WHOLE = new Set(['seed', 'steps', 'top_k']);
/** @type {Sampling['order'][]} */
const ORDERS = ['halton', 'confidence', 'raster'];
/** In every link, so that it does not depend on what the defaults are later. */
const ALWAYS = new Set(['prior', 'class', 'seed', 'count', 'guidance']);
const ANY = 'any';

export const KEYS = Object.keys(DEFAULTS);

/** @param {URLSearchParams} query @returns {Sampling} */
export function readSampling(query) {
  const number = (/** @type {keyof typeof RANGES} */ key) => {
    const text = query.get(key) ?? '';
    const [least, most] = RANGES[key];
    const shape = WHOLE.has(key) ? /^\d{1,9}$/ : /^\d{1,3}(\.\d{1,4})?$/;
    return shape.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : DEFAULTS[key];
  };
  const kind = query.get('class') ?? '';
  return {
    prior: query.get('prior') ?? DEFAULTS.prior,
    class: kind === ANY ? null : /^\d{1,6}$/.test(kind) ? Number(kind) : DEFAULTS.class,
    seed: number('seed'),
    count: COUNTS.find((count) => String(count) === query.get('count')) ?? DEFAULTS.count,
    steps: number('steps'),
    temperature: number('temperature'),
    guidance: number('guidance'),
    top_k: number('top_k'),
    top_p: number('top_p'),
    order: ORDERS.find((order) => order === query.get('order')) ?? DEFAULTS.order,
  };
}

/** @param {URLSearchParams} query @param {Sampling} sampling */
export function writeSampling(query, sampling) {
  for (const [key, value] of Object.entries(sampling)) {
    if (ALWAYS.has(key) || value !== DEFAULTS[/** @type {keyof Sampling} */ (key)]) query.set(key, String(value ?? ANY));
  }
}
