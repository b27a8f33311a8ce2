// @ts-check
// What was measured of many pictures of each way: a table of those whose entry in the list of models has the numbers.
import { h } from '../../ui/h.js';

/** @typedef {import('./ways.js').Way} Way */
/** @typedef {'class_right' | 'frechet' | 'precision' | 'recall' | 'nearest'} Column */
/** @typedef {{name: string, settings: string, values: Map<Column, number>}} Row */

/** @type {[column: Column, title: string, note: string, words: (value: number) => string][]} */
const COLUMNS = [
  ['class_right', 'Class right', 'more is better', (value) => `${(100 * value).toFixed(1)} %`],
  ['frechet', 'Fréchet distance', 'less is better', (value) => value.toFixed(1)],
  ['precision', 'Precision', 'more is better', (value) => value.toFixed(2)],
  ['recall', 'Recall', 'more is better', (value) => value.toFixed(2)],
  ['nearest', 'To the nearest training digit', 'far below the last row: copies', (value) => value.toFixed(2)],
];
/** The same numbers, of digits that were kept from training. */
const FLOOR = '_held_out';
const WHAT =
  'A thousand digits of each model, against a thousand of its training digits, by the features of a classifier trained on real digits.';

/** @param {Record<string, unknown>} quality @param {string} [end] of the numbers' names @returns {Row['values']} */
function values(quality, end = '') {
  return new Map(
    COLUMNS.flatMap(([column]) => {
      const value = quality[column + end];
      return typeof value === 'number' ? [/** @type {[Column, number]} */ ([column, value])] : [];
    }),
  );
}

/** Settings that change something. @param {import('./ways.js').Settings} settings */
function words({ steps = 1, guidance = 1, temperature = 1 }) {
  const all = [
    steps !== 1 ? `${steps} steps` : '',
    guidance !== 1 ? `guidance ${guidance}` : '',
    temperature !== 1 ? `temperature ${temperature}` : '',
  ];
  return all.filter(Boolean).join(', ');
}

/** @param {Way[]} ways @returns {HTMLElement | null} */
export function measured(ways) {
  const rows = ways
    .map(({ title, quality, settings }) => ({ name: title, settings: words(settings), values: values(quality) }))
    .filter((row) => row.values.size);
  if (!rows.length) return null;
  const floor = ways.map(({ quality }) => values(quality, FLOOR)).find(({ size }) => size);
  const all = [...rows, ...(floor ? [{ name: 'Digits that people wrote', settings: '', values: floor }] : [])];
  const columns = COLUMNS.filter(([column]) => all.some((row) => row.values.has(column)));
  const head = columns.map(([, title, note]) => h('th', { scope: 'col' }, title, h('small', {}, note)));
  const table = h(
    'table',
    {},
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Way'), ...head)),
    h('tbody', {}, ...all.map((row) => line(row, columns))),
  );
  return h(
    'section',
    { class: 'measured' },
    h('h3', { id: 'measured-title' }, 'Measured'),
    h('p', { class: 'note' }, WHAT),
    // Wider than a phone, so that it is scrolled there.
    h('div', { class: 'measured-frame', tabindex: 0, role: 'region', 'aria-labelledby': 'measured-title' }, table),
  );
}

/** @param {Row} row @param {typeof COLUMNS} columns */
function line(row, columns) {
  const cells = columns.map(([column, , , say]) => {
    const value = row.values.get(column);
    return h('td', {}, value === undefined ? '–' : say(value));
  });
  return h('tr', {}, h('th', { scope: 'row' }, row.name, ...(row.settings ? [h('small', {}, row.settings)] : [])), ...cells);
}
