// @ts-check
// A tuning's settings: the fields of its panel, and the presets that fill them in.
import { field, h, select } from '../../ui/h.js';

/** @typedef {import('../../engine/protocol.js').TuneConfig} TuneConfig */

/**
 * Steps and crops as in the examples of docs/tuning.md: strokes and damage look alike everywhere, so crops work as
 * well as whole pictures, and faster.
 * @type {Record<string, TuneConfig & {words: string}>}
 */
const PRESETS = {
  photo: {
    parts: 'decoder',
    objective: 'faithful',
    steps: 50,
    learning_rate: 1e-3,
    crop: 0,
    words: 'The decoder learns to rebuild this picture more closely from the same tokens.',
  },
  style: {
    parts: 'decoder',
    objective: 'lifelike',
    steps: 150,
    learning_rate: 1e-3,
    crop: 128,
    words: 'The decoder learns this picture’s strokes; other pictures’ tokens then decode in its style.',
  },
  noise: {
    parts: 'all',
    objective: 'faithful',
    damage: { noise: 50 },
    steps: 200,
    learning_rate: 5e-4,
    crop: 128,
    words:
      'The model sees the picture with added noise and learns to rebuild it without. The more pictures it learns from, the better it restores others.',
  },
  jpeg: {
    parts: 'all',
    objective: 'faithful',
    damage: { jpeg: 2 },
    steps: 300,
    learning_rate: 5e-4,
    crop: 64,
    words:
      'The model sees the picture as a strongly compressed JPEG and learns to rebuild it without the blocks. The more pictures it learns from, the better it restores others.',
  },
};

/** @param {string} id @param {Record<string, string | number>} attributes */
const number = (id, attributes) => h('input', { id, type: 'number', required: true, ...attributes });

export class Choices {
  #preset = select('tune-preset', [
    ['photo', 'Photo'],
    ['style', 'Style'],
    ['noise', 'Remove noise'],
    ['jpeg', 'Repair JPEG'],
  ]);
  #parts = select('tune-parts', [
    ['decoder', 'Decoder'],
    ['codebook', 'Codebook'],
    ['all', 'Whole model'],
  ]);
  #objective = select('tune-objective', [
    ['faithful', 'Faithful'],
    ['lifelike', 'Lifelike'],
  ]);
  #words = h('p', { id: 'tune-words', class: 'note' });
  #steps = number('tune-steps', { min: 1, max: 100000, step: 1 });
  #rate = number('tune-rate', { min: '1e-8', step: 'any' });
  #crop = select('tune-crop', [
    ['0', 'As large as possible'],
    ['256', '256 pixels'],
    ['128', '128 pixels'],
    ['64', '64 pixels'],
  ]);
  element;

  constructor() {
    const more = h('div', {}, field('Steps', this.#steps), field('Learning rate', this.#rate), field('Crop size', this.#crop));
    this.element = h(
      'div',
      { class: 'tune-fields' },
      field('Goal', this.#preset, 'field-wide'),
      field('Trained parts', this.#parts),
      field('Objective', this.#objective),
      this.#words,
      h('details', { class: 'tune-more' }, h('summary', {}, 'More'), more),
    );
    this.#preset.addEventListener('change', () => this.#presetChosen());
    this.#presetChosen();
  }

  /** The preset's name. */
  get preset() {
    return this.#preset.value;
  }

  /** @returns {TuneConfig} */
  get config() {
    const { damage } = PRESETS[this.#preset.value];
    return {
      parts: /** @type {TuneConfig['parts']} */ (this.#parts.value),
      objective: /** @type {TuneConfig['objective']} */ (this.#objective.value),
      ...(damage && { damage }),
      steps: Number(this.#steps.value),
      learning_rate: Number(this.#rate.value),
      crop: Number(this.#crop.value),
    };
  }

  /** @param {TuneConfig} config of a resumed tuning */
  set config(config) {
    const same = (/** @type {string} */ key) => {
      const { damage, objective } = PRESETS[key];
      return objective === config.objective && JSON.stringify(damage) === JSON.stringify(config.damage);
    };
    this.#preset.value = Object.keys(PRESETS).find(same) ?? 'photo';
    this.#presetChosen();
    this.#fill(config);
  }

  /** @param {number} rate */
  set rate(rate) {
    this.#rate.value = String(rate);
  }

  /** @param {number} side in pixels, which need not be one of those listed */
  set crop(side) {
    if (![...this.#crop.options].some(({ value }) => value === String(side))) this.#crop.add(new Option(`${side} pixels`, String(side)));
    this.#crop.value = String(side);
  }

  /** @param {boolean} has whether the model has a codebook to learn */
  set codebook(has) {
    for (const option of this.#parts.options) if (option.value === 'codebook') option.disabled = !has;
  }

  /** Fills in what the chosen preset stands for. */
  #presetChosen() {
    const chosen = PRESETS[this.#preset.value];
    this.#words.textContent = chosen.words;
    this.#fill(chosen);
  }

  /** @param {TuneConfig} config */
  #fill({ parts, objective, steps, learning_rate, crop }) {
    this.#parts.value = parts;
    this.#objective.value = objective;
    this.#steps.value = String(steps);
    this.rate = learning_rate;
    this.crop = crop;
  }
}
