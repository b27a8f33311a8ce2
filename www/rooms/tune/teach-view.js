// @ts-check
// <teach-view>: a prior in training: some of the visitor's pictures, what it would draw by now, and how well it
// predicts their tokens.
import { figure } from '../../ui/figure.js';
import { h } from '../../ui/h.js';
import { TrainingView } from './training-view.js';

/** @typedef {import('../../engine/protocol.js').Made} Made */
/** @typedef {{rows: number, columns: number}} Size in tokens */

export class TeachView extends TrainingView {
  #words = h('p', { id: 'teach-window', class: 'note' });

  constructor() {
    super('teach', 'Bits per token', []);
  }

  connectedCallback() {
    super.connectedCallback();
    this.append(this.#words);
  }

  /**
   * @param {import('../../engine/protocol.js').Taught} begun @param {number} steps in all @param {number[]} losses of the steps done
   * @param {number} patch pixels a side of a token
   */
  begin({ yours, window, sizes, now }, steps, losses, patch) {
    this.row.replaceChildren(figure({ id: 'yours', title: 'Yours', label: 'Some of your pictures', pixels: yours, quality: null }));
    this.#words.textContent = learns(window, sizes, patch);
    this.preview(now);
    this.start(steps, losses);
  }

  /** @param {Made} now */
  preview({ made }) {
    this.row.querySelector('[data-stage=now]')?.remove();
    const label = 'New pictures, as it draws them so far';
    this.row.append(figure({ id: 'now', title: 'New', label, pixels: made, quality: null }));
  }

  /** @override @param {number} bits */
  words(bits) {
    return `${bits.toFixed(2)} (cross-entropy ${(bits * Math.LN2).toFixed(2)})`;
  }
}

/** What it learns of pictures that differ in size. @param {Size} window @param {Size[]} sizes @param {number} patch */
function learns({ rows, columns }, sizes, patch) {
  const draws = `It will draw pictures of ${columns * patch} × ${rows * patch} pixels, which are ${columns} × ${rows} tokens.`;
  const larger = sizes.filter((size) => size.rows > rows || size.columns > columns).length;
  if (!larger) return draws;
  const which = larger < sizes.length ? `${larger} of the ${sizes.length} pictures are larger` : `The pictures are larger`;
  return `${draws} ${which}: at each step it sees a part of that size, from a random place.`;
}

customElements.define('teach-view', TeachView);
