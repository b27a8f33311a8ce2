// @ts-check
// A slider with its value, and a line that says what it does where that is needed. What it shows is exact even where the slider has no
// such position.
import { h } from './h.js';

/**
 * @typedef {object} Scale
 * @property {number} least @property {number} most @property {number} step of the slider's positions
 * @property {(position: number) => number} [value] what a position stands for, itself by default
 * @property {(value: number) => number} [position] where a value is
 * @property {(value: number) => string} [words] for a value
 */

export class Dial {
  #scale;
  #range;
  #reading = h('span', { class: 'dial-reading' });
  #value = 0;
  element;

  /**
   * @param {string} id @param {string} label in plain words @param {string} term the exact one @param {string} note
   * @param {Scale} scale @param {(value: number) => void} change called when the visitor has moved it
   * @param {(value: number) => void} [move] called as it moves
   */
  constructor(id, label, term, note, scale, change, move) {
    this.#scale = scale;
    const { least, most, step } = scale;
    this.#range = h('input', { id, type: 'range', min: least, max: most, step, ...(note && { 'aria-describedby': `${id}-note` }) });
    this.element = h(
      'div',
      { class: 'field dial' },
      h('label', { for: id }, `${label} `, h('span', { class: 'dial-term' }, `(${term})`)),
      this.#reading,
      this.#range,
      ...(note ? [h('p', { id: `${id}-note`, class: 'dial-note' }, note)] : []),
    );
    const value = scale.value ?? Number;
    this.#range.addEventListener('input', () => {
      this.#read(value(Number(this.#range.value)));
      move?.(this.#value);
    });
    this.#range.addEventListener('change', () => change(this.#value));
  }

  /** @param {number} value @param {Partial<Scale>} [scale] what is different by now */
  show(value, scale = {}) {
    Object.assign(this.#scale, scale);
    this.#range.max = String(this.#scale.most);
    this.#range.value = String(this.#scale.position?.(value) ?? value);
    this.#read(value);
  }

  /** @param {boolean} is */
  set disabled(is) {
    this.#range.disabled = is;
  }

  /** @param {number} value */
  #read(value) {
    this.#value = value;
    const words = this.#scale.words?.(value) ?? String(value);
    this.#reading.textContent = words;
    this.#range.setAttribute('aria-valuetext', words);
  }
}
