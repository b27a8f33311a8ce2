// @ts-check
// The codebook as a palette: what each code looks like, alone or with the neighbours that it most often has in the
// picture. Those of the picture come first, by pages; pointing at one shows where the picture has it, and the reverse.
import { button, field, h, select } from '../../ui/h.js';
import { chipField, chips, chosenIn } from '../shared/chips.js';
import { paint, reveal, tileButton, walk } from './atlas-tile.js';
import { commonest } from './neighbours.js';
import { along } from './order.js';
import { Tiles, alone, among } from './tiles.js';
import { seen } from './words.js';

/** Codes on a page. */
const PAGE = 96;

/** @typedef {{pick: (code: number) => void, point: (code: number | null) => void}} Heard */

export class Atlas {
  #session;
  #tiles;
  #looks = chipField(
    'atlas-looks',
    'Show each code',
    chips('atlas-look', [
      ['alone', 'Alone'],
      ['among', 'With its neighbours'],
    ]),
  );
  #which = select('atlas-which', [
    ['used', 'In this picture'],
    ['all', 'All codes'],
  ]);
  #order = select('atlas-order', [
    ['use', 'Most used first'],
    ['colour', 'Alike together'],
  ]);
  /** The chosen code, as it looks. */ swatch = h('canvas', { class: 'atlas-swatch', hidden: true });
  #list = h('div', { id: 'atlas', class: 'atlas', role: 'group', 'aria-label': 'Codes' });
  #before = button('‹', () => this.#turn(-1), { 'aria-label': 'Page before', class: 'button' });
  #after = button('›', () => this.#turn(1), { 'aria-label': 'Next page', class: 'button' });
  #where = h('span', { class: 'note' });
  #words = h('p', { id: 'atlas-words', class: 'note' });
  element = h(
    'div',
    { class: 'atlas-box' },
    this.#looks,
    h('div', { class: 'atlas-choices' }, field('Codes', this.#which), field('Order', this.#order)),
    this.#words,
    this.#list,
    h('div', { class: 'edit-row' }, this.#where, this.#before, this.#after),
  );
  /** The picture's codes, row by row. @type {{indices: Uint32Array, columns: number}} */ #grid = {
    indices: new Uint32Array(0),
    columns: 1,
  };
  /** How often the picture has each code. @type {Map<number, number>} */ #uses = new Map();
  /** The commonest neighbourhoods in the picture, once they are wanted. @type {Map<number, Uint32Array> | null} */ #around = null;
  /** @type {number[]} */ #codes = [];
  #page = 0;
  /** @type {number | null} */ #chosen = null;
  #decoder = '';

  /** @param {import('../../session/session.js').Session} session @param {Heard} heard */
  constructor(session, heard) {
    this.#session = session;
    this.#tiles = new Tiles(session, (look, tile) => {
      const { code } = look;
      if (this.#lookOf(code).key !== look.key) return;
      paint(this.#list.querySelector(`[data-code="${code}"] canvas`), tile);
      if (code === this.#chosen) paint(this.swatch, tile);
    });
    /** @type {HTMLInputElement} */ (this.#looks.querySelector('input')).checked = true;
    this.#looks.addEventListener('change', () => (this.#draw(), this.choose(this.#chosen)));
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
    this.#list.addEventListener('keydown', (event) => walk(this.#list, event));
  }

  /** @param {Uint32Array} indices of the picture @param {number} columns @returns {boolean} whether the codes are those of another codebook or decoder */
  show(indices, columns) {
    const decoder = this.#session.models.inUse?.model.decoderHash ?? '';
    const other = decoder !== this.#decoder;
    this.#decoder = decoder;
    if (indices !== this.#grid.indices) {
      this.#grid = { indices, columns };
      this.#around = null;
      this.#uses = new Map();
      for (const code of indices) this.#uses.set(code, (this.#uses.get(code) ?? 0) + 1);
    }
    this.#sort(other ? 0 : this.#page);
    return other;
  }

  /** @param {number | null} code */
  choose(code) {
    this.#chosen = code;
    this.swatch.hidden = code === null;
    if (code !== null) {
      paint(this.swatch, this.#look(code));
      this.swatch.dataset.look = this.#lookOf(code).alone ? 'alone' : 'among';
      this.#bring(code);
    }
    this.#want();
    for (const tile of this.#buttons) tile.setAttribute('aria-pressed', String(Number(tile.dataset.code) === code));
  }

  /** What a code looks like on the whole, once it is decoded. @param {number} code */
  colour(code) {
    const data = this.#tiles.get(alone(code))?.data;
    if (!data) return null;
    const mean = [0, 0, 0];
    data.forEach((value, i) => i % 4 < 3 && (mean[i % 4] += (4 * value) / data.length));
    return mean;
  }

  /** Frames the code under the pointer. @param {number | null} code @param {boolean} turn whether to turn to its page */
  mark(code, turn) {
    if (code !== null && turn) this.#bring(code);
    for (const tile of this.#buttons) tile.toggleAttribute('data-pointed', Number(tile.dataset.code) === code);
  }

  /** Turns to the page that has a code, and brings it into view there. @param {number} code */
  #bring(code) {
    // Not away from where the keyboard is.
    if (this.#list.contains(document.activeElement)) return;
    const at = this.#codes.indexOf(code);
    if (at < 0) return;
    const page = Math.floor(at / PAGE);
    if (page !== this.#page) {
      this.#page = page;
      this.#draw();
    }
    const tile = /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-code="${code}"]`));
    if (tile) reveal(this.#list, tile);
  }

  get #buttons() {
    return [...this.#list.querySelectorAll('button')];
  }

  /** @param {number} page to show */
  #sort(page) {
    const loaded = this.#session.models.inUse;
    if (!loaded) return;
    const [palette] = loaded.palettes;
    const uses = (/** @type {number} */ code) => this.#uses.get(code) ?? 0;
    const all = this.#which.value === 'all';
    const codes = all ? Array.from({ length: loaded.model.codebookSize }, (_, code) => code) : [...this.#uses.keys()];
    const place = new Map(codes.map((code) => [code, along([...palette.subarray(3 * code, 3 * code + 3)])]));
    const alike = (/** @type {number} */ a, /** @type {number} */ b) => Number(place.get(a)) - Number(place.get(b)) || a - b;
    this.#codes = codes.sort(this.#order.value === 'use' ? (a, b) => uses(b) - uses(a) || a - b : alike);
    this.#page = Math.min(page, this.#pages - 1);
    this.#draw();
  }

  get #pages() {
    return Math.max(1, Math.ceil(this.#codes.length / PAGE));
  }

  /** @param {number} by */
  #turn(by) {
    this.#page = Math.min(this.#pages - 1, Math.max(0, this.#page + by));
    this.#draw();
  }

  #draw() {
    const codes = this.#shown;
    const focused = this.#list.contains(document.activeElement);
    this.#list.dataset.looks = chosenIn(this.#looks);
    this.#list.replaceChildren(...codes.map((code, i) => this.#button(code, i === 0)));
    if (focused) this.#buttons[0]?.focus();
    const count = this.#codes.length.toLocaleString('en');
    this.#where.textContent = `${count} codes${this.#pages > 1 ? `, page ${this.#page + 1} of ${this.#pages}` : ''}`;
    this.#before.hidden = this.#after.hidden = this.#pages === 1;
    this.#before.disabled = this.#page === 0;
    this.#after.disabled = this.#page === this.#pages - 1;
    this.#words.textContent = seen(this.#withNeighbours, codes.filter((code) => !this.#uses.has(code)).length, codes.length);
    this.#want();
  }

  /** The codes on the page. */
  get #shown() {
    return this.#codes.slice(this.#page * PAGE, (this.#page + 1) * PAGE);
  }

  /** Decodes the chosen code, and those on the page. */
  #want() {
    const codes = [...(this.#chosen === null ? [] : [this.#chosen]), ...this.#shown];
    this.#tiles.want(codes.map((code) => this.#lookOf(code)));
  }

  /** @param {number} code @param {boolean} first */
  #button(code, first) {
    const neighbours = !this.#lookOf(code).alone;
    return tileButton(code, this.#look(code), {
      uses: this.#uses.get(code) ?? 0,
      neighbours,
      chosen: code === this.#chosen,
      first,
    });
  }

  get #withNeighbours() {
    return chosenIn(this.#looks) === 'among';
  }

  /** How a code is to be shown: one that the picture does not have is alone. @param {number} code */
  #lookOf(code) {
    const { indices, columns } = this.#grid;
    if (this.#withNeighbours) this.#around ??= commonest(indices, columns);
    const grid = this.#withNeighbours && this.#around?.get(code);
    return grid ? among(code, grid) : alone(code);
  }

  /** What a code looks like; until it is decoded, the colour that stands for it. @param {number} code */
  #look(code) {
    const [palette] = this.#session.models.inUse?.palettes ?? [];
    const [r = 0, g = 0, b = 0] = palette?.subarray(3 * code, 3 * code + 3) ?? [];
    return this.#tiles.get(this.#lookOf(code)) ?? new ImageData(new Uint8ClampedArray([r, g, b, 255]), 1, 1);
  }
}
