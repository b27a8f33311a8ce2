// @ts-check
// From one picture to another, through the numbers in between; and the map of a model with only two numbers.
import { RANGES } from '../../session/sampling.js';
import { Dial } from '../../ui/dial.js';
import { field, h } from '../../ui/h.js';
import { chipField, chips } from '../shared/chips.js';
import { WalkMap } from './walk-map.js';
import { WalkRow } from './walk-row.js';
import { STOPS, byLatents, byNoise } from './walkers.js';
import { generatorOf } from './ways.js';

/** @typedef {import('../../session/comparing.js').Comparing} Comparing */

/** @type {[id: string, title: string, walker: (shelf: import('../../session/shelf.js').Shelf) => import('./walkers.js').Walker | null, words: string][]} */
const ROWS = [
  [
    'vae',
    'VAE',
    (shelf) => byNoise(shelf, 'digits-vae'),
    'One stroke melts into another, by way of soft ones: it was trained to leave no gaps between its digits.',
  ],
  [
    'gan',
    'GAN',
    (shelf) => byNoise(shelf, 'digits-gan'),
    'The edges stay hard all the way. Where one picture is no digit, its neighbours are none either.',
  ],
  [
    'vqvae',
    'VQ-VAE',
    (shelf) => byLatents(shelf, 'digits-ar', 'digits'),
    'Two drawn digits are mixed as latents, and each mixture takes the nearest codes: it jumps from code to code, on either path alike.',
  ],
  [
    'diffusion',
    'Diffusion',
    (shelf) => byNoise(shelf, 'digits-diffusion'),
    'It starts from noise, of which there is too little half-way along a straight line: strokes grow thin there, and black turns grey.',
  ],
];
const MIDDLE = (STOPS - 1) / 2;

export class WalkMode {
  id = /** @type {const} */ ('walk');
  title = 'Walk between two';
  lead =
    'A picture is made out of random numbers, the latent. Go from the numbers of one picture to those of another, and see what lies between.';
  go = 'Walk';
  what = 'What to draw';
  from = 'From seed';
  #to;
  fields = chipField(
    'comparing-path',
    'Path',
    chips('comparing-path', [
      ['straight', 'Straight'],
      ['spherical', 'Spherical'],
    ]),
  );
  #dial;
  #rows;
  seeds;
  view;
  /** @type {import('./mode.js').Task[]} */ tasks;

  /**
   * @param {import('../../session/session.js').Session} session @param {(changed: Partial<Comparing>) => void} change
   * @param {() => boolean} busy whether the room is drawing
   */
  constructor(session, change, busy) {
    const { shelf } = session.models;
    const [least, most] = RANGES.seed;
    this.#to = h('input', { id: 'comparing-to', type: 'number', min: least, max: most, step: 1, required: true, autocomplete: 'off' });
    this.seeds = field('to seed', this.#to);
    const shown = ROWS.filter(([, , walker]) => walker(shelf));
    this.#rows = shown.flatMap(([id, title, walker]) => {
      const walk = walker(shelf);
      return walk ? [new WalkRow(id, title, walk, (stop) => this.#show(stop))] : [];
    });
    const show = (/** @type {number} */ stop) => this.#show(stop);
    this.#dial = new Dial(
      'comparing-stop-at',
      'On the way',
      'between the two seeds',
      '',
      { least: 0, most: STOPS - 1, step: 1, words: (stop) => `${stop + 1} of ${STOPS}` },
      show,
      show,
    );
    const plane = generatorOf(shelf, 'digits-vae-2d');
    const map = plane && new WalkMap(session, plane, busy);
    this.tasks = [...this.#rows, ...(map ? [map] : [])];
    const note =
      'A straight path passes where the numbers are smaller than random ones are; a spherical path keeps their size. Every model has numbers of its own, so the same seed is another picture in each.';
    this.view = h(
      'div',
      { class: 'walk-view' },
      this.#dial.element,
      h('div', { class: 'walk-rows' }, ...this.#rows.map(({ element }) => element)),
      h('ul', { class: 'walk-words' }, ...shown.map(([, title, , words]) => h('li', {}, h('strong', {}, `${title}. `), words))),
      h('p', { class: 'note' }, note),
      ...(map ? [map.element] : []),
    );
    this.fields.addEventListener('change', (event) => {
      change({ path: /** @type {HTMLInputElement} */ (event.target).value === 'straight' ? 'straight' : 'spherical' });
    });
    this.#show(MIDDLE);
  }

  /** @param {Comparing} asked */
  fill({ path, to }) {
    for (const input of this.fields.querySelectorAll('input')) input.checked = input.value === path;
    this.#to.value = String(to);
  }

  get typed() {
    return { to: Number(this.#to.value) };
  }

  /** @param {Comparing} asked the walk goes on from where it ended */
  again({ to }) {
    return { seed: to, to: to === RANGES.seed[1] ? RANGES.seed[0] : to + 1 };
  }

  /** @param {number} stop */
  #show(stop) {
    this.#dial.show(stop);
    for (const row of this.#rows) row.show(stop);
  }
}
