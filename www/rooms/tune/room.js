// @ts-check
// Fine-tune: trains the model in use on the visitor's pictures, or teaches a small prior to make pictures like them,
// on this device; the result is kept, drawn with, downloaded or discarded.
//
// Hooks for end-to-end tests, kept stable:
//   #tune               [data-tuning=idle|preparing|running|pausing|stopping|paused|ended]
//   #tune-mode          input[value=tune|teach]
//   #tune-run #tune-step #tune-stop #tune-undo #tune-save and the button in #tune-keep, with #tune-name
//   #tune-at #tune-loss #tune-codes have data-value, #tune-view one picture in each figure[data-stage=seen|before|now]
//   #tune-preset #tune-parts #tune-objective #tune-steps #tune-rate #tune-crop  the settings
//   #teach-size #teach-steps #teach-name  the settings of the other mode
//   #teach-at #teach-loss #teach-window #teach-view with figure[data-stage=yours|now];  #teach-draw #teach-save
//   #tune-pictures      its file input is #tune-files; #tune-camera takes pictures
//   #tune-not           why the model in use cannot be trained
//   #tune-left          whether it survives closing this page
import { Code, PageCode } from '../../engine/protocol.js';
import { purpose } from '../../files.js';
import { button, h, on } from '../../ui/h.js';
import { chipField, chips } from '../shared/chips.js';
import { Run } from './run.js';
import { TeachingMode } from './teaching.js';
import { TuningMode } from './tuning.js';
import './pictures.js';

/** @typedef {import('../../engine/protocol.js').Photo} Photo */
/** @typedef {import('./mode.js').Mode} Mode */
/** @typedef {import('./run.js').State} State */

/** @type {Record<import('../../engine/protocol.js').Kept, (words: Mode['words']) => string>} */
const KEPT = {
  yes: ({ what, until }) => `This ${what} is saved in the browser’s private files until you ${until}, so you may close this page.`,
  no: ({ what }) => `This browser does not store files for this page, so this ${what} is lost when you close it.`,
  other: ({ what }) => `Another tab of this page is tuning too, so this ${what} is lost when you close this page.`,
  left: ({ what }) => `An earlier one is still saved to be resumed, so this ${what} is lost when you close this page.`,
};
/** @type {Partial<Record<State, string>>} */
const RUN = { running: 'Pause', pausing: 'Pausing', paused: 'Resume' };
/** States without work in progress. @type {State[]} */
const RESTING = ['idle', 'paused', 'ended'];

class Tune {
  #session;
  #run;
  /** @type {Mode[]} */ #modes;
  /** @type {Mode} */ #mode;
  #pictures = h('picture-list', { id: 'tune-pictures' });
  #start = h('button', { type: 'submit', id: 'tune-run', class: 'button primary' });
  #step = button('Step', () => this.#form.reportValidity() && this.#run.go(1), { id: 'tune-step' });
  #stop = button('', () => this.#run.stop(), { id: 'tune-stop' });
  #undo = button('', () => this.#run.undo(), { id: 'tune-undo' });
  #not = h('p', { id: 'tune-not', class: 'note tune-not', hidden: true });
  #lead = h('p', { class: 'room-lead' });
  #left = h('p', { id: 'tune-left', class: 'note' });
  #choices;
  #form;
  /** The picture that is shown, if it is not the first of those that were added here. @type {Photo | null} */ #photo = null;
  #stem = 'picture';
  #steps = 1;
  element;

