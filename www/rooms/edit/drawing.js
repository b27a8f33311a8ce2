// @ts-check
// Fill, Extend and Vary: a prior draws some tokens of the picture anew, and the visitor chooses one of its proposals.
import { Code, failure } from '../../engine/protocol.js';
import { fitted, keyOf, nameOf, options } from '../../session/priors.js';
import { EDITING, RANGES } from '../../session/sampling.js';
import { button, field, h, select } from '../../ui/h.js';
import { chipField, classChips } from '../shared/chips.js';
import { More } from '../shared/more.js';
import { Pictures } from '../shared/pictures.js';

/** @typedef {import('../../session/priors.js').Prior} Prior */
/** @typedef {import('../../session/sampling.js').Sampling} Sampling */
/** @typedef {import('../../engine/protocol.js').Change} Change */
/** @typedef {import('./state.js').State} State */
/** @typedef {{base: State, change: Change, prior: Prior, asked: Sampling}} Work what was drawn, and of which picture */
/** @typedef {{label: string, change: (seed: number) => Change | string, done: () => void}} Way what a tool has drawn, or a sentence on why nothing can be */

export class Drawing {
  #session;
  #desk;
  #made = select('edit-prior', []);
  #madeField = field('Made by', this.#made);
  #classes = chipField('edit-classes', 'What to draw', []);
  #seed = h('input', {
    id: 'edit-seed',
    type: 'number',
    min: RANGES.seed[0],
    max: RANGES.seed[1],
    step: 1,
    required: true,
    autocomplete: 'off',
  });
  #run = h('button', { type: 'submit', id: 'edit-run', class: 'button primary' });
  #again = button('Other proposals', () => this.#others(), { id: 'edit-again', hidden: true });
  #stop = button('Stop', () => this.#session.client.cancelEdit(), { id: 'edit-stop', class: 'button quiet', hidden: true });
  #bar = h('div', { class: 'progress-fill' });
  #at = h('p', { id: 'edit-at', class: 'note', role: 'status' });
  #status = h('div', { class: 'go-status' }, h('div', { class: 'progress-track', 'aria-hidden': 'true' }, this.#bar), this.#at, this.#stop);
  #pictures = new Pictures('edit-proposals', 'Proposals', () => this.#choose());
  #more = new More('edit', this.#madeField, (changed) => this.#set(changed), EDITING);
  element = h(
    'form',
    { id: 'edit-form', class: 'edit-drawing', novalidate: true },
    this.#classes,
    h('div', { class: 'go' }, this.#run, field('Seed', this.#seed)),
    this.#status,
    this.#pictures.element,
    this.#again,
    this.#more.element,
  );
  /** @type {Prior[]} */ #priors = [];
  /** @type {Prior | null} */ #prior = null;
  /** @type {Sampling} */ #asked = EDITING;
  /** @type {Way | null} */ #way = null;
  /** What the proposals are of. @type {Work | null} */ #work = null;
  /** @type {State[]} */ #results = [];
  /** What was shown when it began. @type {State | null} */ #from = null;
  #turn = 0;

  /** @param {import('../../session/session.js').Session} session @param {import('./desk.js').Desk} desk */
  constructor(session, desk) {
    this.#session = session;
    this.#desk = desk;
    this.#pictures.element.hidden = true;
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#begin();
    });
    this.#made.addEventListener('change', () => this.#set({}, this.#made.value));
    this.#classes.addEventListener('change', (event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      this.#set({ class: value === 'any' ? null : Number(value) });
    });
    desk.addEventListener('change', () => {
      const { state } = desk;
      // The proposals are those of the picture that is shown.
      if (this.working ? state !== this.#from : !this.#results.some((result) => result === state)) this.leave();
    });
  }

  /** The priors that can draw. @param {Prior[]} priors at least one */
  offer(priors) {
    if (priors.length === this.#priors.length && priors.every((prior, i) => prior === this.#priors[i])) return;
    this.#priors = priors;
    this.#madeField.hidden = priors.length === 1;
    this.#made.replaceChildren(...priors.map((prior) => new Option(nameOf(prior), keyOf(prior))));
    this.#set({});
  }

  /** What the button is for. @param {Way} way */
  use(way) {
    if (way !== this.#way) this.leave();
    this.#way = way;
    this.#run.textContent = way.label;
  }

  /** Another tool is chosen, or another picture shown. */
  leave() {
    if (!this.#work) return;
    if (this.working) this.#session.client.cancelEdit();
    this.#forget();
    this.say('');
  }

  get working() {
    return !this.#stop.hidden;
  }

  /** @param {string} words */
  say(words) {
    this.#at.textContent = words;
  }

  /** @param {Partial<Sampling>} changed @param {string} [made] what tells the prior from the others, by default the same as before */
  #set(changed, made = this.#prior ? keyOf(this.#prior) : '') {
    const asked = { ...this.#asked, ...changed };
    const prior = this.#priors.find((one) => keyOf(one) === made) ?? this.#priors[0];
    if (!prior) return;
    if (prior !== this.#prior) {
      this.#prior = prior;
      this.#classes.hidden = !prior.classes.length;
      this.#classes.lastElementChild?.replaceChildren(...classChips('edit-class', prior.classes, prior.any));
    }
    this.#asked = fitted(asked, prior);
    this.#made.value = keyOf(prior);
    for (const input of this.#classes.querySelectorAll('input')) input.checked = input.value === String(this.#asked.class ?? 'any');
    this.#seed.value = String(this.#asked.seed);
    this.#more.show(this.#asked, prior);
  }

  /** Draws what the tool says. */
  #begin() {
    const base = this.#desk.state;
    if (!base || !this.#prior || !this.#way) return;
    const [least, most] = RANGES.seed;
    const seed = Math.round(Number(this.#seed.value));
    this.#set({ seed: seed >= least && seed <= most ? seed : EDITING.seed });
    const change = this.#way.change(this.#asked.seed);
    if (typeof change === 'string') return this.say(change);
    this.#draw({ base, change, prior: this.#prior, asked: this.#asked });
  }

  /** Draws the same again with other seeds. */
  #others() {
    const { base, change } = /** @type {Work} */ (this.#work);
    const { seed, count } = this.#asked;
    this.#set({ seed: seed + count > RANGES.seed[1] ? RANGES.seed[0] : seed + count });
    const vary = change.kind === 'vary' ? { ...change, seed: this.#asked.seed } : change;
    this.#draw({ base, change: vary, prior: /** @type {Prior} */ (this.#prior), asked: this.#asked });
  }

  /** @param {Work} work */
  async #draw(work) {
    const { base, change, prior, asked } = work;
    const { alerts, client } = this.#session;
    const mine = ++this.#turn;
    const newest = () => mine === this.#turn;
    const grid = gridOf(base, change);
    alerts.clear();
    this.#work = work;
    this.#from = this.#desk.state;
    this.#results = [];
    this.#pictures.element.hidden = false;
    this.#pictures.begin(
      grid,
      Array.from({ length: asked.count }, (_, i) => `Proposal ${i + 1}, seed ${asked.seed + i}`),
    );
    this.#pictures.chosen = 0;
    this.#progress(0, 1);
    this.#state(true);
    try {
      const { pictures, seconds } = await client.fill(prior.source, base.tokens, base.indices, change, options(asked, prior), (part) => {
        if (!newest()) return;
        this.#rest();
        this.#pictures.part(part);
        this.#form(part, grid);
        this.#progress(part.done, part.steps);
      });
      if (!newest()) return;
      this.#pictures.done(pictures);
      this.#results = pictures.map((drawn) => this.#desk.made(base, drawn));
      this.#way?.done();
      this.#end(`${pictures.length === 1 ? '1 proposal' : `${pictures.length} proposals`} in ${seconds.toFixed(1)} s.`);
      this.#choose();
    } catch (error) {
      if (newest()) this.#failed(error, work);
    }
  }

  /** Shows the chosen proposal as it forms, in the place of the picture. @param {import('../../engine/protocol.js').SamplePart} part @param {ReturnType<typeof gridOf>} grid */
  #form({ pictures }, grid) {
    const { preview, tokens } = pictures[this.#pictures.chosen];
    if (!preview) return;
    this.#desk.board.surround(null);
    this.#desk.board.mark(null);
    this.#desk.board.show(preview, { ...grid, width: preview.width, height: preview.height }, tokens);
  }

  #choose() {
    const { base } = this.#work ?? {};
    const result = this.#results[this.#pictures.chosen];
    if (base && result) this.#desk.try(base, result);
  }

  /** @param {unknown} error @param {Work} work */
  #failed(error, work) {
    const { code, message } = failure(error);
    this.#forget();
    this.#end(code === Code.CANCELLED ? 'Stopped.' : '');
    const way = this.#way;
    this.#session.complain({ code, message }, { label: 'Try again', run: () => way === this.#way && this.#draw(work) });
  }

  /** @param {string} words */
  #end(words) {
    this.#rest();
    this.#state(false);
    this.#again.hidden = !this.#results.length;
    this.say(words);
    this.#session.work('edit', -1);
  }

  /** The proposals are no longer those of the picture. */
  #forget() {
    this.#turn += 1;
    this.#work = null;
    this.#results = [];
    this.#end('');
    this.#pictures.element.hidden = this.#again.hidden = true;
    this.#desk.refresh();
  }

  #rest() {
    if (this.#session.bar.kind === 'sample') this.#session.bar.rest();
  }

  /** @param {number} done @param {number} steps */
  #progress(done, steps) {
    this.#bar.style.transform = `scaleX(${done / steps})`;
    this.say(done ? `Step ${done} of ${steps}` : 'Starting …');
    this.#session.work('edit', done ? done / steps : null);
  }

  /** @param {boolean} working */
  #state(working) {
    if (!working && this.#stop.matches(':focus')) this.#run.focus();
    this.#stop.hidden = !working;
    this.#status.toggleAttribute('data-working', working);
    this.element.dataset.state = working ? 'working' : this.#results.length ? 'done' : 'idle';
  }
}

/** The grid that comes of a change. @param {State} base @param {Change} change */
function gridOf({ size, side }, change) {
  const { top = 0, right = 0, bottom = 0, left = 0 } = change.kind === 'extend' ? change.margins : {};
  return { rows: size.rows + top + bottom, columns: size.columns + left + right, side };
}
