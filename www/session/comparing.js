// @ts-check
// What the room Compare draws, as a link carries it. Whatever a link has wrong falls back to the default, without an
// error.
import { RANGES } from './sampling.js';

export const WAYS = /** @type {const} */ (['vae', 'gan', 'vqvae', 'vqgan', 'diffusion']);

/** @typedef {'straight' | 'spherical'} Path between the numbers of two pictures */
/**
 * @typedef {object} Comparing
 * @property {'draw' | 'walk' | 'pad' | 'learn'} mode side by side, from one picture to another, from a drawing, which no
 *   link carries, or how one of the ways is trained
 * @property {number} class from 0
 * @property {number} seed of the first picture; the others have the numbers after it
 * @property {number} count of pictures each
 * @property {number} to seed of the picture where the walk ends
 * @property {Path} path
 * @property {typeof WAYS[number]} way that is trained
 * @property {boolean} fail whether it is made to fail
 */

/** @type {Readonly<Comparing>} */
export const DEFAULTS = Object.freeze({ mode: 'draw', class: 7, seed: 1, count: 1, to: 2, path: 'spherical', way: 'vae', fail: false });
export const COUNTS = [1, 4, 16];
/** What a link carries in each mode. @type {Record<Comparing['mode'], (keyof Comparing)[]>} */
const CARRIED = {
  draw: ['class', 'seed', 'count'],
  walk: ['mode', 'class', 'seed', 'to', 'path'],
  pad: ['mode', 'class'],
  learn: ['mode', 'way', 'seed', 'fail'],
};
const MODES = /** @type {Comparing['mode'][]} */ (Object.keys(CARRIED));

export const KEYS = Object.keys(DEFAULTS);

/** @param {URLSearchParams} query @returns {Comparing} */
export function readComparing(query) {
  const seed = (/** @type {'seed' | 'to'} */ key) => {
    const text = query.get(key) ?? '';
    return /^\d{1,9}$/.test(text) && Number(text) <= RANGES.seed[1] ? Number(text) : DEFAULTS[key];
  };
  const kind = query.get('class') ?? '';
  return {
    mode: MODES.find((mode) => mode === query.get('mode')) ?? DEFAULTS.mode,
    class: /^\d{1,6}$/.test(kind) ? Number(kind) : DEFAULTS.class,
    seed: seed('seed'),
    count: COUNTS.find((count) => String(count) === query.get('count')) ?? DEFAULTS.count,
    to: seed('to'),
    path: query.get('path') === 'straight' ? 'straight' : DEFAULTS.path,
    way: WAYS.find((way) => way === query.get('way')) ?? DEFAULTS.way,
    fail: query.get('fail') === '1',
  };
}

/** @param {URLSearchParams} query @param {Comparing} comparing */
export function writeComparing(query, comparing) {
  for (const key of CARRIED[comparing.mode]) {
    if (key !== 'fail') query.set(key, String(comparing[key]));
    else if (comparing.fail) query.set(key, '1');
  }
}
