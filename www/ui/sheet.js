// @ts-check
// <side-sheet label="…">: occasional settings, over the page: at its side, or from below on a phone. A
// native dialog traps the focus and closes on Escape.
import { button, h } from './h.js';

export class SideSheet extends HTMLElement {
  #dialog = h('dialog', { class: 'sheet' });

  connectedCallback() {
    if (this.#dialog.isConnected) return;
    const title = h('h2', { id: `${this.id}-title` }, this.getAttribute('label') ?? '');
    const close = button('×', () => this.close(), { class: 'sheet-close', 'aria-label': 'Close' });
    this.#dialog.setAttribute('aria-labelledby', title.id);
    this.#dialog.append(h('div', { class: 'sheet-top' }, title, close), ...this.childNodes);
    // A click outside hits the dialog itself, since its content covers the rest.
    this.#dialog.addEventListener('click', ({ target, clientX, clientY }) => {
      const { left, right, top, bottom } = this.#dialog.getBoundingClientRect();
      const inside = clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
      if (target === this.#dialog && !inside) this.close();
    });
    this.append(this.#dialog);
  }

  open() {
    this.#dialog.showModal();
  }

  close() {
    this.#dialog.close();
  }
}

customElements.define('side-sheet', SideSheet);
