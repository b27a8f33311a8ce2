// @ts-check
// What is chosen for a tuning, in the fields of its panel.

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** @typedef {import('./engine/protocol.js').TuneConfig} TuneConfig */

/**
 * Steps and crops as in the examples of docs/tuning.md: strokes and damage look alike everywhere, so that crops do as
 * well as whole pictures, and sooner.
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
      'The model sees the picture with noise on it and learns to rebuild it without. The more pictures it learns from, the better it restores others.',
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

/** @returns {TuneConfig} */
export function chosen() {
  const { damage } = PRESETS[$('tune-preset').value];
  return {
    parts: $('tune-parts').value,
    objective: $('tune-objective').value,
    ...(damage && { damage }),
    steps: Number($('tune-steps').value),
    learning_rate: Number($('tune-rate').value),
    crop: Number($('tune-crop').value),
  };
}

/** @param {TuneConfig} config of a tuning that goes on */
export function choose(config) {
  const same = (/** @type {string} */ key) => {
    const { damage, objective } = PRESETS[key];
    return objective === config.objective && JSON.stringify(damage) === JSON.stringify(config.damage);
  };
  $('tune-preset').value = Object.keys(PRESETS).find(same) ?? 'photo';
  preset();
  fill(config);
}

/** @param {number} side in pixels, which need not be one of those listed */
export function chooseCrops(side) {
  const select = $('tune-crop');
  if (![...select.options].some(({ value }) => value === String(side))) select.add(new Option(`${side} pixels`, String(side)));
  select.value = String(side);
}

/** Fills in what the chosen preset stands for. */
export function preset() {
  const chosen = PRESETS[$('tune-preset').value];
  $('tune-words').textContent = chosen.words;
  fill(chosen);
}

/** @param {TuneConfig} config */
function fill({ parts, objective, steps, learning_rate, crop }) {
  $('tune-parts').value = parts;
  $('tune-objective').value = objective;
  $('tune-steps').value = steps;
  $('tune-rate').value = learning_rate;
  chooseCrops(crop);
}
