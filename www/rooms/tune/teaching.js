// @ts-check
// The mode that trains a small prior on the tokens of the visitor's pictures; the room Sample then draws with it.
import { failure } from '../../engine/protocol.js';
import { save } from '../../files.js';
import { button, field, h, select } from '../../ui/h.js';
import './teach-view.js';

/** @typedef {import('../../engine/protocol.js').Teaching} Teaching */
/** @typedef {import('../../engine/protocol.js').Loaded} Loaded */
/** @typedef {import('./mode.js').Mode} Mode */

const NAME_LENGTH = 24;
const STEPS = 300;
/** Sides of the squares that the pictures are cropped to, in tokens; a prior that is trained here learns no more. */
const SIDES = [16, 8];
const DETAILS = '0';
const NOTE =
  'Whole pictures teach it what they show; for details it sees a small part at each step, and learns what they are made of. A few hundred steps suit a few pictures; you can stop at any time and keep what it has learned.';

/** @implements {Mode} */
export class TeachingMode {
  id = /** @type {const} */ ('teach');
  title = 'Teach it yours';
  lead =
    'Trains a small model on this device to make new pictures like yours. It learns which tokens go together in them, and the room Sample then draws with it.';
  words = {
    what: 'training',
    preparing: 'Reading the pictures',
    stop: 'Stop and keep',
    undo: 'Discard',
    until: 'discard it',
    rate: '',
    memory: 'Start with squares of',
  };
  single = false;
  early = false;
  free = true;
  #name = h('input', { id: 'teach-name', type: 'text', maxlength: NAME_LENGTH, autocomplete: 'off', placeholder: 'after a picture' });
  #size = select('teach-size', []);
  #steps = h('input', { id: 'teach-steps', type: 'number', required: true, min: 1, max: 100_000, step: 1, value: STEPS });
  fields = h(
    'div',
    { class: 'tune-fields teach-fields', hidden: true },
    field('Learns', this.#size, 'field-wide'),
    field('Steps', this.#steps),
    field('Name', this.#name),
    h('p', { class: 'note' }, NOTE),
  );
  view = h('teach-view', { id: 'teach-view', hidden: true });
  keep = h(
    'p',
    { id: 'teach-keep', class: 'actions' },
    button('Draw in Sample', () => this.#draw(), { id: 'teach-draw', class: 'button primary' }),
    button('Download', () => this.#save(), { id: 'teach-save' }),
  );
  #session;
  #run;
  #rooms;
  /** Of the training that is shown. */ #called = '';
  /** What the room Sample draws with, once it has it. @type {import('../../session/priors.js').Prior | null} */ #prior = null;

  /**
   * @param {import('../../session/session.js').Session} session @param {import('./run.js').Run} run
   * @param {import('../../rooms.js').Rooms} rooms
   */
  constructor(session, run, rooms) {
    this.#session = session;
    this.#run = run;
    this.#rooms = rooms;
  }

  /** @param {Loaded} loaded */
  refuses({ name, model: { grids } }) {
    if (!grids.length) return `${name} has no codebook, so there are no tokens of your pictures that another model could learn.`;
    return grids.length > 1 ? `${name} has two grids of tokens; only tokens of a single grid can be learned.` : '';
  }

  /** @param {Loaded} loaded */
  model({ model: { grids } }) {
    const at = Math.max(0, this.#size.selectedIndex);
    const [patch = 1] = grids;
    const sides = SIDES.map((side, i) => {
      const text = `Whole pictures, ${side * patch} pixels${i ? ': faster' : ''}`;
      return new Option(text, String(side * patch));
    });
    this.#size.replaceChildren(...sides, new Option(`Details, ${SIDES[0] * patch} pixels`, DETAILS));
    this.#size.selectedIndex = at;
  }

  /** @param {string} model @param {Blob[]} pictures @param {import('./mode.js').Fit} fit @param {string} stem @returns {Teaching} */
  chosen(model, pictures, fit, stem) {
    const [first] = pictures;
    const after = first instanceof File ? first.name.replace(/\.[^.]*$/, '') : stem;
    const side = Number(this.#size.value);
    const photo = side ? { maxSide: side, square: true } : fit;
    return {
      goal: 'prior',
      name: this.#fresh(this.#name.value.trim().toWellFormed() || after || 'mine'),
      model,
      photos: pictures.map((blob) => ({ blob, ...photo })),
      config: { steps: Number(this.#steps.value), seed: 0 },
      losses: [],
    };
  }

  /** @param {import('./mode.js').Training} training */
  fill(training) {
    const { name, photos, config } = /** @type {Teaching} */ (training);
    this.#name.value = name;
    this.#steps.value = String(config.steps);
    this.#size.value = photos[0].square ? String(photos[0].maxSide) : DETAILS;
    if (this.#size.selectedIndex === -1) this.#size.value = DETAILS;
  }

  /** @param {import('./mode.js').Begun} begun @param {import('./mode.js').Training} training @param {Loaded} loaded */
  begun(begun, training, { model }) {
    const { name, config, losses } = /** @type {Teaching} */ (training);
    this.#called = name;
    this.#prior = null;
    this.view.begin(/** @type {import('../../engine/protocol.js').Taught} */ (begun), config.steps, [...losses], model.grids[0]);
  }

  /** @param {import('../../engine/protocol.js').Stepped['now']} now */
  preview(now) {
    this.view.preview(/** @type {import('../../engine/protocol.js').Made} */ (now));
  }

  async ended() {
    if (this.view.losses.length) await this.#draw();
  }

  gone() {
    this.#prior = null;
  }

  /** @param {number} side */
  smaller(side) {
    this.#size.value = String(side);
    if (this.#size.selectedIndex === -1) this.#size.selectedIndex = SIDES.length - 1;
  }

  slower() {}

  /** Hands it to the room Sample, and goes there unless the visitor has gone elsewhere. */
  async #draw() {
    const prior = (this.#prior ??= await this.#adopted());
    if (!prior) return;
    if (this.#session.address.room !== 'tune') return this.#session.say(`${prior.entry.name} can be drawn with in Sample.`);
    // Told before it is opened, so that it does not begin with another prior.
    (await this.#rooms.get('sample'))?.draw?.(prior);
    await this.#rooms.go('sample');
  }

  async #adopted() {
    const weights = await this.#run.weights(this.#called);
    if (!weights) return null;
    const { bar, ownPriors } = this.#session;
    bar.begin('sample', 'Reading the weights');
    try {
      return await ownPriors.add([new File([weights], `${this.#called}.safetensors`)], true);
    } catch (error) {
      this.#session.complain(failure(error));
      return null;
    } finally {
      if (bar.kind === 'sample') bar.rest();
    }
  }

  async #save() {
    const weights = await this.#run.weights(this.#called);
    if (weights) save(weights, `${this.#called}.safetensors`, 'application/octet-stream');
  }

  /** A name that no prior here has. @param {string} wish */
  #fresh(wish) {
    const { models, ownPriors } = this.#session;
    const taken = new Set([...models.shelf.priors, ...ownPriors.all].map(({ entry }) => entry.name));
    let name = wish.slice(0, NAME_LENGTH);
    for (let i = 2; taken.has(name); i += 1) name = `${wish.slice(0, NAME_LENGTH - 3)} ${i}`;
    return name;
  }
}
