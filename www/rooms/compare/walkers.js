// @ts-check
// What walks from one picture to another: a generator through the numbers in between, a VQ-VAE through its latents.
import { options } from '../../session/priors.js';
import { DEFAULTS } from '../../session/sampling.js';
import { generatorOf, pairOf, usual } from './ways.js';

/** Pictures on the way, the two at its ends among them. */
export const STOPS = 9;

/** @typedef {import('../../session/shelf.js').Shelf} Shelf */
/** @typedef {import('../../session/comparing.js').Comparing} Comparing */
/** @typedef {import('../../engine/client.js').EngineClient} Client */
/**
 * @callback Walker
 * @param {Client} client @param {Comparing} asked @param {(part: import('./ways.js').Part) => void} hear
 * @returns {Promise<{pixels: import('../../engine/protocol.js').Pixels}[]>} as many pictures as there are stops
 */

/** @param {Shelf} shelf @param {string} name of a generator @returns {Walker | null} */
export function byNoise(shelf, name) {
  const generator = generatorOf(shelf, name);
  if (!generator) return null;
  return async (client, { class: kind, seed, to, path }, hear) => {
    const settings = { ...usual(generator), class: kind, seed, count: STOPS, walk: { to, route: path } };
    return (await client.generate(generator.source, settings, hear)).pictures;
  };
}

/** @param {Shelf} shelf @param {string} name of a prior @param {string} decoder @returns {Walker | null} */
export function byLatents(shelf, name, decoder) {
  const pair = pairOf(shelf, name, decoder);
  if (!pair) return null;
  const { prior, tokenizer } = pair;
  return async (client, { class: kind, seed: from, to }, hear) => {
    const end = async (/** @type {number} */ seed) => {
      const asked = { ...DEFAULTS, ...prior.entry.sampling, class: kind, seed, count: 1 };
      // Its previews are not on the way yet.
      const quiet = (/** @type {import('./ways.js').Part} */ part) => hear({ ...part, pictures: [] });
      const { pictures } = await client.sample(prior.source, tokenizer, options(asked, prior), quiet, 'generate');
      return pictures[0].pixels;
    };
    const [first, second] = [await end(from), await end(to)];
    return (await client.between(tokenizer, first, second, STOPS)).pictures;
  };
}
