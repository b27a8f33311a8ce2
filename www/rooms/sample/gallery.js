// @ts-check
// The pictures, each of which can be picked, to be saved or opened.
import { button, h } from '../../ui/h.js';
import { Pictures } from '../shared/pictures.js';

/** @typedef {import('../../engine/protocol.js').Drawn} Drawn */
/** @typedef {import('../../session/priors.js').Prior} Prior */
/** @typedef {Record<'open' | 'savePicture' | 'saveTokens', (index: number) => unknown>} Actions for the picture of this number */

export class Gallery {
  #pictures = new Pictures('sampling-pictures', 'Pictures', () => this.#tell());
  #picked = h('p', { class: 'gallery-picked' });
  #actions;

  /** @param {HTMLElement} place @param {Actions} actions @param {HTMLElement} link */
  constructor(place, { open, savePicture, saveTokens }, link) {
    const of = (/** @type {(index: number) => unknown} */ act) => () => act(this.#pictures.chosen);
    this.#actions = h(
      'fieldset',
      { class: 'gallery-actions', disabled: true },
      this.#picked,
      h(
        'div',
        { class: 'actions' },
        button('Open in Rebuild', of(open), { id: 'sampling-open' }),
        button('Save picture', of(savePicture), { id: 'sampling-save-picture' }),
        button('Save tokens', of(saveTokens), { id: 'sampling-save-tokens' }),
        link,
      ),
    );
    place.append(this.#pictures.element, this.#actions);
  }

  /**
   * Makes room for pictures of these seeds.
   * @param {Prior} prior @param {number} seed @param {number} count
   */
  begin({ entry }, seed, count) {
    this.#actions.disabled = true;
    this.#pictures.begin(
      entry.config,
      Array.from({ length: count }, (_, i) => `Picture ${i + 1}, seed ${seed + i}`),
    );
    this.#tell();
  }

  /** @param {import('../../engine/protocol.js').SamplePart} part */
  part(part) {
    this.#pictures.part(part);
  }

  /** @param {Drawn[]} pictures */
  done(pictures) {
    this.#pictures.done(pictures);
    this.#actions.disabled = false;
  }

  #tell() {
    this.#picked.textContent = this.#pictures.label;
  }
}
