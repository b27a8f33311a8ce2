// @ts-check
// The mode that trains the model in use; the result is kept as another model, or downloaded.
import { button, field, h } from '../../ui/h.js';
import { Choices } from './choices.js';
import './view.js';

/** @typedef {import('../../engine/protocol.js').Tuning} Tuning */
/** @typedef {import('../../engine/protocol.js').Loaded} Loaded */
/** @typedef {import('./mode.js').Mode} Mode */

const NAME_LENGTH = 24;

/** @implements {Mode} */
export class TuningMode {
  id = /** @type {const} */ ('tune');
  title = 'Fine-tune';
  lead = 'Trains the model on your own pictures, on this device. The model in use does not change until you keep the result.';
  words = {
    what: 'tuning',
    preparing: 'Preparing the tuning',
    stop: 'Stop',
    undo: 'Undo',
    until: 'keep or undo it',
    rate: 'Start with a tenth of the learning rate',
    memory: 'Start with crops of',
  };
  single = true;
  early = true;
  free = false;
  #choices = new Choices();
  fields = this.#choices.element;
  view = h('tune-view', { id: 'tune-view', hidden: true });
  #name = h('input', { id: 'tune-name', type: 'text', maxlength: NAME_LENGTH, required: true, autocomplete: 'off' });
  #save = button('Download', () => this.keep.reportValidity() && this.#run.download(this.#name.value), { id: 'tune-save' });
  keep = h(
    'form',
    { id: 'tune-keep', class: 'tune-keep' },
    field('Name', this.#name),
    h('button', { type: 'submit', class: 'button primary' }, 'Keep'),
    this.#save,
  );
  #run;
  #stem = 'picture';

  /** @param {import('./run.js').Run} run */
  constructor(run) {
    this.#run = run;
    this.keep.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (await run.keep(this.#name.value)) this.#name.value = '';
    });
  }

  /** Only nearest-code quantizers can be trained. @param {Loaded} loaded */
  refuses({ model }) {
    const { quantizer } = /** @type {{quantizer?: string}} */ (model.config);
    return quantizer === 'gumbel' ? 'This model cannot be fine-tuned, because it does not pick the nearest codes.' : '';
  }

  /** @param {Loaded} loaded */
  model({ model }) {
    this.#choices.codebook = model.grids.length > 0;
  }

  /** @param {string} model @param {Blob[]} pictures @param {import('./mode.js').Fit} fit @param {string} stem @returns {Tuning} */
  chosen(model, pictures, fit, stem) {
    this.#stem = stem;
    return { model, photos: pictures.map((blob) => ({ blob, ...fit })), config: this.#choices.config, losses: [] };
  }

  /** @param {import('./mode.js').Training} tuning */
  fill(tuning) {
    this.#choices.config = /** @type {Tuning} */ (tuning).config;
  }

  /** @param {import('./mode.js').Begun} begun @param {import('./mode.js').Training} tuning @param {Loaded} loaded */
  begun(begun, { config, losses }, { model }) {
    const codes = model.codebookSize * model.grids.length;
    this.view.begin(/** @type {import('../../engine/protocol.js').Begun} */ (begun), config.steps, [...losses], codes);
    this.#name.value ||= `${this.#stem}-${this.#choices.preset}`.slice(0, NAME_LENGTH);
  }

  /** @param {import('../../engine/protocol.js').Stepped['now']} now */
  preview(now) {
    this.view.preview(/** @type {import('../../engine/protocol.js').Preview} */ (now));
  }

  ended() {}

  gone() {}

  /** @param {number} side */
  smaller(side) {
    this.#choices.crop = side;
  }

  slower() {
    this.#choices.rate = Number((this.#choices.config.learning_rate / 10).toPrecision(3));
  }
}
