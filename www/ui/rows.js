// @ts-check
// Rows of numbers, each a label and a value. A value's element has the bare number in `data-value`,
// for programs that read the page.
import { h } from './h.js';

export class Rows {
  list = h('dl');
  /** @type {Record<string, HTMLElement>} */ #values = {};

  /** @param {string[][]} rows the id of each value, its label and, for some, an explanation */
  constructor(rows) {
    for (const [id, label, title = ''] of rows) {
      this.#values[id] = h('dd', { id });
      this.list.append(h('div', { title: title || false }, h('dt', {}, label), this.#values[id]));
    }
  }

  /** @param {string} id @param {string} text @param {number | ''} value @param {string} [note] in small print */
  put(id, text, value, note = '') {
    const dd = this.#values[id];
    dd.replaceChildren(text, ...(note ? [' ', h('small', {}, note)] : []));
    dd.dataset.value = String(value);
  }

  /** @param {string} id */
  text(id) {
    return this.#values[id].textContent;
  }

  /** @param {string} id @param {boolean} shown */
  show(id, shown) {
    /** @type {HTMLElement} */ (this.#values[id].parentElement).hidden = !shown;
  }
}
