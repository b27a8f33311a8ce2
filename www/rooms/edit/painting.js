// @ts-check
// Paint: one code of the codebook under the brush, decoded as it is painted.
import { h } from '../../ui/h.js';
import { chipField, chips, chosenIn } from '../shared/chips.js';
import { Atlas } from './atlas.js';
import { brushDial, largest } from './tools.js';

/** @typedef {import('./tools.js').Tool} Tool */

/** @implements {Tool} */
export class Paint {
  #desk;
  #atlas;
  #size = 2;
  /** @type {number | null} */ #code = null;
  #ways = chipField(
    'paint-ways',
    'Paint with one code',
    chips('paint-way', [
      ['pick', 'Pick a code'],
      ['brush', 'Brush'],
    ]),
  );
  #brush = brushDial('paint', (size) => ((this.#size = size), this.#hand()));
  #words = h('p', { id: 'paint-code', class: 'note', role: 'status' });
  element;

  /** @param {import('../../session/session.js').Session} session @param {import('./desk.js').Desk} desk */
  constructor(session, desk) {
    this.#desk = desk;
    this.#atlas = new Atlas(session, {
      pick: (code) => this.#take(code),
      point: (code) => {
        const indices = desk.state?.indices;
        desk.board.light(code === null || !indices ? null : (cell) => indices[cell] === code);
      },
    });
    desk.colour = (code) => this.#atlas.colour(code);
    this.element = h(
      'div',
      { class: 'edit-tool' },
      this.#ways,
      this.#brush.element,
      h('div', { class: 'edit-row' }, this.#atlas.swatch, this.#words),
      this.#atlas.element,
    );
    this.#way = 'pick';
    this.#ways.addEventListener('change', () => this.#hand());
  }

  show() {
    const { state } = this.#desk;
    if (!state) return;
    if (this.#atlas.show(state.indices, state.size.columns)) this.#take(null);
    this.#brush.show(this.#size, largest(state));
    this.#hand();
  }

  leave() {
    this.#desk.board.light(null);
  }

  /** @param {number[]} cells */
  stroke(cells) {
    const code = this.#code;
    if (code !== null) this.#desk.draft((indices) => cells.forEach((cell) => (indices[cell] = code)));
  }

  end() {
    this.#desk.commit();
  }

  /** @param {number} cell */
  pick(cell) {
    this.#take(this.#desk.state?.indices[cell] ?? null);
  }

  /** The pointer is at a cell. @param {number | null} cell */
  point(cell) {
    const code = cell === null ? null : (this.#desk.state?.indices[cell] ?? null);
    // The palette must not turn away under a brush.
    this.#atlas.mark(code, chosenIn(this.#ways) === 'pick');
  }

  /** @param {number | null} code */
  #take(code) {
    this.#code = code;
    this.#way = code === null ? 'pick' : 'brush';
    this.#atlas.choose(code);
    this.#hand();
  }

  set #way(/** @type {string} */ way) {
    for (const input of this.#ways.querySelectorAll('input')) input.checked = input.value === way;
  }

  #hand() {
    // There is nothing to brush with yet.
    if (this.#code === null) this.#way = 'pick';
    const way = chosenIn(this.#ways);
    this.#brush.element.hidden = way === 'pick';
    this.#words.textContent =
      this.#code === null ? 'Pick a code: click the picture, or one of these.' : `Code ${this.#code} is on the brush.`;
    this.#desk.board.hand(way === 'pick' ? 'pick' : 'brush', this.#size);
  }
}
