// @ts-check
// Watch it learn: each of the five ways is trained from random weights on handwritten digits, in this tab.
import { WAYS } from '../../session/comparing.js';
import { RANGES } from '../../session/sampling.js';
import { copyButton } from '../../ui/copy.js';
import { button, field, h } from '../../ui/h.js';
import { chipField, chips } from '../shared/chips.js';
import { Lesson } from './learn-lesson.js';
import { LearnRun } from './learn-run.js';
import { LearnView } from './learn-view.js';
import { TRAININGS } from './learn-ways.js';
import { tuningNote } from './tuning-note.js';

/** @typedef {import('../../session/comparing.js').Comparing} Comparing */
/** @typedef {Lesson['state']} State */

/** What the button says. @type {Record<State, string>} */
const GO = {
  idle: 'Start',
  starting: 'Pause',
  running: 'Pause',
  pausing: 'Pausing',
  paused: 'Go on',
  ended: 'Start over',
  gone: 'Start over',
};
const REPLACED = 'The engine no longer has this training, so its weights cannot be saved.';
const FAILED = 'It has ended, and has usually failed by now, as described above.';

export class LearnMode {
  id = /** @type {const} */ ('learn');
  title = 'Watch it learn';
  lead =
    'Train each of the five from random weights, in this tab, on 2,000 handwritten digits. Nothing is prepared: what you see is all that it has learned so far.';
  go = '';
  typed = {};
  from = '';
  what = '';
  seeds = null;
  fields = null;
  /** @type {import('./mode.js').Task[]} */ tasks = [];
  #run;
  /** Whether this mode is chosen. */ #open = false;
  #seen = new LearnView();
  /** Of each way, and of each that is made to fail. @type {Map<string, Lesson>} */ #lessons = new Map();
  #lesson = this.#of('vae', false);
  #ways = chipField(
    'learn-ways',
    'What to train',
    chips(
      'learn-way',
      TRAININGS.map(({ id, title }) => [id, title]),
    ),
  );
  #words = h('p', { class: 'learn-what' });
  #fail = h('input', { id: 'learn-fail', type: 'checkbox', 'aria-describedby': 'learn-why' });
  #failing;
  #why = h('p', { id: 'learn-why', class: 'learn-why' });
  #start = h('button', { type: 'submit', id: 'learn-run', class: 'button primary' });
  #over = button('Start over', () => this.#begin(), { id: 'learn-over' });
  #save = button('Save the weights', () => this.#run.save(this.#lesson), { id: 'learn-save' });
  #seed;
  #end = h('p', { id: 'learn-end', class: 'learn-end' });
  view;

  /** @param {import('../../session/session.js').Session} session @param {(changed: Partial<Comparing>) => void} change */
  constructor(session, change) {
    const { address } = session;
    const show = (/** @type {Lesson} */ { training: { id }, fail, seed }) => {
      address.go('compare');
      change({ mode: 'learn', way: id, fail, seed });
    };
    this.#run = new LearnRun(session, (lesson) => this.#changed(lesson), show);
    const [least, most] = RANGES.seed;
    this.#seed = h('input', { id: 'learn-seed', type: 'number', min: least, max: most, step: 1, required: true, autocomplete: 'off' });
    this.#failing = h(
      'div',
      { class: 'learn-failing' },
      h('div', { class: 'field-check' }, h('label', { for: 'learn-fail' }, this.#fail, ' Make it fail on purpose')),
      this.#why,
    );
    const copy = copyButton('Copy link', () => address.link(), { id: 'learn-link', class: 'button quiet' });
    const go = h('div', { class: 'learn-go' }, this.#start, field('Seed', this.#seed), this.#over, this.#save, copy);
    const tuning = tuningNote(session, 'A tuning is running. Training pauses it.');
    // A wrong seed must not keep it from being paused.
    const form = h('form', { class: 'learn-form', novalidate: true }, this.#ways, this.#words, this.#failing, go, tuning, this.#end);
    this.view = h('div', { class: 'learn-view' }, form, this.#seen.element);
    const value = (/** @type {Event} */ { target }) => /** @type {HTMLInputElement} */ (target).value;
    this.#ways.addEventListener('change', (event) => change({ way: WAYS.find((way) => way === value(event)) }));
    this.#fail.addEventListener('change', () => change({ fail: this.#fail.checked }));
    this.#seed.addEventListener('change', () => this.#seed.checkValidity() && address.compare({ seed: Number(this.#seed.value) }));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#press();
    });
    address.addEventListener('room', () => address.room !== 'compare' && this.#run.pause());
  }

  /** @param {Comparing} asked */
  fill({ mode, way, seed, fail }) {
    this.#open ||= mode === this.id;
    const lesson = this.#of(way, fail);
    for (const input of this.#ways.querySelectorAll('input')) input.checked = input.value === way;
    this.#seed.value = String(seed);
    this.#fail.checked = lesson.fail;
    // Only one is trained at a time, and one that is not seen waits.
    if (lesson !== this.#lesson) this.#run.pause();
    this.#lesson = lesson;
    this.#settle();
  }

  again() {
    return {};
  }

  live() {}

  leave() {
    if (!this.#open) return;
    this.#open = false;
    this.#run.leave();
  }

  /** @param {Comparing['way']} way @param {boolean} fail @returns {Lesson} */
  #of(way, fail) {
    const training = TRAININGS.find(({ id }) => id === way) ?? TRAININGS[0];
    const fails = fail && training.failure !== null;
    const key = `${training.id} ${fails}`;
    const lesson = this.#lessons.get(key) ?? new Lesson(training, fails);
    this.#lessons.set(key, lesson);
    return lesson;
  }

  #press() {
    const { state } = this.#lesson;
    if (state === 'running' || state === 'starting') this.#run.pause();
    else if (state === 'paused') this.#run.go(this.#lesson);
    else if (state !== 'pausing') this.#begin();
  }

  #begin() {
    if (!this.#seed.reportValidity()) return;
    this.#run.start(this.#lesson, Number(this.#seed.value));
  }

  /** @param {Lesson} lesson */
  #changed(lesson) {
    if (lesson !== this.#lesson) return;
    if (this.view.dataset.learn !== lesson.state) this.#settle();
    else this.#seen.refresh();
  }

  #settle() {
    const { state, live, fail, done, training } = this.#lesson;
    const { failure } = training;
    this.view.dataset.learn = state;
    this.#words.textContent = training.what;
    this.#failing.hidden = !failure;
    this.#why.hidden = !fail;
    if (failure) {
      this.#why.replaceChildren(
        h('strong', {}, 'What is wrong. '),
        failure.wrong,
        ' ',
        h('strong', {}, 'What to look for. '),
        failure.look,
      );
    }
    this.#start.textContent = GO[state];
    // Neither is to lose the focus, as a button does that is disabled or hidden.
    this.#start.setAttribute('aria-disabled', String(state === 'pausing'));
    this.#hide(this.#over, state !== 'paused' && state !== 'running');
    this.#hide(this.#save, state !== 'ended' || !live);
    const stopped = done ? `It was stopped after ${done} ${done === 1 ? 'step' : 'steps'}.` : 'It did not start.';
    const words = { ended: fail ? FAILED : training.end, gone: stopped };
    const said = state === 'ended' || state === 'gone' ? words[state] : '';
    this.#end.textContent = state === 'ended' && !live ? `${said} ${REPLACED}` : said;
    this.#seen.show(this.#lesson);
  }

  /** @param {HTMLElement} one @param {boolean} hidden */
  #hide(one, hidden) {
    if (hidden && one.matches(':focus')) this.#start.focus();
    one.hidden = hidden;
  }
}
