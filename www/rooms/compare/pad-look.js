// @ts-check
// What one model makes of the drawing: the frame of all of them, and that of a generator with a latent.
import { h } from '../../ui/h.js';
import { draw } from '../shared/pictures.js';
import { WHOLE } from './ways.js';

/** The bars show numbers from minus this to this, between which nearly all are. */
const REACH = 3;

/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */
/** @typedef {import('../../engine/client.js').EngineClient} Client */
/** @typedef {{picture: Pixels, class: number}} Drawing and what it is meant to be */
/**
 * @typedef {object} Look
 * @property {HTMLElement} element
 * @property {boolean} slow whether it waits until the pen rests
 * @property {(client: Client, drawing: Drawing, hear: () => void, free: () => boolean) => Promise<void>} look `hear` is called when it
 *   has begun, if it can be cancelled; of several jobs none begins unless it is `free` to
 * @property {() => void} wait it will look again when the pen rests
 * @property {() => void} clear nothing is drawn
 * @property {(why: string) => void} fail
 */

export class Frame {
  #at = h('p', { class: 'way-at' });
  element;

  /** @param {string} id @param {string} title @param {string} how it sees the drawing @param {(Node | string)[]} children */
  constructor(id, title, how, ...children) {
    this.element = h(
      'article',
      { class: 'look', 'data-look': id, 'data-drawn': 'no', 'aria-labelledby': `look-${id}` },
      h('h3', { id: `look-${id}` }, title),
      h('p', { class: 'note' }, how),
      ...children,
      this.#at,
    );
  }

  /** @param {boolean} drawn whether it shows the newest drawing @param {string} [text] */
  state(drawn, text = '') {
    this.element.dataset.drawn = drawn ? 'yes' : 'no';
    this.#at.textContent = text;
  }
}

/** A picture of a model's. @param {string} label */
export const pictureOf = (label) => h('canvas', { class: 'look-picture', width: 1, height: 1, role: 'img', 'aria-label': label });

/** Takes a picture away. @param {HTMLCanvasElement} canvas */
export function blank(canvas) {
  delete canvas.dataset.stale;
  Object.assign(canvas, { width: 1, height: 1 });
}

/** @implements {Look} */
export class LatentLook {
  #generator;
  #picture;
  #bars = h('div', { class: 'look-bars', role: 'img' });
  #frame;
  slow;

  /** @param {string} id @param {string} title @param {string} how @param {import('../../session/shelf.js').Generator} generator @param {boolean} slow */
  constructor(id, title, how, generator, slow) {
    this.#generator = generator;
    this.slow = slow;
    this.#picture = pictureOf(`What ${title} makes of the drawing`);
    this.#frame = new Frame(id, title, how, h('div', { class: 'look-pair' }, this.#picture, this.#bars));
    this.clear();
  }

  get element() {
    return this.#frame.element;
  }

  /** @param {Client} client @param {Drawing} drawing @param {() => void} hear */
  async look(client, { picture, class: kind }, hear) {
    const { entry, source } = this.#generator;
    if (this.slow) this.#frame.state(false, 'Searching …');
    const { latent, pixels } = await client.latent(source, picture, entry.classes?.length ? kind : null, this.slow ? hear : null);
    draw(this.#picture, pixels, null, WHOLE);
    this.#show([...latent]);
    this.#frame.state(true);
  }

  wait() {
    this.#picture.toggleAttribute('data-stale', true);
    this.#frame.state(false, 'Waits until the pen rests.');
  }

  clear() {
    blank(this.#picture);
    this.#show([]);
    this.#frame.state(false);
  }

  /** @param {string} why */
  fail(why) {
    this.#frame.state(false, why);
  }

  /** @param {number[]} latent */
  #show(latent) {
    const words = latent.map((value) => value.toFixed(1).replace('-', '−')).join(', ');
    this.#bars.setAttribute('aria-label', latent.length ? `Its ${latent.length} numbers: ${words}` : 'Its numbers, none yet');
    if (this.#bars.childElementCount !== latent.length) this.#bars.replaceChildren(...latent.map(() => h('span')));
    latent.forEach((value, i) => {
      const bar = /** @type {HTMLElement} */ (this.#bars.children[i]);
      bar.style.setProperty('--at', (Math.max(-REACH, Math.min(REACH, value)) / REACH).toFixed(3));
    });
  }
}
