// @ts-check
// What the diffusion model makes of the drawing: it is buried in noise, and cleared in other ways.
import { RANGES } from '../../session/sampling.js';
import { Dial } from '../../ui/dial.js';
import { button, h } from '../../ui/h.js';
import { Forming } from './forming.js';
import { Frame } from './pad-look.js';
import { WHOLE, usual } from './ways.js';

/** Pictures at once. */
const COUNT = 4;
const STRENGTH = 0.6;

/** @typedef {import('./pad-look.js').Look} Look */

/** @implements {Look} */
export class NoiseLook {
  slow = true;
  #generator;
  #pictures = new Forming(WHOLE);
  #frame;
  #strength = STRENGTH;
  #seed = 1;

  /** @param {import('../../session/shelf.js').Generator} generator @param {() => void} change called when other pictures are wanted */
  constructor(generator, change) {
    this.#generator = generator;
    const dial = new Dial(
      'comparing-strength',
      'How deep in noise',
      'strength',
      'A little keeps the drawing as it is; a lot keeps only what it is meant to be.',
      { least: 0, most: 1, step: 0.05, words: (value) => value.toFixed(2) },
      (value) => {
        this.#strength = value;
        change();
      },
    );
    dial.show(STRENGTH);
    const again = button('Again', () => (this.#next(), change()), { id: 'comparing-again', class: 'button' });
    const how = 'The drawing is buried in noise, and the model clears it: four times, with other noise each time.';
    const pair = h('div', { class: 'look-pair' }, this.#pictures.element, h('div', { class: 'look-settings' }, dial.element, again));
    this.#frame = new Frame('diffusion', 'Diffusion', how, pair);
    this.clear();
  }

  get element() {
    return this.#frame.element;
  }

  /** @param {import('./pad-look.js').Client} client @param {import('./pad-look.js').Drawing} drawing @param {() => void} hear */
  async look(client, { picture, class: kind }, hear) {
    const { entry, source } = this.#generator;
    this.#begin();
    this.#frame.state(false, 'Starting …');
    const settings = { ...usual(this.#generator), seed: this.#seed, count: COUNT, strength: this.#strength };
    const options = { ...settings, class: entry.classes?.length ? kind : null };
    const { pictures } = await client.generate(
      source,
      options,
      (part) => {
        hear();
        this.#pictures.part(part);
        this.#frame.state(false, `Step ${part.done} of ${part.steps}`);
      },
      null,
      picture,
    );
    this.#pictures.done(pictures);
    this.#frame.state(true);
  }

  wait() {
    this.#begin();
    this.#frame.state(false, 'Waits until the pen rests.');
  }

  clear() {
    this.#begin();
    this.#pictures.clear();
    this.#frame.state(false);
  }

  /** @param {string} why */
  fail(why) {
    this.#frame.state(false, why);
  }

  #begin() {
    this.#pictures.begin(Array.from({ length: COUNT }, (_, i) => `The drawing cleared by the diffusion model, ${i + 1} of ${COUNT}`));
  }

  #next() {
    this.#seed = this.#seed + 2 * COUNT > RANGES.seed[1] ? 1 : this.#seed + COUNT;
  }
}
