// @ts-check
// Sample: new pictures. A prior draws their tokens, and the model that it was trained for decodes them; the model
// in use stays as it is.
//
// Hooks for end-to-end tests, kept stable:
//   #sampling           [data-sampling=idle|working|done], [data-seed] of the first picture that is shown
//   #sampling-prior     hidden with only one;  #sampling-classes input[value=0…|any]
//   #sampling-run #sampling-stop #sampling-seed;  #sampling-at says how far it is
//   #sampling-own       takes the visitor's own prior, by #sampling-own-file
//   #sampling-count #sampling-order #sampling-steps #sampling-temperature #sampling-guidance #sampling-top-k
//   #sampling-top-p #sampling-reset   under #sampling-more
//   #sampling-pictures  a canvas and an input each;  #sampling-open #sampling-save-picture #sampling-save-tokens
//                       #sampling-link act on the picture that is picked
import { Code, failure } from '../../engine/protocol.js';
import { purpose, save } from '../../files.js';
import { brought, fitted, keyOf, nameOf, options } from '../../session/priors.js';
import { RANGES } from '../../session/sampling.js';
import { copyButton } from '../../ui/copy.js';
import { on } from '../../ui/h.js';
import { classChips } from '../shared/chips.js';
import { More } from '../shared/more.js';
import { Gallery } from './gallery.js';
import { OwnPrior } from './own.js';
import { panel } from './panel.js';
import { drawn, how } from './words.js';

/** @typedef {import('../../session/sampling.js').Sampling} Sampling */
/** @typedef {import('../../session/priors.js').Prior} Prior */
/** @typedef {{asked: Sampling, prior: Prior, pictures: import('../../engine/protocol.js').Drawn[]}} Shown */

class Sample {
  #session;
  #rooms;
  #panel = panel();
  #more = new More('sampling', this.#panel.made, (changed) => this.#choose(changed));
  #own;
  #gallery;
  /** The visitor's own prior, where that is chosen: the address keeps a shipped one. @type {Prior | null} */ #chosen = null;
  /** @type {Prior | null} */ #prior = null;
  /** Complete pictures. @type {Shown | null} */ #shown = null;
  /** Whether to sample as soon as that is possible. */ #due = true;
  /** The prior whose download or first step is awaited. @type {Prior | null} */ #loading = null;
  #turn = 0;

  /** @param {import('../../session/session.js').Session} session @param {import('../../rooms.js').Rooms} rooms */
  constructor(session, rooms) {
    this.#session = session;
    this.#rooms = rooms;
    const link = copyButton('Copy link', () => session.address.link(), { id: 'sampling-link', class: 'button quiet' });
    const actions = {
      open: (/** @type {number} */ index) => this.#open(index),
      savePicture: (/** @type {number} */ index) => this.#save(index, 'png'),
      saveTokens: (/** @type {number} */ index) => this.#save(index, 'tokens'),
    };
    this.#gallery = new Gallery(this.#panel.gallery, actions, link);
    this.#own = new OwnPrior(session, (prior) => this.draw(prior));
    this.#panel.rest.prepend(this.#more.element);
    this.#panel.rest.append(this.#own.element);
    this.#listen();
    this.#state('idle');
    this.#list();
  }

  get element() {
    return this.#panel.element;
  }

  get weights() {
    return true;
  }

