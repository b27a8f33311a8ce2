// @ts-check
// Some pictures as they form: what is known of them so far, and at the end the pictures themselves.
import { h } from '../../ui/h.js';
import { draw } from '../shared/pictures.js';

/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */

export class Forming {
  #grid;
  #canvases = /** @type {HTMLCanvasElement[]} */ ([]);
  #tokens = /** @type {(Int32Array | null)[]} */ ([]);
  #labels = [''].slice(1);
  /** What is known of each. @type {(Pixels | null)[]} */ #known = [];
  #frame = 0;
  /** Whether what is known is of pictures that others are to replace. */ old = false;
  element = h('div', { class: 'forming' });

  /** @param {import('../shared/pictures.js').Grid} grid of tokens */
  constructor(grid) {
    this.#grid = grid;
  }

  /** Makes room; pictures that are there stay until others come. @param {string[]} labels of each */
  begin(labels) {
    cancelAnimationFrame(this.#frame);
    if (this.#canvases.length !== labels.length) {
      this.#canvases = labels.map(() => h('canvas', { width: 1, height: 1, role: 'img' }));
      this.element.replaceChildren(...this.#canvases);
      this.#known = labels.map(() => null);
    }
    this.element.style.setProperty('--side', String(Math.ceil(Math.sqrt(labels.length))));
    this.#tokens = labels.map(() => null);
    this.#labels = labels;
    this.old = true;
    this.#canvases.forEach((canvas, i) => {
      // An old picture keeps its own.
      if (!this.#known[i]) canvas.setAttribute('aria-label', labels[i]);
      canvas.toggleAttribute('data-stale', true);
    });
  }

  /** @param {import('./ways.js').Part} part */
  part({ pictures }) {
    if (!pictures.length) return;
    pictures.forEach((picture, i) => {
      const pixels = 'rgba' in picture ? picture : picture.preview;
      this.#known[i] = pixels ?? (this.old ? null : this.#known[i]);
      this.#tokens[i] = 'rgba' in picture ? null : picture.tokens;
    });
    // A part without previews shows nothing yet.
    this.old &&= !this.#known.some(Boolean);
    // A prior may take many steps between two frames.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** @param {{pixels: Pixels}[]} pictures */
  done(pictures) {
    cancelAnimationFrame(this.#frame);
    this.#known = pictures.map(({ pixels }) => pixels);
    this.#tokens = pictures.map(() => null);
    this.old = false;
    this.#draw();
  }

  /** Takes all pictures away. */
  clear() {
    cancelAnimationFrame(this.#frame);
    this.#known = this.#canvases.map(() => null);
    this.old = false;
    for (const canvas of this.#canvases) {
      delete canvas.dataset.stale;
      Object.assign(canvas, { width: 1, height: 1 });
    }
  }

  /** What is known of one of them. @param {number} index */
  known(index) {
    return this.#known[index] ?? null;
  }

  #draw() {
    this.#canvases.forEach((canvas, i) => {
      if (this.#known[i]) canvas.setAttribute('aria-label', this.#labels[i]);
      draw(canvas, this.#known[i], this.#tokens[i], this.#grid);
    });
  }
}
