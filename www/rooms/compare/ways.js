// @ts-check
// Five ways to make a picture: what draws it in each, and what there is to say about it.
import { options } from '../../session/priors.js';
import { DEFAULTS, UNGUIDED } from '../../session/sampling.js';

/** @typedef {import('../../session/shelf.js').Shelf} Shelf */
/** @typedef {import('../../session/shelf.js').Generator} Generator */
/** @typedef {import('../../session/comparing.js').Comparing} Comparing */
/** @typedef {import('../../engine/client.js').EngineClient} Client */
/** @typedef {import('../../engine/protocol.js').SamplePart | import('../../engine/protocol.js').GeneratePart} Part */
/** @typedef {{pictures: import('../../engine/protocol.js').Generated[], seconds: number}} Result */
/** @typedef {{steps?: number, guidance?: number, temperature?: number}} Settings */
/** @typedef {{latent: number, steps: number, tokens: number}} Sizes the random numbers, steps and tokens of a picture; 0 if it has none */
/**
 * @typedef {object} Words
 * @property {string} how it draws, in a few words
 * @property {string} trained how it is trained, in a sentence
 * @property {string} weak what it is bad at, in a sentence
 * @property {[text: string, paper: string][]} papers on arXiv
 *
 * @typedef {object} Source what draws in this way
 * @property {number} bytes to download
 * @property {number | null} work multiply-adds for a picture, in billions; null if unknown
 * @property {string[]} classes
 * @property {Sizes} sizes
 * @property {Record<string, unknown>} quality as measured
 * @property {Settings} settings that were measured with
 * @property {[name: string, file: string][]} cards
 * @property {import('../shared/pictures.js').Grid} grid of tokens, or of one cell
 * @property {(client: Client, asked: Comparing, hear: (part: Part) => void) => Promise<Result>} draw
 *
 * @typedef {Words & Source & {id: string, title: string}} Way
 */

/** One cell, for pictures that are not made of tokens. */
export const WHOLE = { rows: 1, columns: 1 };

/** @param {unknown} value */
const number = (value) => (typeof value === 'number' ? value : null);

/** How a generator draws. @param {Generator} generator */
export const usual = ({ entry: { kind, sampling } }) => ({ ...(kind === 'diffusion' && { steps: 20, guidance: 2 }), ...sampling });

/** @param {Shelf} shelf @param {string} name @returns {Generator | undefined} */
export const generatorOf = (shelf, name) => shelf.generators.find(({ entry }) => entry.name === name);

/** A way that needs one file. @param {Shelf} shelf @param {string} name @returns {Source | null} */
function byGenerator(shelf, name) {
  const found = generatorOf(shelf, name);
  if (!found) return null;
  const { entry, source } = found;
  /** @type {{latent?: number}} */ const { latent = 0 } = entry.config;
  const settings = usual(found);
  const pass = number(entry.quality.gmac_pass);
  const passes = (settings.steps ?? 1) * ((settings.guidance ?? UNGUIDED) === UNGUIDED ? 1 : 2);
  return {
    bytes: entry.bytes,
    work: pass && pass * passes,
    classes: entry.classes ?? [],
    sizes: { latent, steps: settings.steps ?? 1, tokens: 0 },
    quality: entry.quality,
    settings: entry.sampling ?? {},
    cards: [[name, entry.card]],
    grid: WHOLE,
    draw: (client, { class: kind, seed, count }, hear) => client.generate(source, { ...settings, class: kind, seed, count }, hear),
  };
}

/** A prior, and a model that decodes its tokens. @param {Shelf} shelf @param {string} name @param {string} decoder */
export function pairOf(shelf, name, decoder) {
  const prior = shelf.priors.find(({ entry }) => entry.name === name);
  const model = shelf.entries.find((entry) => entry.name === decoder && entry.codebook === prior?.codebook);
  return prior && model ? { prior, model, tokenizer: shelf.source(decoder) } : null;
}

