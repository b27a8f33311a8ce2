// @ts-check
// How each of the five ways is trained in front of the visitor, from random weights, on small pictures: its settings, what
// is shown of it, and how it is made to fail.

/** @typedef {import('../../session/comparing.js').Comparing['way']} Id */
/** @typedef {import('../../engine/protocol.js').PictureOptions} PictureOptions */
/**
 * @typedef {object} Curve
 * @property {string} id of the number, as a step or a look has it
 * @property {string} title in plain words
 * @property {string} term the exact one
 * @property {boolean} [counted] whether it is no loss
 *
 * @typedef {object} Failure
 * @property {string} wrong what is done wrong
 * @property {string} look what to look for
 * @property {object} config
 *
 * @typedef {object} Training
 * @property {Id} id
 * @property {string} title
 * @property {string} what happens, in a sentence or two
 * @property {string} end what there is to see when it has ended
 * @property {object} config
 * @property {number} batch
 * @property {number} steps
 * @property {PictureOptions | null} draws how it draws; null where it rebuilds pictures instead
 * @property {Curve[]} curves
 * @property {Failure | null} failure
 */

/** Of the training digits, in pixels. */
export const SIDE = 28;
export const DIGITS = 2000;

const CLASSES = 10;
const NETWORK = { channels: 1, side: SIDE, classes: CLASSES, width: 12 };

const vae = {
  model: { kind: 'vae', ...NETWORK, hidden: 96, latent: 8 },
  optimizer: { learning_rate: 0.002, warmup: 20, beta_2: 0.99, average: 0.99, clip: 10 },
  label_drop: 0,
  shift: 0,
};

/** @param {number} rate @param {number} width @param {number} opponent the learning rate of its discriminator */
const gan = (rate, width, opponent) => ({
  model: { kind: 'gan', ...NETWORK, latent: 16 },
  optimizer: { learning_rate: rate, warmup: 20, beta_1: 0, beta_2: 0.9, average: 0.98 },
  label_drop: 0,
  discriminator: { width, optimizer: { learning_rate: opponent, warmup: 20, beta_1: 0, beta_2: 0.9 } },
});

const TOKENS = {
  model: { kind: 'vqvae', hidden: 32, residual_hidden: 16, residual_layers: 1, downsamplings: 2, embed_dim: 16, n_embed: 64 },
  data: { crop: SIDE, mirror: false, colour: false },
};
const CARE = { quantize_after: 30, restart_every: 20 };
const vqvae = {
  ...TOKENS,
  optimizer: { learning_rate: 0.003, warmup: 20, beta_2: 0.99, average: 0.98 },
};
const vqgan = {
  ...TOKENS,
  optimizer: { learning_rate: 0.002, warmup: 20, beta_1: 0.5, beta_2: 0.9, average: 0.98 },
  codebook: CARE,
  loss: { pixel: 'absolute' },
  adversary: {
    discriminator: { ndf: 16, n_layers: 2 },
    optimizer: { learning_rate: 0.001, warmup: 20, beta_1: 0.5, beta_2: 0.9 },
    start: 150,
    weight: 0.3,
    feature_matching: 1,
  },
};

const diffusion = {
  model: {
    kind: 'diffusion',
    ...NETWORK,
    multipliers: [1, 2, 2],
    blocks: 1,
    attention: false,
    groups: 4,
    target: 'velocity',
    path: 'cosine',
  },
  optimizer: { learning_rate: 0.004, warmup: 20, beta_2: 0.99, average: 0.99, clip: 1 },
  label_drop: 0.15,
};

/** @type {Curve[]} */
const CONTEST = [
  { id: 'generator', title: 'How easily the generator is caught', term: 'generator loss' },
  { id: 'discriminator', title: 'How wrong the discriminator is', term: 'discriminator loss' },
];
/** @type {Curve[]} */
const CODES = [
  { id: 'mse', title: 'How far the copies are off', term: 'mean squared error' },
  { id: 'used', title: 'Codes that it uses, of 64', term: 'codebook usage', counted: true },
  { id: 'perplexity', title: 'Codes that it uses much', term: 'perplexity', counted: true },
];

