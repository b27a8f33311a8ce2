// @ts-check
// The codebook as a palette: what each code looks like alone. Those of the picture come first, by pages; pointing at
// one shows where the picture has it.
import { button, field, h, select } from '../../ui/h.js';
import { Tiles } from './tiles.js';

/** Codes on a page. */
const PAGE = 96;
/** Of luma, to sort by likeness. */
const LUMA = [0.299, 0.587, 0.114];

/** @typedef {{pick: (code: number) => void, point: (code: number | null) => void}} Heard */

export class Atlas {
  #session;
  #heard;
  #tiles;
  #which = select('atlas-which', [
    ['used', 'In this picture'],
    ['all', 'The whole codebook'],
  ]);
  #order = select('atlas-order', [
    ['use', 'Most used first'],
    ['colour', 'Alike ones together'],
  ]);
  /** The chosen code, as it looks. */ swatch = h('canvas', { class: 'atlas-swatch', hidden: true });
  #list = h('div', { id: 'atlas', class: 'atlas', role: 'group', 'aria-label': 'Codes' });
  #before = button('‹', () => this.#turn(-1), { 'aria-label': 'Page before', class: 'button' });
  #after = button('›', () => this.#turn(1), { 'aria-label': 'Next page', class: 'button' });
  #where = h('span', { class: 'note' });
  element = h(
    'div',
    { class: 'atlas-box' },
    h('div', { class: 'atlas-choices' }, field('Codes', this.#which), field('Order', this.#order)),
    this.#list,
    h('div', { class: 'edit-row' }, this.#where, this.#before, this.#after),
  );
  /** How often the picture has each code. @type {Map<number, number>} */ #uses = new Map();
  /** @type {number[]} */ #codes = [];
  #page = 0;
  /** @type {number | null} */ #chosen = null;
  #decoder = '';

  /** @param {import('../../session/session.js').Session} session @param {Heard} heard */
  constructor(session, heard) {
    this.#session = session;
    this.#heard = heard;
    this.#tiles = new Tiles(session, (code, tile) => {
      paint(this.#tile(code), tile);
      if (code === this.#chosen) paint(this.swatch, tile);
    });
    for (const choice of [this.#which, this.#order]) choice.addEventListener('change', () => this.#sort(0));
    const code = (/** @type {Event} */ event) => {
      const tile = /** @type {Element} */ (event.target).closest('button');
      return tile ? Number(tile.dataset.code) : null;
    };
    for (const type of ['pointerover', 'focusin']) this.#list.addEventListener(type, (event) => heard.point(code(event)));
    for (const type of ['pointerleave', 'focusout']) this.#list.addEventListener(type, () => heard.point(null));
    this.#list.addEventListener('click', (event) => {
      const found = code(event);
      if (found !== null) heard.pick(found);
    });
    this.#list.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {Uint32Array} indices of the picture @returns {boolean} whether the codes are those of another codebook or decoder */
  show(indices) {
    const decoder = this.#session.models.inUse?.model.decoderHash ?? '';
    const other = decoder !== this.#decoder;
    this.#decoder = decoder;
    this.#uses = new Map();
    for (const code of indices) this.#uses.set(code, (this.#uses.get(code) ?? 0) + 1);
    this.#sort(other ? 0 : this.#page);
    return other;
  }

  /** @param {number | null} code */
  choose(code) {
    this.#chosen = code;
    this.swatch.hidden = code === null;
    if (code !== null) paint(this.swatch, this.#look(code));
    this.#want();
    for (const tile of this.#buttons) tile.setAttribute('aria-pressed', String(Number(tile.dataset.code) === code));
  }

  /** What a code looks like on the whole, once it is decoded. @param {number} code */
  colour(code) {
    const data = this.#tiles.get(code)?.data;
    if (!data) return null;
    const mean = [0, 0, 0];
    data.forEach((value, i) => i % 4 < 3 && (mean[i % 4] += (4 * value) / data.length));
    return mean;
  }

  /** Frames the code under the pointer. @param {number | null} code */
  mark(code) {
    for (const tile of this.#buttons) tile.toggleAttribute('data-pointed', Number(tile.dataset.code) === code);
  }

  get #buttons() {
    return [...this.#list.querySelectorAll('button')];
  }

  /** @param {number} code */
  #tile(code) {
    return this.#list.querySelector(`[data-code="${code}"] canvas`);
  }

  /** @param {number} page to show */
  #sort(page) {
    const loaded = this.#session.models.inUse;
    if (!loaded) return;
    const [palette] = loaded.palettes;
    const bright = (/** @type {number} */ code) => LUMA.reduce((sum, part, i) => sum + part * palette[3 * code + i], 0);
    const uses = (/** @type {number} */ code) => this.#uses.get(code) ?? 0;
    const all = this.#which.value === 'all';
    const codes = all ? Array.from({ length: loaded.model.codebookSize }, (_, code) => code) : [...this.#uses.keys()];
    this.#codes = codes.sort(this.#order.value === 'use' ? (a, b) => uses(b) - uses(a) || a - b : (a, b) => bright(a) - bright(b) || a - b);
    this.#page = Math.min(page, this.#pages - 1);
    this.#draw();
  }

  get #pages() {
    return Math.max(1, Math.ceil(this.#codes.length / PAGE));
  }

  /** @param {number} by */
  #turn(by) {
    this.#sort(Math.max(0, this.#page + by));
  }

  #draw() {
    const codes = this.#shown;
    const focused = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...codes.map((code, i) => this.#button(code, i === 0)));
    if (focused) this.#buttons[0]?.focus();
    const count = this.#codes.length.toLocaleString('en');
    this.#where.textContent = `${count} codes${this.#pages > 1 ? `, page ${this.#page + 1} of ${this.#pages}` : ''}`;
    this.#before.hidden = this.#after.hidden = this.#pages === 1;
    this.#before.disabled = this.#page === 0;
    this.#after.disabled = this.#page === this.#pages - 1;
    this.#want();
  }

  /** The codes on the page. */
  get #shown() {
    return this.#codes.slice(this.#page * PAGE, (this.#page + 1) * PAGE);
  }

  /** Decodes the chosen code, and those on the page. */
  #want() {
    this.#tiles.want([...(this.#chosen === null ? [] : [this.#chosen]), ...this.#shown]);
  }

  /** @param {number} code @param {boolean} first */
  #button(code, first) {
    const uses = this.#uses.get(code) ?? 0;
    const label = `Code ${code}, ${uses ? `used ${uses === 1 ? 'once' : `${uses} times`}` : 'not used'}`;
    const canvas = h('canvas', { width: 1, height: 1 });
    const tile = h('button', {
      type: 'button',
      class: 'atlas-tile',
      'data-code': code,
      'aria-label': label,
      title: label,
      'aria-pressed': String(code === this.#chosen),
      tabindex: first ? 0 : -1,
    });
    tile.append(canvas);
    paint(canvas, this.#look(code));
    return tile;
  }

  /** What a code looks like; until it is decoded, the colour that stands for it. @param {number} code */
  #look(code) {
    const [palette] = this.#session.models.inUse?.palettes ?? [];
    const [r = 0, g = 0, b = 0] = palette?.subarray(3 * code, 3 * code + 3) ?? [];
    return this.#tiles.get(code) ?? new ImageData(new Uint8ClampedArray([r, g, b, 255]), 1, 1);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const tiles = this.#buttons;
    const at = tiles.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const columns = getComputedStyle(this.#list).gridTemplateColumns.split(' ').length;
    /** @type {Record<string, number>} */
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: tiles.length - 1 - at };
    const step = steps[event.key];
    const to = step === undefined ? null : tiles[at + step];
    if (!to) return;
    event.preventDefault();
    tiles[at].tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }
}

/** @param {Element | null} canvas @param {ImageData} tile */
function paint(canvas, tile) {
  if (!(canvas instanceof HTMLCanvasElement)) return;
  Object.assign(canvas, { width: tile.width, height: tile.height });
  canvas.getContext('2d')?.putImageData(tile, 0, 0);
}
