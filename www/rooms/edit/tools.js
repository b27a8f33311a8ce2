// @ts-check
// The tools that a prior draws for: Fill marks the tokens, Extend adds some around the picture, Vary takes a share.
import { Dial } from '../../ui/dial.js';
import { button, field, h } from '../../ui/h.js';
import { chipField, chips, chosenIn } from '../shared/chips.js';

/** @typedef {import('./desk.js').Desk} Desk */
/** @typedef {import('./drawing.js').Way} Way */
/**
 * @typedef {object} Tool
 * @property {HTMLElement} element its controls
 * @property {Way} [way] what a prior draws for it
 * @property {() => void} show it is chosen, or the picture is another
 * @property {() => void} leave another tool is chosen
 * @property {(cells: number[]) => void} [stroke]
 * @property {() => void} [end]
 * @property {(cell: number) => void} [pick]
 */

/** The colour of what is marked: gold, a little checkered, so that it shows on gold too. */
const MARK = [237, 194, 90];
const MARKED = [205, 165];
/** The most rows or columns that are added on a side at once. */
const MOST = 32;
/** The largest brush for a small picture. */
const SMALL = 7;
/** @type {(keyof import('../../engine/protocol.js').Margins)[]} */
const SIDES = ['top', 'right', 'bottom', 'left'];

/** A slider for a brush's size. @param {string} id @param {(size: number) => void} change */
export function brushDial(id, change) {
  const words = (/** @type {number} */ size) => (size === 1 ? '1 token' : `${size} tokens`);
  return new Dial(`${id}-size`, 'Brush', 'size', '', { least: 1, most: SMALL, step: 1, words }, change);
}

/** The largest brush for a picture. @param {import('./state.js').State | null} state */
export const largest = (state) => ({ most: Math.max(SMALL, (state?.size.columns ?? 0) >> 2) });

/** @implements {Tool} */
export class Fill {
  #desk;
  #size = 3;
  #ways = chipField(
    'fill-ways',
    'Mark what to draw anew',
    chips('fill-way', [
      ['brush', 'Brush'],
      ['rectangle', 'Rectangle'],
      ['eraser', 'Eraser'],
    ]),
  );
  #brush = brushDial('fill', (size) => ((this.#size = size), this.#hand()));
  #count = h('p', { id: 'fill-count', class: 'note', role: 'status' });
  element = h(
    'div',
    { class: 'edit-tool' },
    this.#ways,
    this.#brush.element,
    h(
      'div',
      { class: 'edit-row' },
      this.#count,
      button('All', () => this.#all(1), { id: 'fill-all', class: 'button quiet' }),
      button('None', () => this.#all(0), { id: 'fill-none', class: 'button quiet' }),
    ),
  );
  #mask = new Uint8Array(0);
  #columns = 0;
  /** @type {Way} */
  way = {
    label: 'Fill',
    change: () =>
      this.#mask.some(Boolean) ? { kind: 'fill', mask: this.#mask.slice() } : 'Mark the part to fill first: brush over it in the picture.',
    done: () => this.#all(0),
  };

  /** @param {Desk} desk */
  constructor(desk) {
    this.#desk = desk;
    /** @type {HTMLInputElement} */ (this.#ways.querySelector('input')).checked = true;
    this.#ways.addEventListener('change', () => this.#hand());
  }

  show() {
    const { columns = 0, rows = 0 } = this.#desk.state?.size ?? {};
    // Marks stay for another picture of the same shape.
    if (columns !== this.#columns || rows * columns !== this.#mask.length) this.#mask = new Uint8Array(rows * columns);
    this.#columns = columns;
    this.#brush.show(this.#size, largest(this.#desk.state));
    this.#hand();
    this.#draw();
  }

  leave() {
    this.#desk.board.mark(null);
  }

  /** @param {number[]} cells */
  stroke(cells) {
    const mark = chosenIn(this.#ways) === 'eraser' ? 0 : 1;
    for (const cell of cells) this.#mask[cell] = mark;
    this.#draw();
  }

  /** @param {number} mark */
  #all(mark) {
    this.#mask.fill(mark);
    this.#draw();
  }

  #hand() {
    const way = chosenIn(this.#ways);
    this.#brush.element.hidden = way === 'rectangle';
    this.#desk.board.hand(way === 'rectangle' ? 'rectangle' : 'brush', this.#size);
  }

  #draw() {
    const count = this.#mask.reduce((sum, mark) => sum + mark, 0);
    this.#count.textContent = count ? `${count} of ${this.#mask.length} tokens are marked.` : 'Nothing is marked yet.';
    if (!count) return this.#desk.board.mark(null);
    const rgba = new Uint8ClampedArray(4 * this.#mask.length);
    this.#mask.forEach((mark, i) => {
      const odd = (Math.floor(i / this.#columns) + (i % this.#columns)) % 2;
      if (mark) rgba.set([...MARK, MARKED[odd]], 4 * i);
    });
    this.#desk.board.mark(rgba);
  }
}

/** @implements {Tool} */
export class Extend {
  #desk;
  #inputs = SIDES.map((side) =>
    h('input', { id: `extend-${side}`, type: 'number', min: 0, max: MOST, step: 1, value: side === 'right' ? 4 : 0, autocomplete: 'off' }),
  );
  element = h(
    'div',
    { class: 'edit-tool' },
    h('p', { class: 'note' }, 'How many rows or columns of tokens to add on each side.'),
    h('div', { class: 'edit-sides' }, ...this.#inputs.map((input, i) => field(SIDES[i][0].toUpperCase() + SIDES[i].slice(1), input))),
  );
  /** @type {Way} */
  way = {
    label: 'Extend',
    change: () => {
      const margins = this.#margins;
      return SIDES.some((side) => margins[side]) ? { kind: 'extend', margins } : 'Say how many rows or columns to add first.';
    },
    done: () => (this.#room = false),
  };
  /** Whether the room that would be added is seen: not around what has just been extended. */ #room = true;

  /** @param {Desk} desk */
  constructor(desk) {
    this.#desk = desk;
    this.element.addEventListener('input', () => {
      this.#room = true;
      this.show();
    });
  }

  show() {
    this.#desk.board.hand(null);
    this.#desk.board.surround(this.#room ? this.#margins : null);
  }

  leave() {
    this.#room = true;
    this.#desk.board.surround(null);
  }

  /** @returns {import('../../engine/protocol.js').Margins} */
  get #margins() {
    const [top, right, bottom, left] = this.#inputs.map(({ value }) => Math.min(MOST, Math.max(0, Math.floor(Number(value)) || 0)));
    return { top, right, bottom, left };
  }
}

/** @implements {Tool} */
export class Vary {
  #desk;
  #share = 30;
  #dial = new Dial(
    'vary-share',
    'How much changes',
    'share of the tokens',
    'A part of the tokens, spread over the picture, is drawn anew.',
    { least: 5, most: 100, step: 5, words: (value) => `${value} %` },
    (share) => (this.#share = share),
  );
  element = h('div', { class: 'edit-tool' }, this.#dial.element);
  /** @type {Way} */
  way = { label: 'Vary', change: (seed) => ({ kind: 'vary', share: this.#share / 100, seed }), done: () => {} };

  /** @param {Desk} desk */
  constructor(desk) {
    this.#desk = desk;
    this.#dial.show(this.#share);
  }

  show() {
    this.#desk.board.hand(null);
  }

  leave() {}
}
