// @ts-check
// <sample-picker for="…" label="…">: bundled pictures, one click each, and buttons for the visitor's own, one of which is a label
// for that input. It emits `sample` with {name, file, url}, and `camera`.
import { PageCode, TesseraeError } from '../engine/protocol.js';
import { button, h } from './h.js';

/** @typedef {{name: string, file: string, url: string}} Sample */

const SAMPLES = [
  { name: 'astronaut', file: 'astronaut.png', label: 'Astronaut' },
  { name: 'chelsea', file: 'chelsea.png', label: 'Cat' },
  { name: 'coffee', file: 'coffee.png', label: 'Coffee' },
  { name: 'rocket', file: 'rocket.jpg', label: 'Rocket' },
];

export class SamplePicker extends HTMLElement {
  /** @type {Map<string, HTMLButtonElement>} */ #buttons = new Map();

  connectedCallback() {
    if (this.firstChild) return;
    for (const { name, file, label } of SAMPLES) this.#buttons.set(name, this.#button(name, file, label));
    const title = `${this.id}-title`;
    const list = h('div', { class: 'samples-list', role: 'group', 'aria-labelledby': title }, ...this.#buttons.values());
    list.append(h('label', { class: 'sample sample-own', for: this.getAttribute('for') ?? '' }, 'Your own'));
    if (navigator.mediaDevices) {
      const open = () => this.dispatchEvent(new CustomEvent('camera'));
      list.append(button('Camera', open, { class: 'sample sample-own sample-camera' }));
    }
    this.append(h('p', { class: 'samples-title', id: title }, this.getAttribute('label') ?? ''), list);
  }

  /** @param {string | null} name the sample on the stage, if it is one */
  mark(name) {
    for (const [sample, element] of this.#buttons) element.setAttribute('aria-pressed', String(sample === name));
  }

  /** @param {string} name @param {string} file @param {string} label */
  #button(name, file, label) {
    const url = new URL(`samples/${file}`, document.baseURI).href;
    const choose = () => this.dispatchEvent(new CustomEvent('sample', { detail: { name, file, url } }));
    const image = h('img', { src: url, alt: '', width: 96, height: 96, decoding: 'async' });
    const element = button('', choose, { class: 'sample', 'data-sample': name, 'aria-pressed': 'false' });
    element.append(image, h('span', {}, label));
    return element;
  }
}

/** The file of a sample. @param {Sample} sample */
export async function sampleFile({ file, url }) {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) throw new TesseraeError(PageCode.DOWNLOAD_FAILED, 'This sample could not be loaded.');
  const blob = await response.blob();
  return new File([blob], file, { type: blob.type });
}

customElements.define('sample-picker', SamplePicker);
