// @ts-check
// What a model with tokens makes of the drawing: the picture that they decode to, and which codes are nearest to one of
// its patches.
import { Code, TesseraeError } from '../../engine/protocol.js';
import { h } from '../../ui/h.js';
import { draw } from '../shared/pictures.js';
import { Frame, blank, pictureOf } from './pad-look.js';
import { SIDE } from './pad-ink.js';
import { WHOLE } from './ways.js';

/** How many codes are shown for a patch. */
const NEAREST = 8;
/** A code is decoded among its like, three by three, of which the middle is shown. */
const ACROSS = 3;
/** @type {Record<string, [right: number, down: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @typedef {import('../../engine/protocol.js').Shipped} Shipped */
/** @typedef {import('./pad-look.js').Look} Look */
/** @typedef {import('./pad-look.js').Client} Client */
/** @typedef {import('./pad-look.js').Drawing} Drawing */

/** @implements {Look} */
export class TokensLook {
  slow = false;
  #source;
  #sharp;
  #picture = h('canvas', { class: 'look-picture', width: 1, height: 1 });
  #mark = h('span', { class: 'look-mark', hidden: true });
  #board = h('div', { id: 'comparing-tokens', class: 'look-tokens', tabindex: 0, role: 'application' }, this.#picture, this.#mark);
  #second = pictureOf('What VQ-GAN makes of the same tokens');
  #of = h('p', { class: 'look-of' });
  #list = h('ol', { class: 'look-codes' });
  #frame;
  /** @type {import('../../engine/protocol.js').Nearest | null} */ #nearest = null;
  /** @type {import('../../engine/protocol.js').Tiles | null} */ #tiles = null;
  #cell = { row: 3, column: 3 };

  /** @param {Shipped} source @param {Shipped | null} sharp another decoder, trained against a discriminator */
  constructor(source, sharp) {
    this.#source = source;
    this.#sharp = sharp;
    const how =
      'Its encoder sees the drawing as 7 × 7 patches, and puts the nearest code of its codebook in the place of each. Point at a patch to see which codes were near.';
    const pictures = h(
      'div',
      { class: 'look-pictures' },
      this.#board,
      ...(sharp ? [h('figure', {}, this.#second, h('figcaption', {}, 'The same by VQ-GAN'))] : []),
    );
    this.#frame = new Frame('vqvae', 'VQ-VAE', how, h('div', { class: 'look-pair' }, pictures, h('div', {}, this.#of, this.#list)));
    this.#listen();
    this.clear();
  }

  get element() {
    return this.#frame.element;
  }

  /** @param {Client} client @param {Drawing} drawing @param {() => void} _ it takes too little time to be cancelled @param {() => boolean} free */
  async look(client, { picture }, _, free) {
    const go = () => {
      if (!free()) throw new TesseraeError(Code.CANCELLED, 'The pad is not shown, or something else goes first.');
    };
    this.#nearest = await client.nearest(this.#source, picture, NEAREST);
    draw(this.#picture, this.#nearest.pixels, null, WHOLE);
    this.#show();
    go();
    this.#tiles ??= await client.codes(this.#source);
    this.#show();
    go();
    if (this.#sharp) draw(this.#second, (await client.nearest(this.#sharp, picture, 1)).pixels, null, WHOLE);
    this.#frame.state(true);
  }

  /** The pen is here. @param {import('./pad-ink.js').Point} at */
  follow({ x, y }) {
    const { rows, columns } = this.#shape;
    this.#choose(Math.floor((y * rows) / SIDE), Math.floor((x * columns) / SIDE));
  }

  wait() {}

  clear() {
    blank(this.#picture);
    blank(this.#second);
    this.#nearest = null;
    this.#show();
    this.#frame.state(false);
  }

  /** @param {string} why */
  fail(why) {
    this.#frame.state(false, why);
  }

  get #shape() {
    return this.#nearest ?? { rows: 7, columns: 7 };
  }

  #listen() {
    const board = this.#board;
    const point = (/** @type {PointerEvent} */ { clientX, clientY }) => {
      const { left, top, width, height } = this.#picture.getBoundingClientRect();
      const { rows, columns } = this.#shape;
      this.#choose(Math.floor((rows * (clientY - top)) / height), Math.floor((columns * (clientX - left)) / width));
    };
    board.addEventListener('pointerdown', point);
    board.addEventListener('pointermove', point);
    board.addEventListener('keydown', (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#choose(this.#cell.row + arrow[1], this.#cell.column + arrow[0]);
    });
  }

  /** @param {number} row @param {number} column what lies outside is moved inside */
  #choose(row, column) {
    const { rows, columns } = this.#shape;
    this.#cell = { row: Math.max(0, Math.min(rows - 1, row)), column: Math.max(0, Math.min(columns - 1, column)) };
    this.#show();
  }

  #show() {
    const { rows, columns } = this.#shape;
    const { row, column } = this.#cell;
    const where = `row ${row + 1}, column ${column + 1}`;
    this.#mark.hidden = !this.#nearest;
    Object.assign(this.#mark.style, {
      left: `${(100 * column) / columns}%`,
      top: `${(100 * row) / rows}%`,
      width: `${100 / columns}%`,
      height: `${100 / rows}%`,
    });
    this.#board.setAttribute('aria-label', `What VQ-VAE makes of the drawing; the arrow keys choose a patch. It is ${where}`);
    this.#of.textContent = this.#nearest ? `The codes nearest to the patch in ${where}, and how far they are` : '';
    if (!this.#nearest) return this.#list.replaceChildren();
    const { count, codes, distances } = this.#nearest;
    const from = (row * columns + column) * count;
    const lengths = distances.slice(from, from + count).map((squared) => Math.sqrt(Math.max(0, squared)));
    const most = Math.max(...lengths) || 1;
    this.#list.replaceChildren(...lengths.map((length, i) => this.#code(codes[from + i], length, length / most)));
  }

  /** @param {number} code @param {number} distance @param {number} share of the longest bar */
  #code(code, distance, share) {
    const tile = h('canvas', { class: 'look-code', width: 1, height: 1, 'data-crisp': true });
    if (this.#tiles) {
      const { side, tiles } = this.#tiles;
      const middle = side / ACROSS;
      Object.assign(tile, { width: middle, height: middle });
      tile.getContext('2d')?.putImageData(new ImageData(tiles[code], side, side), -middle, -middle);
    }
    const bar = h('span', { class: 'look-bar' });
    bar.style.setProperty('--at', share.toFixed(3));
    return h(
      'li',
      {},
      tile,
      h('span', {}, h('span', { class: 'visually-hidden' }, 'Code '), String(code)),
      bar,
      h('span', { class: 'look-number' }, distance.toFixed(2)),
    );
  }
}
