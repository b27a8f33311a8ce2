// @ts-check
// Fine-tune: trains the model in use on the visitor's pictures, on this device; the result is kept,
// downloaded or undone.
//
// Hooks for end-to-end tests, kept stable:
//   #tune               [data-tuning=idle|preparing|running|pausing|stopping|paused|ended]
//   #tune-run #tune-step #tune-stop #tune-undo #tune-save and the button in #tune-keep, with #tune-name
//   #tune-at #tune-loss #tune-codes have data-value, #tune-view one picture in each figure[data-stage=seen|before|now]
//   #tune-preset #tune-parts #tune-objective #tune-steps #tune-rate #tune-crop  the settings
//   #tune-pictures      its file input is #tune-files; #tune-camera takes pictures
//   #tune-left          whether it survives closing this page
import { Code, PageCode } from '../../engine/protocol.js';
import { purpose } from '../../files.js';
import { button, field, h, on } from '../../ui/h.js';
import { Choices } from './choices.js';
import { Run } from './run.js';
import './pictures.js';
import './view.js';

/** @typedef {import('../../engine/protocol.js').Tuning} Tuning */
/** @typedef {import('../../engine/protocol.js').Photo} Photo */
/** @typedef {import('./run.js').State} State */

const NAME_LENGTH = 24;
/** @type {Record<import('../../engine/protocol.js').Begun['kept'], string>} */
const KEPT = {
  yes: 'This tuning is saved in the browser’s private files until you keep or undo it, so you may close this page.',
  no: 'This browser does not store files for this page, so this tuning is lost when you close it.',
  other: 'Another tab of this page is tuning too, so this tuning is lost when you close this page.',
  left: 'An earlier tuning is still saved to be resumed, so this one is lost when you close this page.',
};
/** @type {Partial<Record<State, string>>} */
const RUN = { running: 'Pause', pausing: 'Pausing', paused: 'Resume' };
/** States without work in progress. @type {State[]} */
const RESTING = ['idle', 'paused', 'ended'];

