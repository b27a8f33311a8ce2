// @ts-check
// Pictures that a prior draws: first as they form, with what is not drawn yet faded; then one of them is chosen.
import { h } from '../../ui/h.js';

/** How much of a patch that is not drawn yet is seen, of 255. */
const FADED = 64;
/** Pictures with shorter sides are shown with sharp pixels. */
const CRISP = 100;

/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */
/** @typedef {import('../../engine/protocol.js').Drawn} Drawn */
/** @typedef {{rows: number, columns: number, side?: number}} Grid with the pixels along one side of a token, where that does not follow */
/** @typedef {{canvas: HTMLCanvasElement, preview: Pixels | null}} Item */

export class Pictures {
  element;
  #name;
  /** @type {Item[]} */ #items = [];
  /** @type {Grid} */ #grid = { rows: 1, columns: 1 };
  #frame = 0;

  /** @param {string} id @param {string} label @param {() => void} choose called when another one is chosen */
  constructor(id, label, choose) {
    this.#name = id;
    this.element = h('div', { id, class: 'gallery', role: 'radiogroup', 'aria-label': label });
    this.element.addEventListener('change', choose);
  }

  /**
   * Makes room for pictures; those that are there stay until others come.
   * @param {Grid} grid @param {string[]} labels of each
   */
  begin(grid, labels) {
    const { rows, columns } = grid;
    const count = labels.length;
    cancelAnimationFrame(this.#frame);
    this.#grid = grid;
    this.element.toggleAttribute('data-done', false);
    this.element.style.setProperty('--side', String(Math.ceil(Math.sqrt(count))));
    this.element.style.setProperty('--ratio', String(columns / rows));
    if (this.#items.length !== count) {
      this.#items = Array.from({ length: count }, () => ({ canvas: h('canvas', { width: columns, height: rows }), preview: null }));
      this.element.replaceChildren(...this.#items.map(({ canvas }, i) => picture(this.#name, canvas, i)));
    }
    for (const item of this.#items) {
      item.preview = null;
      item.canvas.toggleAttribute('data-stale', true);
    }
    this.#inputs.forEach((input, i) => input.setAttribute('aria-label', labels[i]));
  }

  /** @param {import('../../engine/protocol.js').SamplePart} part */
  part({ pictures }) {
    pictures.forEach(({ preview }, i) => (this.#items[i].preview = preview ?? this.#items[i].preview));
    // A prior may take many steps between two frames.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() =>
      pictures.forEach(({ tokens }, i) => draw(this.#items[i].canvas, this.#items[i].preview, tokens, this.#grid)),
    );
  }

  /** @param {Drawn[]} pictures */
  done(pictures) {
    cancelAnimationFrame(this.#frame);
    pictures.forEach(({ pixels }, i) => draw(this.#items[i].canvas, pixels, null, this.#grid));
    this.element.toggleAttribute('data-done', true);
  }

  /** The number of the one that is chosen. */
  get chosen() {
    return this.#inputs.findIndex(({ checked }) => checked);
  }

  set chosen(index) {
    this.#inputs[index].checked = true;
  }

  /** What the chosen one is called. */
  get label() {
    return this.#inputs[this.chosen]?.getAttribute('aria-label') ?? '';
  }

  get #inputs() {
    return [...this.element.querySelectorAll('input')];
  }
}

/** @param {string} name @param {HTMLCanvasElement} canvas @param {number} index */
const picture = (name, canvas, index) =>
  h('label', { class: 'gallery-picture' }, h('input', { type: 'radio', name, class: 'visually-hidden', checked: index === 0 }), canvas);

/**
 * @param {HTMLCanvasElement} canvas @param {Pixels | null} pixels null before the first token is drawn
 * @param {Int32Array | null} tokens those that are negative are faded; null fades none @param {Grid} grid of them
 */
export function draw(canvas, pixels, tokens, grid) {
  if (!pixels) return;
  const { width, height, rgba } = pixels;
  const image = new ImageData(new Uint8ClampedArray(rgba), width, height);
  if (tokens) fade(image, tokens, grid);
  delete canvas.dataset.stale;
  Object.assign(canvas, { width, height });
  canvas.toggleAttribute('data-crisp', Math.min(width, height) < CRISP);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** @param {ImageData} image @param {Int32Array} tokens @param {Grid} grid */
function fade({ width, height, data }, tokens, { columns, side = width / columns }) {
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(y / side) * columns;
    for (let x = 0; x < width; x += 1) {
      if (tokens[row + Math.floor(x / side)] < 0) data[(y * width + x) * 4 + 3] = FADED;
    }
  }
}
