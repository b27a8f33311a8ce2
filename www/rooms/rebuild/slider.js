// @ts-check
// <stage-slider>: from a model's faithful decoder to its lifelike one, by a range or by a button at either end.
// It emits `move` when the visitor moves it; its position is in `data-value`, and it has `data-busy` until the
// picture matches.
import { button, h } from '../../ui/h.js';

/** Positions of the two ends. */
export const FAITHFUL = 0;
export const LIFELIKE = 100;
/** Finer steps make no visible difference. */
const STEP = 5;
const WORDS =
  'The same tokens can become a picture in two ways: faithful stays closer to your photo but looks soft; lifelike looks sharper but makes up fine texture. Anything in between is a mix of the two.';

export class StageSlider extends HTMLElement {
  #range = h('input', { type: 'range', min: FAITHFUL, max: LIFELIKE, step: STEP, 'aria-label': 'From faithful to lifelike' });
  #faithful = button('Faithful', () => this.move(FAITHFUL), { class: 'button quiet' });
  #lifelike = button('Lifelike', () => this.move(LIFELIKE), { class: 'button quiet' });
  // Screen readers get it from the range.
  #reading = h('span', { class: 'slider-reading', 'aria-hidden': 'true' });
  #note = h('p', { class: 'slider-note' });

  connectedCallback() {
    if (this.#range.isConnected) return;
    this.#range.addEventListener('input', () => this.move(this.value));
    this.append(this.#range, h('div', { class: 'slider-ends' }, this.#faithful, this.#reading, this.#lifelike), this.#note);
  }

  get value() {
    return Number(this.#range.value);
  }

  set value(value) {
    this.#range.value = String(value);
    this.dataset.value = String(value);
    this.#range.style.setProperty('--at', `${value}%`);
    const reading = `${value} % lifelike`;
    this.#reading.textContent = reading;
    this.#range.setAttribute('aria-valuetext', reading);
    this.#faithful.setAttribute('aria-pressed', String(value === FAITHFUL));
    this.#lifelike.setAttribute('aria-pressed', String(value === LIFELIKE));
  }

  /** Whether the picture does not match yet. @param {boolean} is */
  set busy(is) {
    this.toggleAttribute('data-busy', is);
  }

  /** A sentence on what will be downloaded; empty if nothing. @param {string} offer */
  set offer(offer) {
    this.#note.textContent = [WORDS, offer].filter(Boolean).join(' ');
  }

  /** Moves it as the visitor does. @param {number} value */
  move(value) {
    this.value = value;
    this.dispatchEvent(new CustomEvent('move'));
  }
}

customElements.define('stage-slider', StageSlider);
