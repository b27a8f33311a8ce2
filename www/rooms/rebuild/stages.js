// @ts-check
// A model trained in two stages, as VQ-GANs are: encoder, codebook and a first decoder by reconstruction,
// then a second decoder against a discriminator. Both decode the same tokens; the page shows the two
// pictures side by side when it is asked to.
import { STAGES, megabytes } from '../../session/shelf.js';
import { decibels } from '../../ui/numbers.js';

/** @type {Record<import('../../session/shelf.js').Stage, string>} */
const TRAINED = {
  vqvae: 'trained on pixels: faithful, soft',
  vqgan: 'trained against a discriminator as well: sharper, invents texture',
};

/** @typedef {import('../../session/shelf.js').Pair} Pair */
/** @typedef {import('../../engine/protocol.js').TokenPart} TokenPart */
/** @typedef {import('../../engine/protocol.js').Quality} Quality */
/** @typedef {import('../../engine/protocol.js').Photo} Photo */

export class Stages {
  #panel;
  /** @type {Pair | null} its `own` made the current result */ #pair = null;
  /** @type {TokenPart | null} */ #tokens = null;
  /** @type {{photo: Photo | null, quality: Quality | null} | null} */ #result = null;

  /** @param {import('./panel.js').Panel} panel */
  constructor(panel) {
    this.#panel = panel;
  }

  /** A result is in progress. @param {import('../../engine/protocol.js').Part} part @param {Pair | null} pair */
  part({ tokens }, pair) {
    this.#pair = pair;
    this.#tokens = tokens ?? null;
    this.#result = null;
    if (!pair) return this.#panel.stages.begin(null, '');
    const { own, other } = pair;
    this.#panel.stages.begin(
      `${STAGES[own.stage]} stage`,
      `The ${STAGES[other.stage]} stage of this model, ${other.name}, decodes the same tokens. Its ${megabytes(other.bytes)} MB are downloaded when you ask.`,
    );
  }

  /** @param {import('../../engine/protocol.js').Result} result @param {Photo | null} photo */
  done({ quality }, photo) {
    this.#result = { quality, photo };
  }

  /**
   * What the other stage has yet to decode, if both are wanted.
   * @returns {Parameters<import('../../engine/client.js').EngineClient['decode']> | null}
   */
  get due() {
    if (this.#panel.stages.choice === 'one' || this.#panel.stages.filled || !this.#pair || !this.#tokens || !this.#result) return null;
    return [this.#pair.source, this.#tokens.file, this.#result.photo];
  }

  /** @param {import('../../engine/protocol.js').Decoded} decoded @returns {string} a sentence about it */
  show({ rebuilt, quality }) {
    const { own, other } = /** @type {Pair} */ (this.#pair);
    const pictures = [
      { entry: own, pixels: this.#panel.compare.rebuilt, quality: this.#result?.quality ?? null },
      { entry: other, pixels: rebuilt, quality },
    ].sort((a, b) => Object.keys(STAGES).indexOf(a.entry.stage) - Object.keys(STAGES).indexOf(b.entry.stage));
    const by = pictures.map(({ entry }) => `by the ${STAGES[entry.stage]} stage (${TRAINED[entry.stage]})`);
    const count = this.#tokens?.facts.count ?? 0;
    this.#panel.stages.show(
      pictures.map(({ entry, pixels, quality }) => ({
        id: entry.stage,
        title: `${STAGES[entry.stage]} stage`,
        label: `Rebuilt by the ${STAGES[entry.stage]} stage`,
        name: entry.name,
        pixels,
        quality,
      })),
      `The same ${count === 1 ? 'token' : `${count.toLocaleString('en')} tokens`}, decoded ${by.join(' and ')}.`,
    );
    const [first, second] = pictures.map((picture) => picture.quality && decibels(picture.quality.psnr));
    return first ? `Both stages: PSNR ${first} and ${second}.` : 'Rebuilt by both stages.';
  }
}
