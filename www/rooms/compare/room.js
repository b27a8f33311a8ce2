// @ts-check
// Compare: one digit made in five ways, one after the other; what lies between two pictures of a generator; what the
// models make of a drawing; or how each of the ways learns.
//
// Hooks for end-to-end tests, kept stable:
//   #comparing          [data-comparing=idle|working|done], [data-seed] of the first picture that is shown
//   #comparing-mode     input[value=draw|walk|pad|learn];  #comparing-classes input[value=0…];  #comparing-count input[value=1|4|16]
//   #comparing-run #comparing-stop #comparing-seed #comparing-link;  #comparing-at says how far it is
//   .way[data-way=vae|gan|vqvae|vqgan|diffusion]  a card each, [data-drawn=yes|no], with a canvas for each picture
//   #comparing-to #comparing-path #comparing-stop-at  of the walk, .walk-row[data-walk] with canvas.walk-large
//   #comparing-map      the map of a VAE with two numbers, .map[data-drawn]
//   .pad-view           [data-pad=empty|working|done], #comparing-pad to draw on, #comparing-clear #comparing-eraser
//   .look[data-look=vae|vqvae|gan|diffusion]  what a model makes of the drawing, [data-drawn=yes|no];
//                       #comparing-tokens to choose a patch, #comparing-strength #comparing-again
//   .learn-view         [data-learn=idle|starting|running|pausing|paused|ended|gone]; #learn-ways input[value=vae…] #learn-fail
//                       #learn-seed #learn-run #learn-over #learn-save #learn-link;  #learn-step #learn-epoch #learn-speed have
//                       data-value;  .learn-curve[data-curve] loss-curve, .learn-pictures canvas
import { Code, failure } from '../../engine/protocol.js';
import { DEFAULTS, writeComparing } from '../../session/comparing.js';
import { copyButton } from '../../ui/copy.js';
import { on } from '../../ui/h.js';
import { chips, classChips } from '../shared/chips.js';
import { LearnMode } from './learn.js';
import { PadMode } from './pad.js';
import { panel } from './panel.js';
import { SideMode } from './side.js';
import { WalkMode } from './walk.js';

/** @typedef {import('../../session/comparing.js').Comparing} Comparing */
/** @typedef {import('./mode.js').Mode} Mode */
/** @typedef {import('./mode.js').Task} Task */

class Compare {
  #session;
  #rooms;
  #panel = panel();
  /** All, once the list of models is known. @type {Mode[]} */ #modes = [];
  /** @type {string[]} */ #classes = [];
  /** What each mode shows completely, as a link says it. @type {Map<Mode, string>} */ #shown = new Map();
  /** Those of the run that are still to be drawn. @type {Set<Task>} */ #open = new Set();
  /** Whether to draw as soon as that is possible. */ #due = true;
  /** Whether a download or a first step is awaited. */ #loading = false;
  #turn = 0;

  /** @param {import('../../session/session.js').Session} session @param {import('../../rooms.js').Rooms} rooms */
  constructor(session, rooms) {
    this.#session = session;
    this.#rooms = rooms;
    this.#listen();
    this.#state('idle');
    this.#list();
  }

  get element() {
    return this.#panel.element;
  }

