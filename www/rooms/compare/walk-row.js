// @ts-check
// A way from one picture to another: nine pictures, one of which is shown large.
import { h } from '../../ui/h.js';
import { draw } from '../shared/pictures.js';
import { Forming } from './forming.js';
import { STOPS } from './walkers.js';
import { WHOLE } from './ways.js';

/** @typedef {import('../../session/comparing.js').Comparing} Comparing */

export class WalkRow {
  title;
  #walk;
  #strip = new Forming(WHOLE);
  #large = h('canvas', { class: 'walk-large', width: 1, height: 1, role: 'img' });
  #at = h('p', { class: 'way-at' });
  /** The picture that is shown large. */ #stop = 0;
  element;

  /**
   * @param {string} id @param {string} title @param {import('./walkers.js').Walker} walk
   * @param {(stop: number) => void} pick called with the one that was pressed
   */
  constructor(id, title, walk, pick) {
    this.title = title;
    this.#walk = walk;
    this.#strip.element.classList.add('walk-strip');
    // A short cut for the slider, which does the same from the keyboard.
    this.#strip.element.addEventListener('click', ({ target }) => {
      const stop = [...this.#strip.element.children].indexOf(/** @type {Element} */ (target));
      if (stop >= 0) pick(stop);
    });
    this.element = h(
      'article',
      { class: 'walk-row', 'data-walk': id, 'data-drawn': 'no', 'aria-labelledby': `walk-${id}` },
      h('h3', { id: `walk-${id}` }, title),
      this.#large,
      this.#strip.element,
      this.#at,
    );
  }

  /** Shows another one large. @param {number} stop */
  show(stop) {
    this.#stop = stop;
    this.#large.setAttribute('aria-label', `${this.title}, picture ${stop + 1} of ${STOPS}`);
    [...this.#strip.element.children].forEach((canvas, i) => canvas.toggleAttribute('data-shown', i === stop));
    draw(this.#large, this.#strip.known(stop), null, WHOLE);
    this.#large.toggleAttribute('data-stale', this.#strip.old);
  }

  wait() {
    this.#strip.begin(Array.from({ length: STOPS }, (_, i) => `${this.title}, picture ${i + 1} of ${STOPS}`));
    this.#large.toggleAttribute('data-stale', true);
    this.rest('Waiting …');
  }

  /** @param {import('../../engine/client.js').EngineClient} client @param {Comparing} asked @param {(part: import('./ways.js').Part) => void} hear */
  async draw(client, asked, hear) {
    this.rest('Starting …');
    const pictures = await this.#walk(client, asked, (part) => {
      if (part.pictures.length) {
        this.#strip.part(part);
        this.show(this.#stop);
      }
      this.rest(part.steps > 1 ? `Step ${part.done} of ${part.steps}` : 'Drawing …');
      hear(part);
    });
    this.#strip.done(pictures);
    this.show(this.#stop);
    this.rest('');
    this.element.dataset.drawn = 'yes';
  }

  /** @param {string} why it is not drawn */
  rest(why) {
    this.element.dataset.drawn = 'no';
    this.#at.textContent = why;
  }
}
