// @ts-check
// What is chosen for a tuning, in the fields of its panel.

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** @typedef {import('./engine/protocol.js').TuneConfig} TuneConfig */

/** @type {Record<string, Pick<TuneConfig, 'parts' | 'objective' | 'damage'> & {words: string}>} */
const PRESETS = {
  photo: { parts: 'decoder', objective: 'faithful', words: 'The decoder learns to rebuild this picture more closely from the same tokens.' },
  style: { parts: 'decoder', objective: 'lifelike', words: 'The decoder learns this picture’s strokes; other pictures’ tokens then decode in its style.' },
  noise: { parts: 'all', objective: 'faithful', damage: { noise: 25 }, words: 'The model sees the picture with noise on it and learns to rebuild it without.' },
  jpeg: { parts: 'all', objective: 'faithful', damage: { jpeg: 3 }, words: 'The model sees the picture as a strongly compressed JPEG and learns to rebuild it without the blocks.' },
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
export function choose({ parts, objective, damage, steps, learning_rate, crop }) {
  const same = (/** @type {string} */ key) => JSON.stringify(PRESETS[key].damage) === JSON.stringify(damage) && PRESETS[key].objective === objective;
  $('tune-preset').value = Object.keys(PRESETS).find(same) ?? 'photo';
  preset();
  $('tune-parts').value = parts;
  $('tune-objective').value = objective;
  $('tune-steps').value = steps;
  $('tune-rate').value = learning_rate;
  chooseCrops(crop);
}

/** @param {number} side in pixels, which need not be one of those listed */
export function chooseCrops(side) {
  const select = $('tune-crop');
  if (![...select.options].some(({ value }) => value === String(side))) select.add(new Option(`${side} pixels`, String(side)));
  select.value = String(side);
}

/** Fills in what the chosen preset stands for. */
export function preset() {
  const { parts, objective, words } = PRESETS[$('tune-preset').value];
  $('tune-parts').value = parts;
  $('tune-objective').value = objective;
  $('tune-words').textContent = words;
}
