// @ts-check
// The picture that is edited, with its tokens under a brush: for the mouse, a pen, a finger, or the arrow keys. It
// reports the cells that a stroke goes over, and draws what it is given.
import { h } from '../../ui/h.js';
import { draw } from '../shared/pictures.js';
import { between, disc, line } from './cells.js';

/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */
/** @typedef {import('./cells.js').Cell} Cell */
/** @typedef {{width: number, height: number, rows: number, columns: number, side: number}} Shape in pixels and tokens */
/** @typedef {'brush' | 'rectangle' | 'pick'} Mode what a stroke does */
/**
 * @typedef {object} Heard
 * @property {(cells: number[]) => void} stroke goes over these
 * @property {() => void} end of the stroke
 * @property {(cell: number) => void} pick
 * @property {(cell: number | null) => void} point the pointer or the arrow keys are at a cell, or have left
 */

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity] };
/** @type {Record<Mode, string>} */
const KEYS = {
  brush: 'Space brushes; hold Shift to brush along.',
  rectangle: 'Space sets one corner, then the other; Escape lets go.',
  pick: 'Space picks the code.',
};
/** Cells that are lit, and everything else meanwhile. */
const [LIT, VEIL] = [
  [237, 194, 90, 240],
  [0, 0, 0, 150],
];
const NOTHING = { top: 0, right: 0, bottom: 0, left: 0 };

