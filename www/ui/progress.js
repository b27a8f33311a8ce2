// @ts-check
// <work-progress>: one bar for downloads and work, shown while something is in progress. Within a job it
// never goes back.
import { button, h } from './h.js';

export class WorkProgress extends HTMLElement {
  #fill = h('div', { class: 'progress-fill' });
  #text = h('p', { class: 'progress-text', id: 'progress-text' });
  #track = h(
    'div',
    { class: 'progress-track', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-labelledby': 'progress-text' },
    this.#fill,
  );
  #at = 0;

  connectedCallback() {
    if (this.#track.isConnected) return;
    const cancel = button('Cancel', () => this.dispatchEvent(new CustomEvent('cancel')), { id: 'cancel', class: 'button quiet' });
    this.append(this.#track, this.#text, cancel);
    this.rest();
  }

  /** A new job begins at zero. @param {string} text */
  begin(text) {
    this.#at = 0;
    this.hidden = false;
    this.dataset.busy = 'true';
    this.to(0, text);
  }

  /** @param {number} fraction 0 to 1 @param {string} text @param {{done: number, total: number}} [bytes] of a download */
  to(fraction, text, bytes) {
    if (bytes) Object.assign(this.dataset, bytes);
    this.#at = Math.max(this.#at, Math.min(1, fraction));
    this.#fill.style.transform = `scaleX(${this.#at})`;
    this.#track.setAttribute('aria-valuenow', String(Math.round(this.#at * 100)));
    this.#text.textContent = text;
  }

  /** Nothing is in progress. */
  rest() {
    this.#at = 0;
    if (this.contains(document.activeElement)) document.querySelector('main')?.focus({ preventScroll: true });
    this.dataset.busy = 'false';
    this.hidden = true;
  }
}

customElements.define('work-progress', WorkProgress);