  /** @param {import('../../session/session.js').Session} session @param {import('../../rooms.js').Rooms} rooms */
  constructor(session, rooms) {
    this.#session = session;
    this.#run = new Run(session, this.#face());
    this.#modes = [new TuningMode(this.#run), new TeachingMode(session, this.#run, rooms)];
    this.#mode = this.#modes[0];
    const options = chips(
      'tune-mode',
      this.#modes.map(({ id, title }) => [id, title]),
    );
    const modes = chipField('tune-mode', 'What to do', options);
    this.#choices = h('fieldset', { id: 'tune-choices', class: 'tune-choices' }, modes, this.#pictures, ...this.#parts('fields'));
    const actions = h('p', { class: 'actions' }, this.#start, this.#step, this.#stop, this.#undo);
    this.#form = h('form', { id: 'tune-form' }, this.#choices, this.#not, actions);
    const board = h('div', { class: 'tune-board' }, this.#form, ...this.#parts('view'), ...this.#parts('keep'), this.#left);
    const title = h('h2', { class: 'room-title' }, 'Fine-tune');
    this.element = h('section', { id: 'tune', class: 'room tune', 'aria-label': 'Fine-tune' }, title, this.#lead, board);
    modes.addEventListener('change', (event) => this.#switch(/** @type {HTMLInputElement} */ (event.target).value));
    this.#switch('tune');
    this.#listen();
    this.#model();
    if (session.photo) this.#show(session.photo);
  }

  /** @param {File[]} files */
  take(files) {
    // A running training keeps the pictures that it started with.
    if (this.#run.state === 'idle') this.#pictures.add(files.filter(({ name }) => purpose(name) === 'picture'));
  }

  /** Resumes the unfinished training. */
  async resume() {
    const { left, models, alerts } = this.#session;
    const found = await left.take();
    if (!found) {
      left.look();
      const message = 'This tuning is no longer here: another tab has resumed or discarded it.';
      return this.#session.complain({ code: PageCode.TUNING_GONE, message });
    }
    const { tuning, snapshot } = found;
    if (models.inUse?.name !== tuning.model) {
      const source = models.source(tuning.model);
      if (!source) {
        const message = `This tuning is of ${tuning.model}, which is not here: drop its file, then resume.`;
        return this.#session.complain({ code: Code.MODEL_UNKNOWN, message });
      }
      if (!(await models.use(source))) return;
    }
    alerts.clear();
    this.#switch('goal' in tuning ? 'teach' : 'tune');
    this.#mode.fill(tuning);
    this.#show({ photo: tuning.photos[0], stem: 'picture' });
    this.#pictures.fill(tuning.photos.slice(1).map(({ blob }) => blob));
    if (await this.#run.begin(tuning, snapshot)) await this.#run.go(Infinity);
  }

  /** @returns {import('./run.js').Face} */
  #face() {
    return {
      state: () => this.#settle(),
      begun: (begun, tuning, loaded) => {
        this.#steps = tuning.config.steps;
        this.#mode.begun(begun, tuning, loaded);
        this.#left.textContent = KEPT[begun.kept](this.#mode.words);
      },
      step: (step) => {
        this.#mode.view.step(step);
        if (step.now) this.#mode.preview(step.now);
        this.#tell();
      },
      rests: (now, done) => (this.#mode.preview(now), this.#mode.view.back(done)),
      ended: () => this.#mode.ended(),
      gone: () => {
        this.#mode.gone();
        this.#mode.view.hidden = true;
        this.#left.textContent = '';
      },
      chosen: () => this.#chosen(),
      words: () => this.#mode.words,
      slower: () => this.#mode.slower(),
      smaller: (side) => this.#mode.smaller(side),
    };
  }

  #listen() {
    const { models, camera } = this.#session;
    models.addEventListener('model', () => (this.#run.model(models.inUse), this.#model()));
    on(this.#session, 'photo', (/** @type {import('../../session/session.js').Shown} */ shown) => this.#show(shown));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#run.state === 'running') this.#run.pause();
      else this.#run.go(Infinity);
    });
    this.#pictures.addEventListener('change', () => this.#settle());
    on(this.#pictures, 'camera', async (/** @type {number} */ most) => this.#pictures.add(await camera.take(most)));
    on(this.#pictures, 'refuse', (/** @type {number} */ most) => {
      const message = `A model can be trained on at most ${most} pictures; the rest were left out.`;
      this.#session.complain({ code: PageCode.TOO_MANY, message });
    });
  }

  /** @param {'fields' | 'view' | 'keep'} part of each mode */
  #parts(part) {
    return this.#modes.map((mode) => mode[part]);
  }

  /** Another mode. @param {string} id */
  #switch(id) {
    this.#mode = this.#modes.find((mode) => mode.id === id) ?? this.#modes[0];
    const { lead, words, free } = this.#mode;
    for (const mode of this.#modes) mode.fields.hidden = mode !== this.#mode;
    for (const input of this.#choices.querySelectorAll('#tune-mode input')) {
      const radio = /** @type {HTMLInputElement} */ (input);
      radio.checked = radio.value === this.#mode.id;
    }
    this.#lead.textContent = lead;
    this.#stop.textContent = words.stop;
    this.#undo.textContent = words.undo;
    this.#pictures.free = free;
    this.#settle();
  }

  #model() {
    const { inUse } = this.#session.models;
    if (inUse) for (const mode of this.#modes) mode.model(inUse);
    this.#settle();
  }

  /** The picture that is on the stage. @param {import('../../session/session.js').Shown} shown */
  #show({ photo, stem }) {
    this.#photo = photo;
    this.#stem = stem;
    this.#settle();
  }

  #chosen() {
    const { settings } = this.#session.address;
    const { maxSide, square } = this.#photo ?? { maxSide: Number(settings.size), square: settings.square };
    return this.#mode.chosen(this.#session.models.inUse?.name ?? '', this.#pictures.pictures, { maxSide, square }, this.#stem);
  }

  /** Shows the progress in the room's link. */
  #tell() {
    const { hidden, losses } = this.#mode.view;
    this.#session.work('tune', RESTING.includes(this.#run.state) ? -1 : hidden ? null : losses.length / this.#steps);
  }

  #settle() {
    // Before there is anything to show.
    if (!this.element) return;
    const { state } = this.#run;
    const { inUse } = this.#session.models;
    const { view, single, early } = this.#mode;
    const idle = state === 'idle';
    const ended = state === 'ended';
    // A running training keeps the pictures that it started with.
    if (idle && this.#photo) this.#pictures.begin(this.#photo.blob);
    const not = inUse ? this.#mode.refuses(inUse) : '';
    const able = !idle || (inUse && !not && this.#pictures.pictures.length > 0);
    const begun = !idle && !view.hidden;
    const rests = state === 'paused' || ended;
    this.element.dataset.tuning = state;
    this.#not.textContent = `${not} Choose another under “Model”.`;
    this.#not.hidden = !not;
    this.#choices.disabled = !idle;
    this.#start.textContent = RUN[state] ?? 'Start';
    this.#start.hidden = ended;
    this.#step.hidden = ended || !single;
    this.#start.disabled = !able || !['idle', 'running', 'paused'].includes(state);
    this.#step.disabled = !able || !['idle', 'paused'].includes(state);
    this.#stop.hidden = !begun || ended;
    this.#stop.disabled = !['running', 'paused'].includes(state);
    this.#undo.hidden = !begun;
    this.#undo.disabled = !rests;
    for (const mode of this.#modes) mode.keep.hidden = mode !== this.#mode || !(ended || (early && rests)) || view.losses.length === 0;
    this.#tell();
  }
}

/** @type {import('../index.js').Create} */
export const create = (session, rooms) => new Tune(session, rooms);
