// @ts-check
// The map of a VAE with two numbers: what it draws at each point of a plane, small; and large at the point that is
// pressed, by the mouse, a finger or the arrow keys.
import { failure } from '../../engine/protocol.js';
import { h } from '../../ui/h.js';
import { draw } from '../shared/pictures.js';
import { WHOLE } from './ways.js';

/** Pictures along a side. */
const SIDE = 15;
/** The plane goes from minus this to this, which is where nearly all random numbers are. */
const REACH = 3;
/** How far an arrow key goes. */
const STRIDE = 0.2;
/** @type {Record<string, [right: number, up: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** @typedef {import('../../session/comparing.js').Comparing} Comparing */
/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */

/** The numbers are given, and are not to be changed. */
const PLAIN = { temperature: 1 };

/** The middle of a cell. @param {number} cell */
const middle = (cell) => ((2 * cell + 1) / SIDE - 1) * REACH;
/** @param {number} value */
const within = (value) => Math.min(REACH, Math.max(-REACH, value));
/** @param {number} value */
const worded = (value) => value.toFixed(1).replace('-', '−');

export class WalkMap {
  title = 'Map';
  #session;
  #generator;
  #busy;
  #plane = h('canvas', { width: 1, height: 1 });
  #mark = h('span', { class: 'map-mark' });
  #pad;
  #large = h('canvas', { class: 'walk-large', width: 1, height: 1, role: 'img' });
  #where = h('output', { class: 'map-where' });
  #at = h('p', { class: 'way-at' });
  #point = { x: 0, y: 0 };
  /** The class of the pictures that are shown; undefined before. @type {number | null | undefined} */ #kind;
  /** Whether a picture at a point is being drawn, */ #drawing = false;
  /** and whether the point has moved since. */ #moved = false;
  element;

  /** @param {import('../../session/session.js').Session} session @param {import('../../session/shelf.js').Generator} generator @param {() => boolean} busy */
  constructor(session, generator, busy) {
    this.#session = session;
    this.#generator = generator;
    this.#busy = busy;
    const label = 'Map of the two numbers; the arrow keys move the point';
    this.#pad = h(
      'div',
      { id: 'comparing-map', class: 'map-pad', tabindex: 0, role: 'application', 'aria-label': label },
      this.#plane,
      this.#mark,
    );
    const [made, all] = generator.entry.classes?.length
      ? ['out of two numbers and its class', 'nearly all that it can draw of one digit']
      : ['out of two numbers alone', 'nearly all that it can draw'];
    const words = `This VAE makes a digit ${made}, so ${all} fits on a map: one number grows to the right, the other one upwards. Drag across it.`;
    this.element = h(
      'section',
      { class: 'map', 'data-drawn': 'no', 'aria-labelledby': 'map-title' },
      h('h3', { id: 'map-title' }, 'A map of two numbers'),
      h('p', { class: 'note' }, words),
      h('div', { class: 'map-board' }, this.#pad, h('div', { class: 'map-side' }, this.#large, this.#where, this.#at)),
    );
    this.#listen();
    this.#place();
  }