/** @type {Training[]} */
export const TRAININGS = [
  {
    id: 'vae',
    title: 'VAE',
    what: 'It packs each digit into 8 numbers and rebuilds it from them. New digits are drawn out of 8 random numbers.',
    end: 'By now its digits are usually legible and soft: where strokes could be in several places, it draws their average.',
    config: vae,
    batch: 32,
    steps: 4000,
    draws: {},
    curves: [
      { id: 'reconstruction', title: 'How far the copies are off', term: 'reconstruction' },
      { id: 'divergence', title: 'How much the 8 numbers say', term: 'divergence, in nats' },
    ],
    failure: {
      wrong: 'Saying anything in the 8 numbers costs 30 times as much as it should, so it learns to leave them empty (posterior collapse).',
      look: 'The divergence falls to nothing, and both pictures of a digit become the same soft average of all digits of that kind.',
      config: { ...vae, beta: 30 },
    },
  },
  {
    id: 'gan',
    title: 'GAN',
    what: 'A generator draws digits out of 16 random numbers, and a discriminator learns to tell them from real ones. Each learns from the mistakes of the other.',
    end: 'By now its strokes are usually sharp, though some belong to no digit. As a rule neither network has won, and so both have gone on learning.',
    config: gan(0.001, 16, 0.002),
    batch: 32,
    steps: 1200,
    draws: {},
    curves: CONTEST,
    failure: {
      wrong:
        'The discriminator is larger and learns fifty times as fast as the generator, so it is hardly ever fooled, and being caught whatever it does teaches the generator little.',
      look: 'The loss of the discriminator falls towards zero, and the generator gets no further than blobs and scraps of strokes.',
      config: gan(0.0002, 32, 0.01),
    },
  },
  {
    id: 'vqvae',
    title: 'VQ-VAE',
    what: 'It writes each digit as 7 × 7 tokens out of a codebook of 64, and learns to read them back. It draws nothing by itself: that takes a prior, trained afterwards.',
    end: 'By now it usually rebuilds digits well from 49 tokens. A prior could now learn to write such tokens, and so to draw new digits.',
    config: { ...vqvae, codebook: CARE },
    batch: 16,
    steps: 3000,
    draws: null,
    curves: CODES,
    failure: {
      wrong:
        'Nothing holds the encoder to its codebook (the commitment loss is left out), and codes that fall out of use are never put back (codebook collapse).',
      look: 'Within seconds usually only 1 to 4 of the 64 codes are left, and copies made of so few codes are no more than smudges.',
      config: {
        ...vqvae,
        codebook: { update: 'gradient', quantize_after: 0, kmeans_batches: 1, restart_every: 4_000_000_000 },
        loss: { beta: 0 },
      },
    },
  },
  {
    id: 'vqgan',
    title: 'VQ-GAN',
    what: 'It is a VQ-VAE at first. After 150 steps a discriminator joins, which learns to tell its copies from the originals, and it has to fool that as well.',
    end: 'By now its copies usually have clear strokes, made of 49 tokens. The discriminator mostly still tells them from the originals, which are sharper.',
    config: vqgan,
    batch: 16,
    steps: 1200,
    draws: null,
    curves: [CODES[0], CODES[1], ...CONTEST],
    failure: null,
  },
  {
    id: 'diffusion',
    title: 'Diffusion',
    what: 'Each digit is buried in more or less noise, and one network learns to clear it. New digits come out of nothing but noise, here in 10 steps.',
    end: 'By now many of its digits are usually clear. It is the slowest of the five, and longer training would make it better.',
    config: diffusion,
    batch: 32,
    steps: 800,
    draws: { steps: 10, guidance: 2 },
    curves: [{ id: 'denoising', title: 'How much noise it leaves', term: 'denoising loss' }],
    failure: null,
  },
];

/** What the worker is asked for. @param {Training} training @param {boolean} fail @param {number} seed */
export function lessonOf({ config, failure, batch, steps, draws }, fail, seed) {
  const own = fail && failure ? failure.config : config;
  return { config: { ...own, batch, steps, seed }, steps, side: SIDE, draws };
}