class Tune {
  #session;
  #run;
  #pictures = h('picture-list', { id: 'tune-pictures' });
  #choices = new Choices(this.#pictures);
  #view = h('tune-view', { id: 'tune-view', hidden: true });
  #start = h('button', { type: 'submit', id: 'tune-run', class: 'button primary' });
  #step = button('Step', () => this.#valid() && this.#run.go(1), { id: 'tune-step' });
  #stop = button('Stop', () => this.#run.stop(), { id: 'tune-stop' });
  #undo = button('Undo', () => this.#run.undo(), { id: 'tune-undo' });
  #untrainable = h(
    'p',
    { class: 'note tune-not', hidden: true },
    'This model cannot be fine-tuned, because it does not pick the nearest codes. Choose another under “Model”.',
  );
  #form = h(
    'form',
    { id: 'tune-form' },
    this.#choices.element,
    this.#untrainable,
    h('p', { class: 'actions' }, this.#start, this.#step, this.#stop, this.#undo),
  );
  #name = h('input', { id: 'tune-name', type: 'text', maxlength: NAME_LENGTH, required: true, autocomplete: 'off' });
  #save = button('Download', () => this.#named() && this.#run.finish(this.#name.value, false), { id: 'tune-save' });
  #keep = h(
    'form',
    { id: 'tune-keep', class: 'tune-keep' },
    field('Name', this.#name),
    h('button', { type: 'submit', class: 'button primary' }, 'Keep'),
    this.#save,
  );
  #left = h('p', { id: 'tune-left', class: 'note' });
  /** The picture that is shown, if it is not the first of those that were added here. @type {Photo | null} */ #photo = null;
  #stem = 'picture';
  #steps = 1;
  element = h(
    'section',
    { id: 'tune', class: 'room tune', 'aria-label': 'Fine-tune' },
    h('h2', { class: 'room-title' }, 'Fine-tune'),
    h(
      'p',
      { class: 'room-lead' },
      'Trains the model on your own pictures, on this device. The model in use does not change until you keep the result.',
    ),
    h('div', { class: 'tune-board' }, this.#form, this.#view, this.#keep, this.#left),
  );

  /** @param {import('../../session/session.js').Session} session */
  constructor(session) {
    this.#session = session;
    this.#run = new Run(session, {
      state: () => this.#settle(),
      begun: (begun, tuning, { model }) => {
        this.#steps = tuning.config.steps;
        this.#view.begin(begun, this.#steps, [...tuning.losses], model.codebookSize * model.grids.length);
        this.#left.textContent = KEPT[begun.kept];
        this.#name.value ||= `${this.#stem}-${this.#choices.preset}`.slice(0, NAME_LENGTH);
      },
      step: (step) => (this.#view.step(step), this.#tell()),
      rests: (now, done) => (this.#view.preview(now), this.#view.back(done)),
      gone: () => {
        this.#view.hidden = true;
        this.#left.textContent = '';
      },
      chosen: () => this.#chosen(),
      rate: (rate) => (this.#choices.rate = rate),
      crop: (side) => (this.#choices.crop = side),
    });
    this.#listen();
    this.#model();
    if (session.photo) this.#show(session.photo);
    this.#settle();
  }

  /** @param {File[]} files */
  take(files) {
    // A running tuning keeps the pictures that it started with.
    if (this.#run.state === 'idle') this.#pictures.add(files.filter(({ name }) => purpose(name) === 'picture'));
  }

  /** Resumes the unfinished tuning. */
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
    this.#choices.config = tuning.config;
    this.#show({ photo: tuning.photos[0], stem: 'picture' });
    this.#pictures.fill(tuning.photos.slice(1).map(({ blob }) => blob));
    if (await this.#run.begin(tuning, snapshot)) await this.#run.go(Infinity);
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
    this.#keep.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (await this.#run.finish(this.#name.value, true)) this.#name.value = '';
    });
    this.#pictures.addEventListener('change', () => this.#settle());
    on(this.#pictures, 'camera', async (/** @type {number} */ most) => this.#pictures.add(await camera.take(most)));
    on(this.#pictures, 'refuse', (/** @type {number} */ most) => {
      const message = `A model can be tuned on at most ${most} pictures; the rest were left out.`;
      this.#session.complain({ code: PageCode.TOO_MANY, message });
    });
  }

  #valid() {
    return this.#form.reportValidity();
  }

  #named() {
    return this.#keep.reportValidity();
  }

  #model() {
    const grids = this.#session.models.inUse?.model.grids;
    if (grids) this.#choices.codebook = grids.length > 0;
    this.#settle();
  }

  /** The picture that is on the stage. @param {import('../../session/session.js').Shown} shown */
  #show({ photo, stem }) {
    this.#photo = photo;
    this.#stem = stem;
    this.#settle();
  }

  /** @returns {Tuning} */
  #chosen() {
    const { settings } = this.#session.address;
    const { maxSide, square } = this.#photo ?? { maxSide: Number(settings.size), square: settings.square };
    return {
      model: this.#session.models.inUse?.name ?? '',
      photos: this.#pictures.pictures.map((blob) => ({ blob, maxSide, square })),
      config: this.#choices.config,
      losses: [],
    };
  }

  /** Shows the progress in the room's link. */
  #tell() {
    this.#session.work('tune', RESTING.includes(this.#run.state) ? -1 : this.#view.hidden ? null : this.#view.losses.length / this.#steps);
  }

  #settle() {
    const { state, trainable } = this.#run;
    const idle = state === 'idle';
    const ended = state === 'ended';
    // A running tuning keeps the pictures that it started with.
    if (idle && this.#photo) this.#pictures.begin(this.#photo.blob);
    const able = !idle || (trainable && this.#pictures.pictures.length > 0);
    const begun = !idle && !this.#view.hidden;
    const rests = state === 'paused' || ended;
    this.element.dataset.tuning = state;
    this.#untrainable.hidden = trainable || !this.#session.models.inUse;
    this.#choices.element.disabled = !idle;
    this.#start.textContent = RUN[state] ?? 'Start';
    this.#start.hidden = this.#step.hidden = ended;
    this.#start.disabled = !able || !['idle', 'running', 'paused'].includes(state);
    this.#step.disabled = !able || !['idle', 'paused'].includes(state);
    this.#stop.hidden = !begun || ended;
    this.#stop.disabled = !['running', 'paused'].includes(state);
    this.#undo.hidden = !begun;
    this.#undo.disabled = !rests;
    this.#keep.hidden = !rests || this.#view.losses.length === 0;
    this.#tell();
  }
}

/** @type {import('../index.js').Create} */
export const create = (session) => new Tune(session);