/** A way that needs both. @param {Shelf} shelf @param {string} name @param {string} decoder @returns {Source | null} */
function byPrior(shelf, name, decoder) {
  const pair = pairOf(shelf, name, decoder);
  if (!pair) return null;
  const { prior, model, tokenizer } = pair;
  const { entry } = prior;
  const tokens = entry.config.rows * entry.config.columns;
  const pass = number(entry.quality?.gmac_pass);
  const settings = { ...DEFAULTS, ...entry.sampling };
  // Guided, it predicts with the class and without. Row by row it keeps what it has computed, so that all steps are one pass.
  const passes = (settings.guidance === UNGUIDED ? 1 : 2) * (prior.masked ? settings.steps : 1);
  return {
    bytes: (entry.bytes ?? 0) + model.bytes,
    work: pass && pass * passes,
    classes: prior.classes,
    sizes: { latent: 0, steps: prior.masked ? settings.steps : tokens, tokens },
    quality: entry.quality ?? {},
    // Row by row there is a step for each token, whatever was asked for.
    settings: { ...entry.sampling, ...(!prior.masked && { steps: tokens }) },
    cards: [
      [name, entry.card ?? ''],
      [decoder, model.card],
    ],
    grid: entry.config,
    draw: (client, { class: kind, seed, count }, hear) => {
      const asked = { ...settings, class: kind, seed, count };
      // In the lane of this room, so that it does not end what the room Sample draws.
      return client.sample(prior.source, tokenizer, options(asked, prior), hear, 'generate');
    },
  };
}

/** @param {Sizes} sizes @returns {Words} */
const VAE = ({ latent }) => ({
  how: `All at once, out of ${latent} random numbers.`,
  trained: `One network packs each digit into ${latent} numbers, another one rebuilds it from them, and the numbers learn to look like random ones.`,
  weak: 'It is soft: where several strokes would do, it draws their average.',
  papers: [['Kingma & Welling 2013', '1312.6114']],
});
/** @param {Sizes} sizes @returns {Words} */
const GAN = ({ latent }) => ({
  how: `All at once, out of ${latent} random numbers.`,
  trained: 'Two networks compete: one makes digits, and the other, the discriminator, learns to tell them from real ones.',
  weak: 'The contest is hard to keep in balance, and some of its strokes are sharp but belong to no digit.',
  papers: [
    ['Goodfellow et al. 2014', '1406.2661'],
    ['Miyato & Koyama 2018', '1802.05637'],
  ],
});
/** @param {Sizes} sizes @returns {Words} */
const VQVAE = ({ tokens }) => ({
  how: `${tokens} tokens, one after the other, row by row.`,
  trained:
    'A VQ-VAE learns to write each digit as tokens of a codebook and to read them back; then a prior, a transformer, learns which token comes next.',
  weak: 'It takes a step for each token, and cannot take back a token that was wrong.',
  papers: [['van den Oord et al. 2017', '1711.00937']],
});
/** @param {Sizes} sizes @returns {Words} */
const VQGAN = ({ tokens }) => ({
  how: `${tokens} tokens, a few at once, in several rounds.`,
  trained:
    'As a VQ-VAE, but its decoder also has to pass a discriminator; the prior learns to guess tokens that were masked, in any order (MaskGIT).',
  weak: 'Tokens of the same round do not know of each other, so in too few rounds the strokes do not meet.',
  papers: [
    ['Esser et al. 2020', '2012.09841'],
    ['Chang et al. 2022', '2202.04200'],
  ],
});
/** @param {Sizes} sizes @returns {Words} */
const DIFFUSION = ({ steps }) => ({
  how: `Out of noise, which is cleared in ${steps} steps.`,
  trained: 'Each digit is buried in more or less noise, and a network learns to say what is noise and what is digit.',
  weak: 'It takes its time: every step runs the whole network, and with guidance twice.',
  papers: [
    ['Ho et al. 2020', '2006.11239'],
    ['Ho & Salimans 2022', '2207.12598'],
  ],
});

/** Those whose weights are shipped. @param {Shelf} shelf @returns {Way[]} */
export function waysOf(shelf) {
  /** @type {[id: string, title: string, words: (sizes: Sizes) => Words, source: Source | null][]} */
  const all = [
    ['vae', 'VAE', VAE, byGenerator(shelf, 'digits-vae')],
    ['gan', 'GAN', GAN, byGenerator(shelf, 'digits-gan')],
    ['vqvae', 'VQ-VAE and prior', VQVAE, byPrior(shelf, 'digits-ar', 'digits')],
    ['vqgan', 'VQ-GAN and prior', VQGAN, byPrior(shelf, 'digits-maskgit', 'digits-vqgan')],
    ['diffusion', 'Diffusion', DIFFUSION, byGenerator(shelf, 'digits-diffusion')],
  ];
  return all.flatMap(([id, title, words, source]) => (source ? [{ id, title, ...words(source.sizes), ...source }] : []));
}