  /** Pictures and token files are for the room that rebuilds them. @param {File[]} files */
  async take(files) {
    (await this.#rooms.go('rebuild'))?.take(files);
  }

  #listen() {
    const { form, modes, classes, stop } = this.#panel;
    const { address, models, client } = this.#session;
    models.addEventListener('list', () => this.#list());
    address.addEventListener('room', () => this.#wake());
    this.#session.addEventListener('device', () => this.#wake());
    on(address, 'settings', () => {
      // Another link to this room.
      this.#due = address.room === 'compare';
      this.#list();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#session.alerts.clear();
      address.compare(this.#fresh ? this.#typed : this.#mode.again(address.comparing));
      this.#run();
    });
    const value = (/** @type {Event} */ { target }) => /** @type {HTMLInputElement} */ (target).value;
    modes.addEventListener('change', (event) => this.#switch(/** @type {Mode['id']} */ (value(event))));
    classes.addEventListener('change', (event) => this.#choose({ class: Number(value(event)) }));
    form.addEventListener('input', () => this.#label());
    stop.addEventListener('click', () => client.cancelGenerate());
  }

  /** The list of models is known, or something else is asked for. */
  #list() {
    const { models } = this.#session;
    if (!models.shelf.loaded) return;
    if (!this.#modes.length) this.#furnish();
    if (!this.#due || !this.#modes.length) return;
    this.#fill();
    this.#wake();
  }

  /** The modes, and their places. */
  #furnish() {
    const { none, board, modes, choices, classes, go, views } = this.#panel;
    const { address, models } = this.#session;
    const { shelf } = models;
    const change = (/** @type {Partial<Comparing>} */ changed) => this.#choose(changed);
    const side = new SideMode(shelf, change);
    none.hidden = side.tasks.length > 0;
    board.hidden = !side.tasks.length;
    if (!side.tasks.length) return;
    const busy = () => this.element.dataset.comparing === 'working';
    const walk = new WalkMode(this.#session, change, busy);
    const pad = new PadMode(this.#session, busy);
    this.#modes = [side, ...(walk.tasks.length ? [walk] : []), ...(pad.any ? [pad] : []), new LearnMode(this.#session, change)];
    modes.hidden = this.#modes.length === 1;
    /** @type {[string, string][]} */ const titles = this.#modes.map(({ id, title }) => [id, title]);
    modes.lastElementChild?.append(...chips('comparing-mode', titles));
    this.#classes = side.classes;
    classes.lastElementChild?.append(...classChips('comparing-class', side.classes, false));
    choices.append(...this.#modes.flatMap(({ fields }) => fields ?? []));
    go.append(...this.#modes.flatMap(({ seeds }) => seeds ?? []));
    go.append(copyButton('Copy link', () => address.link(), { id: 'comparing-link', class: 'button quiet' }));
    views.append(...this.#modes.map(({ view }) => view));
  }

  /** @returns {Mode} the one that the address names, if it can be had */
  get #mode() {
    const { mode } = this.#session.address.comparing;
    return this.#modes.find(({ id }) => id === mode) ?? this.#modes[0];
  }

  /** Shows what the address asks for, as far as it is possible. @returns {Comparing} */
  #fill() {
    const { comparing } = this.#session.address;
    const { modes, choices, classes, seed, from, lead, go, status } = this.#panel;
    const mode = this.#mode;
    const asked = { ...comparing, mode: mode.id, class: comparing.class < this.#classes.length ? comparing.class : DEFAULTS.class };
    for (const one of this.#modes) {
      one.fill(asked);
      for (const part of [one.fields, one.view, one.seeds]) part?.toggleAttribute('hidden', one !== mode);
      if (one !== mode) one.leave?.();
    }
    go.hidden = status.hidden = mode.live !== undefined;
    choices.hidden = !mode.what && !mode.fields;
    for (const input of modes.querySelectorAll('input')) input.checked = input.value === mode.id;
    for (const input of classes.querySelectorAll('input')) input.checked = input.value === String(asked.class);
    seed.value = String(asked.seed);
    lead.textContent = mode.lead;
    /** @type {HTMLElement} */ (from.firstElementChild).textContent = mode.from;
    /** @type {HTMLElement} */ (classes.firstElementChild).textContent = mode.what;
    this.#label();
    return asked;
  }

  /** Draws if that was waiting for something; a tuning is only interrupted when the visitor asks for it. */
  #wake() {
    const { address, client } = this.#session;
    if (!this.#due || !this.#modes.length || address.room !== 'compare') return;
    if (client.tuning && !this.#mode.live) this.#panel.at.textContent = 'A tuning is running. Drawing pauses it.';
    else this.#run();
  }

  /** @param {Mode['id']} mode */
  #switch(mode) {
    this.#session.alerts.clear();
    this.#session.address.compare({ mode });
    const asked = this.#fill();
    if (this.#open.size || this.#shown.get(this.#mode) !== key(asked)) return this.#run();
    this.#panel.at.textContent = this.#words(asked, 0);
    this.#state('done');
  }

  /** Another choice, with the same seed. @param {Partial<Comparing>} changed */
  #choose(changed) {
    this.#session.alerts.clear();
    this.#session.address.compare(changed);
    this.#run();
  }

  /** The seeds that are typed. */
  get #typed() {
    return { seed: Number(this.#panel.seed.value), ...this.#mode.typed };
  }

  /** Whether the button is for what the panel says rather than for other seeds. */
  get #fresh() {
    const { comparing } = this.#session.address;
    const same = Object.entries(this.#typed).every(([name, value]) => comparing[/** @type {keyof Comparing} */ (name)] === value);
    return this.element.dataset.comparing === 'idle' || !same;
  }

  /** @param {Task[]} [some] those that failed before; all by default @returns {Promise<void>} */
  async #run(some) {
    const { address, client, bar } = this.#session;
    const asked = this.#fill();
    address.compare(asked);
    // Another choice must not begin a download again.
    this.#due = this.#loading;
    if (this.#due) return;
    const mine = ++this.#turn;
    const mode = this.#mode;
    if (mode.live) {
      if (this.#open.size) client.cancelGenerate();
      this.#leave('Not drawn.');
      this.#end('idle', '');
      return mode.live(asked);
    }
    const tasks = some ?? mode.tasks;
    this.#leave('Not drawn.');
    this.#shown.delete(mode);
    for (const task of tasks) {
      task.wait(asked);
      this.#open.add(task);
    }
    this.#state('working');
    /** @type {Task[]} */ const failed = [];
    /** @type {ReturnType<typeof failure> | null} */ let trouble = null;
    for (const [i, task] of tasks.entries()) {
      this.#loading = true;
      this.#progress(task.title, i / tasks.length, 'starting');
      try {
        await task.draw(client, asked, ({ done, steps }) => {
          this.#loading = false;
          if (bar.kind === 'sample') bar.rest();
          if (this.#due) return void this.#run();
          this.#progress(task.title, (i + done / steps) / tasks.length, steps > 1 ? `step ${done} of ${steps}` : 'drawing');
        });
      } catch (error) {
        if (mine !== this.#turn) return;
        const reported = failure(error);
        if (reported.code === Code.CANCELLED) {
          this.#end('idle', 'Stopped.');
          // A mode that draws by itself was chosen meanwhile.
          return this.#mode.live ? this.#run() : undefined;
        }
        task.rest(reported.message);
        failed.push(task);
        trouble = reported;
      }
      if (mine !== this.#turn) return;
      this.#open.delete(task);
      this.#loading = false;
      if (bar.kind === 'sample') bar.rest();
      if (this.#due) return this.#run();
    }
    this.element.dataset.seed = String(asked.seed);
    if (!trouble) this.#shown.set(mode, key(asked));
    this.#end(failed.length === tasks.length ? 'idle' : 'done', this.#words(asked, failed.length));
    const again = () => {
      address.go('compare');
      address.compare({ mode: mode.id });
      // All of it where something else is asked for by now.
      this.#run(!this.#open.size && key(address.comparing) === key(asked) ? failed : mode.tasks);
    };
    if (trouble) this.#session.complain(trouble, { label: 'Try again', run: again });
  }

  /** What was drawn. @param {Comparing} asked @param {number} failed */
  #words({ mode, class: kind, seed, count, to }, failed) {
    const name = this.#classes[kind];
    const seeds = count === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + count - 1}`;
    const words = mode === 'walk' ? `${name}, from seed ${seed} to seed ${to}.` : `${name} in ${this.#mode.tasks.length} ways, ${seeds}.`;
    return failed ? `${words} ${failed} could not be drawn.` : words;
  }

  /** What is left of a run is not drawn. @param {string} why */
  #leave(why) {
    for (const task of this.#open) task.rest(why);
    this.#open.clear();
  }

  /** @param {'idle' | 'done'} state @param {string} text */
  #end(state, text) {
    const { bar } = this.#session;
    this.#leave(text);
    this.#loading = false;
    this.#due = false;
    if (bar.kind === 'sample') bar.rest();
    this.#panel.at.textContent = text;
    this.#session.say(text);
    this.#state(state);
    this.#session.work('compare', -1);
  }

  /** @param {string} title @param {number} done @param {string} text */
  #progress(title, done, text) {
    this.#panel.fill.style.transform = `scaleX(${done})`;
    this.#panel.at.textContent = `${title}: ${text}`;
    this.#session.work('compare', done);
  }

  /** @param {'idle' | 'working' | 'done'} state */
  #state(state) {
    this.element.dataset.comparing = state;
    if (state !== 'working' && this.#panel.stop.matches(':focus')) this.#panel.run.focus();
    this.#panel.stop.hidden = state !== 'working';
    this.#panel.status.toggleAttribute('data-working', state === 'working');
    this.#label();
  }

  #label() {
    if (this.#modes.length) this.#panel.run.textContent = this.#fresh ? this.#mode.go : 'Again';
  }
}

/** What tells what was asked for from anything else. @param {Comparing} asked */
function key(asked) {
  const query = new URLSearchParams();
  writeComparing(query, asked);
  return query.toString();
}

/** @type {import('../index.js').Create} */
export const create = (session, rooms) => new Compare(session, rooms);