export class Board {
  #picture = h('canvas', { class: 'board-picture' });
  #pending = h('canvas', { class: 'board-cells' });
  #marks = h('canvas', { class: 'board-cells' });
  #veil = h('canvas', { class: 'board-cells' });
  #cursor = h('div', { class: 'board-cursor', hidden: true });
  #box = h(
    'div',
    { class: 'board-box', id: 'edit-picture', tabindex: 0, role: 'application', 'aria-roledescription': 'picture of tokens' },
    this.#picture,
    this.#pending,
    this.#marks,
    this.#veil,
    this.#cursor,
  );
  element = h('div', { class: 'board-frame' }, this.#box);
  #heard;
  /** @type {Shape} */ #shape = { width: 1, height: 1, rows: 1, columns: 1, side: 1 };
  /** @type {import('../../engine/protocol.js').Margins} */ #margins = NOTHING;
  /** @type {Mode | null} */ #mode = null;
  #size = 1;
  /** @type {Cell} */ #at = { row: 0, column: 0 };
  /** Where the stroke is. @type {Cell | null} */ #last = null;
  /** One corner of a rectangle. @type {Cell | null} */ #corner = null;

  /** @param {Heard} heard */
  constructor(heard) {
    this.#heard = heard;
    const box = this.#box;
    box.addEventListener('pointerdown', (event) => this.#down(event));
    box.addEventListener('pointermove', (event) => this.#move(event));
    box.addEventListener('pointerup', (event) => this.#up(event, true));
    box.addEventListener('pointercancel', (event) => this.#up(event, false));
    box.addEventListener('pointerleave', () => !this.#last && document.activeElement !== box && this.#leave());
    box.addEventListener('keydown', (event) => this.#key(event));
    box.addEventListener('focus', () => box.matches(':focus-visible') && this.#point(this.#at));
    box.addEventListener('blur', () => this.#leave());
  }

  /** What a stroke does, if anything. @param {Mode | null} mode @param {number} [size] of the brush in tokens */
  hand(mode, size = 1) {
    this.#mode = mode;
    this.#size = mode === 'brush' ? size : 1;
    this.#corner = null;
    this.#box.dataset.mode = mode ?? '';
    this.#name();
    if (!this.#cursor.hidden) this.#frame();
  }

  /**
   * @param {Pixels} pixels @param {Shape} shape
   * @param {Int32Array | null} [tokens] those that are negative are faded
   */
  show(pixels, shape, tokens = null) {
    const { columns, rows } = this.#shape;
    this.#shape = shape;
    if (columns !== shape.columns || rows !== shape.rows) this.#at = { row: shape.rows >> 1, column: shape.columns >> 1 };
    draw(this.#picture, pixels, tokens, shape);
    this.#lay();
    this.#name();
  }

  /** Room around the picture. @param {import('../../engine/protocol.js').Margins | null} margins */
  surround(margins) {
    this.#margins = margins ?? NOTHING;
    this.#lay();
  }

  /** Marks cells. @param {Uint8ClampedArray<ArrayBuffer> | null} rgba a colour each */
  mark(rgba) {
    this.#overlay(this.#marks, rgba);
  }

  /** Colours of cells that are not decoded yet. @param {Uint8ClampedArray<ArrayBuffer> | null} rgba */
  pend(rgba) {
    this.#overlay(this.#pending, rgba);
  }

  /** Shows where some cells are. @param {((cell: number) => boolean) | null} lit */
  light(lit) {
    const { rows, columns } = this.#shape;
    if (!lit) return this.#overlay(this.#veil, null);
    const rgba = new Uint8ClampedArray(4 * rows * columns);
    for (let i = 0; i < rows * columns; i += 1) rgba.set(lit(i) ? LIT : VEIL, 4 * i);
    this.#overlay(this.#veil, rgba);
  }

  #name() {
    const { rows, columns } = this.#shape;
    const keys = this.#mode ? `Move with the arrow keys. ${KEYS[this.#mode]}` : 'Move with the arrow keys.';
    this.#box.setAttribute('aria-label', `The picture, ${columns} by ${rows} tokens. ${keys}`);
  }

  /** Where the picture is in its frame. */
  #lay() {
    const { width, height, rows, columns, side } = this.#shape;
    const { top, right, bottom, left } = this.#margins;
    const [across, down] = [width + (left + right) * side, height + (top + bottom) * side];
    this.element.style.setProperty('--ratio', String(across / down));
    this.element.toggleAttribute('data-surrounded', across > width || down > height);
    const percent = (/** @type {number} */ part, /** @type {number} */ whole) => `${(part / whole) * 100}%`;
    Object.assign(this.#box.style, {
      left: percent(left * side, across),
      top: percent(top * side, down),
      width: percent(width, across),
      height: percent(height, down),
    });
    // The last tokens may reach out of the picture.
    for (const canvas of [this.#pending, this.#marks, this.#veil]) {
      Object.assign(canvas.style, { width: percent(columns * side, width), height: percent(rows * side, height) });
    }
  }

  /** @param {HTMLCanvasElement} canvas @param {Uint8ClampedArray<ArrayBuffer> | null} rgba */
  #overlay(canvas, rgba) {
    const { rows, columns } = this.#shape;
    canvas.hidden = !rgba;
    if (!rgba) return;
    Object.assign(canvas, { width: columns, height: rows });
    canvas.getContext('2d')?.putImageData(new ImageData(rgba, columns, rows), 0, 0);
  }

  // ---- pointers

  /** @param {PointerEvent} event @returns {Cell} */
  #cell(event) {
    const { width, height, rows, columns, side } = this.#shape;
    const box = this.#box.getBoundingClientRect();
    const place = (/** @type {number} */ at, /** @type {number} */ length, /** @type {number} */ pixels, /** @type {number} */ count) =>
      Math.min(count - 1, Math.max(0, Math.floor(((at / length) * pixels) / side)));
    return {
      row: place(event.clientY - box.top, box.height, height, rows),
      column: place(event.clientX - box.left, box.width, width, columns),
    };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (!this.#mode || event.button !== 0 || !event.isPrimary) return;
    this.#box.setPointerCapture(event.pointerId);
    const cell = this.#cell(event);
    this.#point(cell);
    this.#last = cell;
    this.#corner = this.#mode === 'rectangle' ? cell : null;
    if (this.#mode === 'brush') this.#stroke([cell]);
    this.#frame();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!event.isPrimary) return;
    const from = this.#last;
    const cell = this.#cell(event);
    this.#point(cell);
    if (!from) return;
    this.#last = cell;
    if (this.#mode === 'brush' && (cell.row !== from.row || cell.column !== from.column)) this.#stroke(line(from, cell));
  }

  /** @param {PointerEvent} event @param {boolean} wanted false if the browser took it for something else */
  #up(event, wanted) {
    if (!event.isPrimary || !this.#last) return;
    const cell = this.#last;
    this.#last = null;
    if (this.#mode === 'brush') this.#heard.end();
    else if (wanted && this.#mode === 'pick') this.#heard.pick(this.#index(cell));
    else if (wanted && this.#corner) this.#rectangle(cell);
    this.#corner = null;
    if (event.pointerType !== 'mouse') this.#leave();
  }

  /** @param {Cell[]} cells that the middle of the brush goes over */
  #stroke(cells) {
    this.#heard.stroke([...new Set(cells.flatMap((cell) => disc(cell, this.#size, this.#shape)))]);
  }

  /** @param {Cell} to */
  #rectangle(to) {
    this.#heard.stroke(between(/** @type {Cell} */ (this.#corner), to, this.#shape));
    this.#heard.end();
    this.#corner = null;
  }

  // ---- keys

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) {
      const clamp = (/** @type {number} */ at, /** @type {number} */ count) => Math.min(count - 1, Math.max(0, at));
      const { rows, columns } = this.#shape;
      this.#point({ row: clamp(this.#at.row + step[0], rows), column: clamp(this.#at.column + step[1], columns) });
      if (event.shiftKey && this.#mode === 'brush') this.#dab();
    } else if (event.key === 'Escape' && this.#corner) {
      this.#corner = null;
      this.#frame();
    } else if ((event.key === ' ' || event.key === 'Enter') && this.#mode) this.#press();
    else return;
    event.preventDefault();
  }

  #press() {
    if (this.#mode === 'brush') this.#dab();
    else if (this.#mode === 'pick') this.#heard.pick(this.#index(this.#at));
    else if (this.#corner) this.#rectangle(this.#at);
    else this.#corner = this.#at;
    this.#frame();
  }

  #dab() {
    this.#stroke([this.#at]);
    this.#heard.end();
  }

  // ---- the cursor

  /** @param {Cell} cell */
  #index = ({ row, column }) => row * this.#shape.columns + column;

  /** @param {Cell} cell */
  #point(cell) {
    this.#at = cell;
    this.#frame();
    this.#heard.point(this.#index(cell));
  }

  #leave() {
    if (this.#cursor.hidden) return;
    this.#cursor.hidden = true;
    this.#heard.point(null);
  }

  /** Draws the brush, or the rectangle that is being drawn. */
  #frame() {
    const { width, height, side } = this.#shape;
    const { row, column } = this.#at;
    const reach = Math.floor((this.#size - 1) / 2);
    const corner = this.#corner ?? this.#at;
    const [top, left] = [Math.min(row, corner.row) - reach, Math.min(column, corner.column) - reach];
    const [down, across] = [Math.abs(row - corner.row) + this.#size, Math.abs(column - corner.column) + this.#size];
    const percent = (/** @type {number} */ count, /** @type {number} */ whole) => `${((count * side) / whole) * 100}%`;
    this.#cursor.hidden = false;
    this.#cursor.toggleAttribute('data-round', this.#size > 3);
    Object.assign(this.#cursor.style, {
      left: percent(left, width),
      top: percent(top, height),
      width: percent(across, width),
      height: percent(down, height),
    });
  }
}