  /** Pictures and token files are for the room that rebuilds them. @param {File[]} files */
  async take(files) {
    if (files.some(({ name }) => purpose(name) === 'weights')) return this.#own.take(files);
    (await this.#rooms.go('rebuild'))?.take(files);
  }

  /** Samples from a prior of the visitor's. @param {Prior} prior */
  draw(prior) {
    this.#chosen = prior;
    this.#list();
    this.#run();
  }

  #listen() {
    const { form, prior, kinds, seed, stop } = this.#panel;
    const { address, models, client } = this.#session;
    models.addEventListener('list', () => this.#list());
    this.#session.ownPriors.addEventListener('list', () => this.#list());
    address.addEventListener('room', () => this.#wake());
    this.#session.addEventListener('device', () => this.#wake());
    on(address, 'settings', () => {
      // Another link to this room.
      this.#due = address.room === 'sample';
      if (this.#due) this.#chosen = null;
      this.#list();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#session.alerts.clear();
      this.#again();
    });
    prior.addEventListener('change', () => this.#pick(prior.value));
    kinds.addEventListener('change', (event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      this.#choose({ class: value === 'any' ? null : Number(value) });
    });
    seed.addEventListener('input', () => this.#label());
    stop.addEventListener('click', () => client.cancelSample());
  }

  /** The list of priors is known, or another one is asked for. */
  #list() {
    const priors = this.#priors;
    const { none, board, made, prior } = this.#panel;
    if (!this.#session.models.shelf.loaded) return;
    none.hidden = priors.length > 0;
    board.hidden = !priors.length;
    if (!priors.length) return;
    made.hidden = priors.length === 1;
    const listed = new Set(Array.from(prior.options, ({ value }) => value));
    for (const one of priors) if (!listed.has(keyOf(one))) prior.append(new Option(nameOf(one), keyOf(one)));
    if (this.#due) {
      this.#fill();
      this.#wake();
    }
  }

  get #priors() {
    const { models, ownPriors } = this.#session;
    return [...models.shelf.priors, ...ownPriors.all];
  }

  /** Shows what the address asks for, as far as it is possible. */
  #fill() {
    const { address } = this.#session;
    const priors = this.#priors;
    const found = this.#chosen ?? priors.find(({ entry }) => entry.name === address.sampling.prior) ?? priors[0];
    const { how: more, prior, kinds, classes, seed } = this.#panel;
    if (found !== this.#prior) {
      this.#prior = found;
      prior.value = keyOf(found);
      more.lastElementChild?.replaceChildren(...how(found));
      classes.hidden = !found.classes.length;
      kinds.replaceChildren(...classChips('class', found.classes, found.any));
    }
    const asked = fitted(address.sampling, found);
    for (const input of kinds.querySelectorAll('input')) input.checked = input.value === String(asked.class ?? 'any');
    seed.value = String(asked.seed);
    this.#more.show(asked, found);
    return { asked, prior: found };
  }

  /** Samples if that was waiting for something; a tuning is only interrupted when the visitor asks for it. */
  #wake() {
    const { address, client } = this.#session;
    if (!this.#due || !this.#prior || address.room !== 'sample') return;
    if (client.tuning) this.#panel.at.textContent = 'A tuning is running. Sampling pauses it.';
    else this.#run();
  }

  /** Another prior. @param {string} key */
  #pick(key) {
    const prior = this.#priors.find((one) => keyOf(one) === key);
    this.#chosen = prior && brought(prior) ? prior : null;
    this.#choose(this.#chosen ? {} : { prior: key });
  }

  /** Another choice, with the same seed. @param {Partial<Sampling>} changed */
  #choose(changed) {
    this.#session.address.sample(changed);
    this.#run();
  }

  /** The seed that was typed, or else new ones. */
  #again() {
    const { address } = this.#session;
    const { seed, count } = address.sampling;
    const typed = Number(this.#panel.seed.value);
    const next = seed + count > RANGES.seed[1] ? RANGES.seed[0] : seed + count;
    address.sample({ seed: this.#fresh ? typed : next });
    this.#run();
  }

  /** Whether the button is for what the panel says rather than for other seeds. */
  get #fresh() {
    const { address } = this.#session;
    const idle = this.element.dataset.sampling === 'idle';
    return idle || Number(this.#panel.seed.value) !== address.sampling.seed;
  }

  async #run() {
    const { address, client, bar } = this.#session;
    const { asked, prior } = this.#fill();
    address.sample(brought(prior) ? { ...asked, prior: address.sampling.prior } : asked);
    // Another choice must not begin the download again.
    this.#due = this.#loading === prior;
    if (this.#due) return this.#label();
    this.#loading = prior;
    const mine = ++this.#turn;
    this.#progress(0, 1);
    this.#state('working');
    this.#gallery.begin(prior, asked.seed, asked.count);
    try {
      const { pictures, seconds } = await client.sample(prior.source, prior.tokenizer, options(asked, prior), (part) => {
        if (mine !== this.#turn) return;
        this.#loading = null;
        if (this.#due) return void this.#run();
        this.#shown = null;
        if (bar.kind === 'sample') bar.rest();
        this.#gallery.part(part);
        this.#progress(part.done, part.steps);
      });
      if (mine !== this.#turn) return;
      this.#shown = { asked, prior, pictures };
      this.#gallery.done(pictures);
      this.element.dataset.seed = String(asked.seed);
      this.#end('done', `${drawn(asked, prior)}, in ${seconds.toFixed(1)} s.`);
    } catch (error) {
      if (mine === this.#turn) this.#failed(error);
    }
  }

  /** @param {unknown} error */
  #failed(error) {
    const { code, message } = failure(error);
    this.#end('idle', code === Code.CANCELLED ? 'Stopped.' : '');
    this.#session.complain({ code, message }, { label: 'Try again', run: () => this.#run() });
  }

  /** @param {'idle' | 'done'} state @param {string} text */
  #end(state, text) {
    const { bar } = this.#session;
    this.#loading = null;
    this.#due = false;
    if (bar.kind === 'sample') bar.rest();
    this.#panel.at.textContent = text;
    this.#session.say(text);
    this.#state(state);
    this.#session.work('sample', -1);
  }

  /** @param {number} done @param {number} steps */
  #progress(done, steps) {
    this.#panel.fill.style.transform = `scaleX(${done / steps})`;
    this.#panel.at.textContent = done ? `Step ${done} of ${steps}` : 'Starting …';
    this.#session.work('sample', done ? done / steps : null);
  }

  /** @param {'idle' | 'working' | 'done'} state */
  #state(state) {
    this.element.dataset.sampling = state;
    if (state !== 'working' && this.#panel.stop.matches(':focus')) this.#panel.run.focus();
    this.#panel.stop.hidden = state !== 'working';
    this.#panel.status.toggleAttribute('data-working', state === 'working');
    this.#label();
  }

  #label() {
    this.#panel.run.textContent = this.#fresh ? 'Sample' : 'Again';
  }

  // ---- what becomes of a picture

  /** @param {number} index @param {'png' | 'tokens'} kind */
  #file(index, kind) {
    const { asked, prior, pictures } = /** @type {Shown} */ (this.#shown);
    const name = [prior.entry.name, ...(asked.class === null ? [] : [prior.classes[asked.class]]), asked.seed + index].join('-');
    return kind === 'png'
      ? new File([pictures[index].png], `${name}.png`, { type: 'image/png' })
      : new File([pictures[index].file], `${name}.tokens`, { type: 'application/octet-stream' });
  }

  /** @param {number} index @param {'png' | 'tokens'} kind */
  #save(index, kind) {
    if (!this.#shown) return;
    const file = this.#file(index, kind);
    save(file, file.name, file.type);
  }

  /** Shows the tokens in the room that decodes them, with the model that they belong to. @param {number} index */
  async #open(index) {
    if (!this.#shown) return;
    const file = this.#file(index, 'tokens');
    const { tokenizer, codebook } = this.#shown.prior;
    const room = await this.#rooms.go('rebuild');
    const { models } = this.#session;
    const { inUse } = models;
    if (inUse?.name === tokenizer.name && inUse.model.codebookHash === codebook) room?.take([file]);
    else {
      /** @type {import('../../session/session.js').Item} */
      const item = { kind: 'tokens', blob: file, stem: file.name.replace(/\.tokens$/, ''), sample: null };
      if (tokenizer.from === 'file') models.use(tokenizer, item);
      else models.choose(tokenizer.name, item);
    }
  }
}

/** @type {import('../index.js').Create} */
export const create = (session, rooms) => new Sample(session, rooms);
