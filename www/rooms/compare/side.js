// @ts-check
// The five ways side by side, and what was measured of them.
import { COUNTS } from '../../session/comparing.js';
import { RANGES } from '../../session/sampling.js';
import { h } from '../../ui/h.js';
import { chipField, chips } from '../shared/chips.js';
import { Card } from './card.js';
import { measured } from './measured.js';
import { waysOf } from './ways.js';

/** @typedef {import('../../session/comparing.js').Comparing} Comparing */

export class SideMode {
  id = /** @type {const} */ ('draw');
  title = 'Side by side';
  lead = 'Five ways to make a picture of a digit that nobody has written. Watch how differently they go about it.';
  go = 'Draw';
  what = 'What to draw';
  typed = {};
  from = 'Seed';
  seeds = null;
  fields = chipField(
    'comparing-count',
    'Pictures each',
    chips(
      'comparing-count',
      COUNTS.map((count) => [String(count), String(count)]),
    ),
  );
  /** @type {Card[]} */ tasks;
  /** @type {string[]} */ classes;
  view;

  /** @param {import('../../session/shelf.js').Shelf} shelf @param {(changed: Partial<Comparing>) => void} change */
  constructor(shelf, change) {
    const ways = waysOf(shelf);
    this.tasks = ways.map((way) => new Card(way, shelf));
    this.classes = ways[0]?.classes ?? [];
    const note = 'Multiply-adds are those of one picture; with tokens, of the prior alone, to which the decoder adds little.';
    this.view = h(
      'div',
      { class: 'ways-view' },
      h('div', { class: 'ways' }, ...this.tasks.map(({ element }) => element)),
      h(
        'p',
        { class: 'note' },
        `${note} The time is that on this device, without the download; of several pictures, which are drawn together, it is the time of all divided by their number.`,
      ),
    );
    const table = measured(ways);
    if (table) this.view.append(table);
    this.fields.addEventListener('change', (event) => change({ count: Number(/** @type {HTMLInputElement} */ (event.target).value) }));
  }

  /** @param {Comparing} asked */
  fill({ count }) {
    for (const input of this.fields.querySelectorAll('input')) input.checked = input.value === String(count);
  }

  /** @param {Comparing} asked */
  again({ seed, count }) {
    return { seed: seed + count > RANGES.seed[1] ? RANGES.seed[0] : seed + count };
  }
}
