// @ts-check
// <model-list>: a card for each model, with a remove button for the visitor's own, and a place to add
// one. It emits `choose` and `remove` with a name, and `files` with the files added.
import { button, h } from './h.js';

/** @typedef {{name: string, kind: string, facts: string[], purpose: string, url: string | null, own: boolean, kept: boolean}} Card */

export class ModelList extends HTMLElement {
  #list = h('ul', { class: 'cards' });
  #input = h('input', {
    type: 'file',
    id: 'model-file',
    class: 'visually-hidden',
    multiple: true,
    accept: '.safetensors,.ckpt,.pt,.pth,.bin,.json',
    'aria-label': 'Add a weight file',
  });

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.#input.addEventListener('change', () => {
      this.dispatchEvent(new CustomEvent('files', { detail: [...(this.#input.files ?? [])] }));
      // So that the same file can be chosen twice in a row.
      this.#input.value = '';
    });
    const bring = h(
      'label',
      { for: this.#input.id, class: 'cards-bring' },
      h('strong', {}, 'Add your own'),
      h(
        'span',
        {},
        'Choose a ',
        h('code', {}, '.safetensors'),
        ' file, with its ',
        h('code', {}, 'config.json'),
        ' if there is one, or drop them anywhere on the page.',
      ),
    );
    this.append(this.#list, this.#input, bring);
  }

  /** @param {Card[]} cards @param {string} inUse the name of the model in use, if there is one */
  show(cards, inUse) {
    const focused = this.#list.contains(document.activeElement)
      ? /** @type {HTMLElement} */ (document.activeElement).dataset.model
      : undefined;
    this.#list.replaceChildren(...cards.map((card) => this.#item(card, card.name === inUse)));
    for (const element of this.#list.querySelectorAll('button')) if (element.dataset.model === focused) element.focus();
  }

  /** @param {Card} card @param {boolean} inUse */
  #item({ name, kind, facts, purpose, url, own, kept }, inUse) {
    const choose = button('', () => this.#emit('choose', name), { class: 'card', 'data-model': name, 'aria-pressed': String(inUse) });
    choose.append(
      h('strong', { class: 'card-name' }, name),
      h('span', { class: 'card-kind' }, own ? (kept ? 'yours, saved here' : 'yours') : kind),
      h('span', { class: 'card-facts' }, facts.join(' · ')),
      h('span', { class: 'card-purpose' }, purpose),
    );
    const item = h('li', { 'data-own': own }, choose);
    if (url) item.append(h('a', { href: url, class: 'card-more' }, 'Model card', h('span', { class: 'visually-hidden' }, ` of ${name}`)));
    if (kept)
      item.append(
        button('Remove', () => this.#emit('remove', name), { class: 'card-more', 'aria-label': `Remove ${name} from this browser` }),
      );
    return item;
  }

  /** @param {string} type @param {string} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define('model-list', ModelList);