  /** @param {Comparing} asked */
  wait(asked) {
    if (this.#has(asked)) return;
    this.#kind = undefined;
    this.#plane.toggleAttribute('data-stale', true);
    this.#large.toggleAttribute('data-stale', true);
    this.rest('Waiting …');
  }

  /** All of its pictures. @param {import('../../engine/client.js').EngineClient} client @param {Comparing} asked @param {(part: import('./ways.js').Part) => void} hear */
  async draw(client, asked, hear) {
    // The point may have moved while the room was busy, as it still is with this job.
    if (this.#has(asked)) return void setTimeout(() => this.#look());
    const kind = this.#kindOf(asked);
    this.rest('Drawing …');
    const noise = Float32Array.from({ length: 2 * SIDE * SIDE }, (_, i) => {
      const cell = i >> 1;
      return i % 2 ? -middle(Math.floor(cell / SIDE)) : middle(cell % SIDE);
    });
    const { pictures } = await client.generate(this.#generator.source, { ...PLAIN, class: kind, count: SIDE * SIDE }, hear, noise);
    this.#tile(pictures.map(({ pixels }) => pixels));
    this.rest('');
    this.#kind = kind;
    this.element.dataset.drawn = 'yes';
    setTimeout(() => this.#look());
  }

  /** @param {string} why it is not drawn */
  rest(why) {
    // It had nothing to draw, and shows what it did; the point may have moved meanwhile.
    if (this.#kind !== undefined) return void setTimeout(() => this.#moved && this.element.getClientRects().length && this.#look());
    this.element.dataset.drawn = 'no';
    this.#at.textContent = why;
  }

  /** @param {Comparing} asked */
  #kindOf(asked) {
    return this.#generator.entry.classes?.length ? asked.class : null;
  }

  /** Whether it shows what is asked for. @param {Comparing} asked */
  #has(asked) {
    return this.#kind === this.#kindOf(asked);
  }

  #listen() {
    const pad = this.#pad;
    const follow = (/** @type {PointerEvent} */ { clientX, clientY }) => {
      const { left, top, width, height } = this.#plane.getBoundingClientRect();
      this.#go((2 * (clientX - left)) / width - 1, 1 - (2 * (clientY - top)) / height);
    };
    pad.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      pad.setPointerCapture(event.pointerId);
      follow(event);
    });
    pad.addEventListener('pointermove', (event) => pad.hasPointerCapture(event.pointerId) && follow(event));
    pad.addEventListener('keydown', (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const { x, y } = this.#point;
      this.#go((x + arrow[0] * STRIDE) / REACH, (y + arrow[1] * STRIDE) / REACH);
    });
  }

  /** Moves the point. @param {number} x @param {number} y both from −1 to 1 */
  #go(x, y) {
    this.#point = { x: within(x * REACH), y: within(y * REACH) };
    this.#place();
    this.#look();
  }

  #place() {
    const { x, y } = this.#point;
    this.#mark.style.left = `${(50 * (x / REACH + 1)).toFixed(2)}%`;
    this.#mark.style.top = `${(50 * (1 - y / REACH)).toFixed(2)}%`;
    const words = `${worded(x)}, ${worded(y)}`;
    this.#where.textContent = words;
    this.#large.setAttribute('aria-label', `The picture at ${words}`);
  }

  /** Draws the picture at the point; of the points that it passes meanwhile, only the last. */
  async #look() {
    this.#moved = true;
    if (this.#drawing || this.#busy() || this.#kind === undefined) return;
    this.#drawing = true;
    try {
      while (this.#moved && !this.#busy()) {
        this.#moved = false;
        const { x, y } = this.#point;
        /** @type {number | null | undefined} */ const kind = this.#kind;
        const { client } = this.#session;
        const options = { ...PLAIN, class: kind, count: 1 };
        const { pictures } = await client.generate(this.#generator.source, options, null, Float32Array.of(x, y));
        // Another class is asked for by now.
        if (kind !== this.#kind) return;
        draw(this.#large, pictures[0].pixels, null, WHOLE);
      }
    } catch (error) {
      this.#moved = true;
      this.#session.complain(failure(error));
    } finally {
      this.#drawing = false;
    }
  }

  /** @param {Pixels[]} pictures row by row, from the top */
  #tile(pictures) {
    const { width, height } = pictures[0];
    Object.assign(this.#plane, { width: SIDE * width, height: SIDE * height });
    delete this.#plane.dataset.stale;
    const context = this.#plane.getContext('2d');
    pictures.forEach(({ rgba }, i) => {
      context?.putImageData(new ImageData(new Uint8ClampedArray(rgba), width, height), (i % SIDE) * width, Math.floor(i / SIDE) * height);
    });
  }
}
