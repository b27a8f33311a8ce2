// @ts-check
// The settings of a prior under “More”, in plain words with the exact term.
import { guided } from '../../session/priors.js';
import { COUNTS, DEFAULTS, RANGES } from '../../session/sampling.js';
import { Dial } from '../../ui/dial.js';
import { button, field, h, select } from '../../ui/h.js';

/** @typedef {import('../../session/priors.js').Prior} Prior */
/** @typedef {import('../../session/sampling.js').Sampling} Sampling */

/** The most steps that the slider offers: more change nothing that can be seen. */
const STEPS = 64;
const [HOT, COLD] = [RANGES.temperature[1], RANGES.temperature[0]];

export class More {
  #count;
  #order;
  #orderField;
  /** The last position of the slider for the number of codes, which is on a logarithmic scale. */ #all = 1;
  #change;
  #usual;
  #steps;
  #temperature;
  #guidance;
  #topK;
  #topP;
  element;

  /**
   * @param {string} id that those of its elements begin with @param {HTMLElement} made the choice of a prior
   * @param {(changed: Partial<Sampling>) => void} change called with what the visitor has changed
   * @param {Readonly<Sampling>} [usual] the usual settings
   */
  constructor(id, made, change, usual = DEFAULTS) {
    this.#change = change;
    this.#usual = usual;
    this.#count = select(
      `${id}-count`,
      COUNTS.map((count) => [String(count), count === 1 ? '1 picture' : `${count} pictures`]),
    );
    this.#order = select(`${id}-order`, [
      ['', 'Spread out (Halton)'],
      ['confidence', 'The surest first (confidence)'],
      ['raster', 'Row by row (raster)'],
    ]);
    this.#orderField = field('Where it draws first', this.#order);
    const dial = (/** @type {keyof Sampling} */ key) => (/** @type {number} */ value) => change({ [key]: value });
    this.#steps = new Dial(
      `${id}-steps`,
      'Rounds',
      'steps',
      'In more rounds fewer patches are drawn at once, so they fit together better.',
      { least: 1, most: STEPS, step: 1 },
      dial('steps'),
    );
    this.#temperature = new Dial(
      `${id}-temperature`,
      'Daring',
      'temperature',
      'Low stays with what is likely; high dares the unlikely, and makes more mistakes.',
      { least: COLD, most: HOT, step: 0.05, words: (value) => value.toFixed(2) },
      dial('temperature'),
    );
    this.#guidance = new Dial(
      `${id}-guidance`,
      'Insistence',
      'guidance',
      'Higher insists on the chosen kind, at the cost of variety; 1 does not insist at all.',
      { least: RANGES.guidance[0], most: RANGES.guidance[1], step: 0.25, words: (value) => value.toFixed(2) },
      dial('guidance'),
    );
    this.#topK = new Dial(
      `${id}-top-k`,
      'Choices for each patch',
      'top-k',
      'How many of the likeliest codes it draws from.',
      {
        least: 0,
        most: 1,
        step: 1,
        value: (position) => (position === this.#all ? 0 : 2 ** position),
        position: (codes) => (codes === 0 ? this.#all : Math.log2(codes)),
        words: (codes) => (codes === 0 ? 'all' : codes.toLocaleString('en')),
      },
      dial('top_k'),
    );
    this.#topP = new Dial(
      `${id}-top-p`,
      'Rare choices',
      'top-p',
      'Below 1 the unlikeliest codes are left out.',
      { least: RANGES.top_p[0], most: RANGES.top_p[1], step: 0.05, words: (value) => value.toFixed(2) },
      dial('top_p'),
    );
    this.#count.addEventListener('change', () => change({ count: Number(this.#count.value) }));
    this.#order.addEventListener('change', () => change({ order: /** @type {Sampling['order']} */ (this.#order.value || null) }));
    const dials = [this.#temperature, this.#guidance, this.#steps, this.#topK, this.#topP].map(({ element }) => element);
    this.element = h(
      'details',
      { id: `${id}-more`, class: 'more' },
      h('summary', {}, 'More'),
      h(
        'div',
        { class: 'more-fields' },
        field('How many', this.#count),
        made,
        this.#orderField,
        ...dials,
        button('Back to the usual settings', () => this.#reset(), { id: `${id}-reset`, class: 'button quiet' }),
      ),
    );
  }

  /** @param {Sampling} sampling fitted to the prior @param {Prior} prior */
  show(sampling, prior) {
    const { codes, rows, columns } = prior.entry.config;
    this.#all = Math.ceil(Math.log2(codes));
    this.#count.value = String(sampling.count);
    this.#order.value = sampling.order === 'halton' ? '' : (sampling.order ?? '');
    this.#orderField.hidden = this.#steps.element.hidden = !prior.masked;
    this.#steps.show(sampling.steps, { most: Math.max(sampling.steps, Math.min(STEPS, rows * columns)) });
    this.#temperature.show(sampling.temperature);
    this.#guidance.element.hidden = !prior.any || !prior.classes.length;
    this.#guidance.disabled = !guided(sampling, prior);
    this.#guidance.show(sampling.guidance);
    this.#topK.show(sampling.top_k, { most: this.#all });
    this.#topP.show(sampling.top_p);
  }

  #reset() {
    const { steps, temperature, guidance, top_k, top_p, order, count } = this.#usual;
    this.#change({ steps, temperature, guidance, top_k, top_p, order, count });
  }
}
