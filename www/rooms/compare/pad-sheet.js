// @ts-check
// The pad that one draws on: with a mouse, a finger, a pen or the keyboard.
import { button, h } from '../../ui/h.js';
import { draw } from '../shared/pictures.js';
import { Ink, SIDE } from './pad-ink.js';
import { WHOLE } from './ways.js';

/** @typedef {import('./pad-ink.js').Point} Point */

/** @type {Record<string, [right: number, down: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** The mouse button that erases, whatever the tool is. */
const RIGHT = 2;

const within = (/** @type {number} */ value) => Math.min(SIDE - 0.5, Math.max(0.5, value));

export class Sheet {
  #ink = new Ink();
  #canvas = h('canvas', { width: SIDE, height: SIDE, 'data-crisp': true });
  #cursor = h('span', { class: 'pad-cursor' });
  #pad = h(
    'div',
    {
      id: 'comparing-pad',
      class: 'pad-sheet',
      tabindex: 0,
      role: 'application',
      'aria-label': 'Pad to draw a digit on',
      'aria-describedby': 'comparing-pad-keys',
    },
    this.#canvas,
    h('span', { class: 'pad-frame' }),
    this.#cursor,
  );
  #eraser = button('Eraser', () => this.#erase(!this.#erases), {
    id: 'comparing-eraser',
    class: 'button',
    'aria-pressed': 'false',
  });
  #drawn;
  /** Where the brush is. @type {Point} */ #at = { x: SIDE / 2, y: SIDE / 2 };
  /** Whether a stroke is being drawn, by a pointer or by the keyboard. */ #down = false;
  /** Whether that stroke erases. */ #rubbing = false;
  #erases = false;
  /** Where the keys have moved it, for those who do not see it. */ #where = h('output', { class: 'visually-hidden' });
  element;

  /** @param {(at: Point | null) => void} drawn called when the drawing has changed, with where; null where it was cleared */
  constructor(drawn) {
    this.#drawn = drawn;
    const clear = button('Clear', () => this.#clear(), { id: 'comparing-clear', class: 'button' });
    const keys = h(
      'p',
      { id: 'comparing-pad-keys', class: 'note' },
      'By keyboard, the arrow keys move the brush, space paints (hold it to draw a line), and Delete erases.',
    );
    this.element = h('div', { class: 'pad-board' }, this.#pad, h('div', { class: 'pad-tools' }, clear, this.#eraser), keys, this.#where);
    this.#listen();
    this.#show();
  }

  get inked() {
    return this.#ink.inked;
  }

  /** Whether a stroke is being drawn. */
  get down() {
    return this.#down;
  }

  get pixels() {
    return this.#ink.pixels;
  }

  #listen() {
    const pad = this.#pad;
    const where = (/** @type {PointerEvent} */ { clientX, clientY }) => {
      const { left, top, width, height } = this.#canvas.getBoundingClientRect();
      return { x: (SIDE * (clientX - left)) / width, y: (SIDE * (clientY - top)) / height };
    };
    pad.addEventListener('contextmenu', (event) => event.preventDefault());
    pad.addEventListener('pointerdown', (event) => {
      if (this.#down || (event.button !== 0 && event.button !== RIGHT)) return;
      pad.setPointerCapture(event.pointerId);
      this.#down = true;
      this.#rubbing = this.#erases || event.button === RIGHT;
      this.#at = where(event);
      this.#stroke(this.#at);
    });
    pad.addEventListener('pointermove', (event) => {
      if (!pad.hasPointerCapture(event.pointerId)) return;
      const passed = event.getCoalescedEvents?.() ?? [];
      for (const point of passed.length ? passed : [event]) this.#stroke(where(point));
    });
    pad.addEventListener('lostpointercapture', () => (this.#down = false));
    pad.addEventListener('blur', () => (this.#down = false));
    pad.addEventListener('keydown', (event) => this.#key(event));
    pad.addEventListener('keyup', ({ key }) => key === ' ' && (this.#down = false));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    const rub = event.key === 'Delete' || event.key === 'Backspace';
    if (!arrow && !rub && event.key !== ' ') return;
    event.preventDefault();
    if (arrow) {
      const middle = (/** @type {number} */ value) => Math.floor(value) + 0.5;
      const to = { x: within(middle(this.#at.x) + arrow[0]), y: within(middle(this.#at.y) + arrow[1]) };
      this.#where.textContent = `Row ${Math.ceil(to.y)}, column ${Math.ceil(to.x)}`;
      if (this.#down) return this.#stroke(to);
      this.#at = to;
      return this.#place();
    }
    if (event.repeat && !rub) return;
    this.#down = !rub;
    this.#rubbing = rub || this.#erases;
    this.#stroke(this.#at);
  }

  /** @param {Point} to */
  #stroke(to) {
    this.#ink.stroke(this.#at, to, this.#rubbing);
    this.#at = to;
    this.#show();
    this.#drawn(to);
  }

  #clear() {
    this.#ink.clear();
    this.#erase(false);
    this.#show();
    this.#drawn(null);
  }

  /** @param {boolean} is */
  #erase(is) {
    this.#erases = is;
    this.#eraser.setAttribute('aria-pressed', String(is));
  }

  #show() {
    draw(this.#canvas, this.#ink.pixels, null, WHOLE);
    this.#place();
  }

  #place() {
    this.#cursor.style.left = `${(100 * within(this.#at.x)) / SIDE}%`;
    this.#cursor.style.top = `${(100 * within(this.#at.y)) / SIDE}%`;
  }
}
