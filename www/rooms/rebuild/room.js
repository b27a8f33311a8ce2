// @ts-check
// Rebuild: one picture or token file on the stage, and its reconstruction by the model in use.
//
// Hooks for end-to-end tests, kept stable:
//   #rebuild            [data-view=empty|result]
//   #file #drop #samples button[data-sample]   inputs; dropping or pasting anywhere also works
//   #compare            [data-shows=original|rebuilt|both], its handle is #compare input[type=range]
//   #stages             [data-value=0…100], from faithful to lifelike, its slider is #stages input[type=range];
//                       [data-busy] until the picture matches it
//   #tokens             its focusable box is #tokens [role=application], its words #token-readout
//   #psnr #ssim #count #bpp #usage #time       values; the bare number is in data-value
//   #size #square #sample                      settings;  #copy-link copies them
//   #no-tokens          instead of #tokens for a model without a codebook
//   #save-picture #save-tokens
import { PageCode, failure } from '../../engine/protocol.js';
import { choose, purpose } from '../../files.js';
import { SEED } from '../../session/address.js';
import { on } from '../../ui/h.js';
import { sampleFile } from '../../ui/samples.js';
import { panel } from './panel.js';
import { Result } from './result.js';
import { Stages } from './stages.js';

/** @typedef {import('../../session/session.js').Session} Session */
/** @typedef {import('../../session/session.js').Item} Item */

class Rebuild {
  tokens = true;
  #session;
  #rooms;
  #panel = panel(() => this.#session.address.link());
  #result = new Result(this.#panel);
  #stages = new Stages(this.#panel, this.#result);
  /** What is on the stage. @type {Item | null} */ #input = null;
  /** What the newest run will put there. @type {Item | null} */ #pending = null;
  #clicked = 0;
  /** Whether the picture follows the slider. */ #mixing = false;
  /** What is known of the newest run's picture. @type {import('../../engine/protocol.js').Part} */ #known = {};
  /** That the tokens were made with another decoder, if they were. @type {string | null | undefined} */ #warning;

  /** @param {Session} session @param {import('../../rooms.js').Rooms} rooms */
  constructor(session, rooms) {
    this.#session = session;
    this.#rooms = rooms;
    session.stage = () => (session.working ? this.#pending : this.#input);
    on(session, 'phase', (/** @type {string} */ phase) => session.work('rebuild', phase === 'working' ? null : -1));
    on(session, 'reopen', (/** @type {Item} */ item) => this.#run(item));
    on(session.models, 'use', (/** @type {Item | null} */ next) => {
      const { name } = /** @type {import('../../engine/protocol.js').Loaded} */ (session.models.inUse);
      // A photo is rebuilt by every model, tokens only by one with their codebook.
      const again = next ?? (this.#input?.kind === 'tokens' && this.#stages.readBy(name) ? this.#input : null);
      this.#stages.leave(name);
      if (again) this.#run(again);
      else this.#mix();
    });
    on(session.models, 'unused', () => this.#stages.back());
    on(session.models, 'model', (/** @type {import('../../engine/protocol.js').Loaded | null} */ loaded) => this.#model(loaded));
    this.#model(session.models.inUse);
    this.#listen();
    this.#fill();
  }

  get element() {
    return this.#panel.element;
  }

  /** @param {File[]} files */
  take(files) {
    const { file } = choose(files);
    if (file) this.#accept(file);
  }

  #listen() {
    const { file, drop, samples, size, square, sample, stages } = this.#panel;
    const { address } = this.#session;
    file.addEventListener('change', () => {
      // Weights may be among them.
      this.#rooms.take([...(file.files ?? [])]);
      // So that the same file can be chosen twice in a row.
      file.value = '';
    });
    drop.addEventListener('click', (event) => {
      if (!(/** @type {Element} */ (event.target).closest('label, input, a, button'))) file.click();
    });
    on(samples, 'sample', (/** @type {import('../../ui/samples.js').Sample} */ chosen) => this.#fetch(chosen));
    samples.addEventListener('camera', () => this.#photograph());
    size.addEventListener('change', () => (address.set({ size: size.value }), this.#again()));
    square.addEventListener('change', () => (address.set({ square: square.checked }), this.#again()));
    sample.addEventListener('change', () => (address.set({ sample: sample.checked ? SEED : '' }), this.#again()));
    on(address, 'settings', (/** @type {import('../../session/address.js').Settings} */ before) => {
      this.#fill();
      const { model, size, square, sample } = address.settings;
      // With another model it is rebuilt anyway.
      if (model === before.model && [size !== before.size, square !== before.square, sample !== before.sample].includes(true))
        this.#again();
    });
    stages.addEventListener('move', () => {
      const home = this.#stages.moved();
      const { bar, client, models, working } = this.#session;
      // A download that is no longer needed is cancelled; a job in progress goes on to the newest position by itself.
      if (home && bar.kind === 'decode') client.cancel();
      if (working || models.loading) return;
      if (!home) return this.#mix();
      this.#session.begin('done');
      this.#session.settle('done', this.#result.words);
    });
  }

  #fill() {
    const { size, square, sample } = this.#session.address.settings;
    this.#panel.size.value = size;
    this.#panel.square.checked = square;
    this.#panel.sample.checked = sample !== '';
  }

  /** @param {import('../../engine/protocol.js').Loaded | null} loaded */
  #model(loaded) {
    if (!loaded) return;
    const { codebookSize, grids } = loaded.model;
    this.#panel.codes.textContent = codebookSize ? codebookSize.toLocaleString('en') : 'countless';
    this.#panel.withoutTokens.hidden = grids.length > 0;
  }

  // ---- inputs

  /** @param {File} file @param {string | null} [sample] */
  #accept(file, sample = null) {
    const name = file.name || 'pasted.png';
    const kind = purpose(name) === 'tokens' ? 'tokens' : 'picture';
    const stem = name.replace(/(\.tesserae)?\.[^.]*$/, '') || 'picture';
    /** @type {Item} */ const next = { kind, blob: file, stem, sample };
    const { models, client } = this.#session;
    return models.inUse || client.loading ? this.#run(next) : models.use(null, next);
  }

  /** @param {import('../../ui/samples.js').Sample} sample */
  async #fetch(sample) {
    const mine = ++this.#clicked;
    try {
      const file = await sampleFile(sample);
      if (mine === this.#clicked) this.#accept(file, sample.name);
    } catch (error) {
      if (mine === this.#clicked) this.#session.complain(failure(error));
    }
  }

  async #photograph() {
    const [photo] = await this.#session.camera.take(1);
    if (photo) this.#accept(new File([photo], 'camera.jpg', { type: photo.type }));
  }

  // ---- runs

  #again() {
    const item = this.#session.pictureOnStage;
    if (item) this.#run(item);
  }

  /** @param {Item} item */
  async #run(item) {
    const session = this.#session;
    const { client, models, address, bar } = session;
    const newest = session.begin('working');
    this.#pending = item;
    this.#known = {};
    session.holds('rebuild', true);
    if (models.inUse) bar.begin('picture', 'Reading the file');
    const { size, square, sample } = address.settings;
    const photo = item.kind === 'tokens' ? null : { blob: item.blob, maxSide: Number(size), square };
    const part = (/** @type {import('../../engine/protocol.js').Part} */ one) => this.#part(one);
    try {
      const result = await (photo ? client.picture(photo, sample ? Number(sample) : null, part) : client.tokens(item.blob, part));
      if (!newest()) return;
      session.complete = true;
      this.#result.done(result);
      this.#stages.done(result);
      if (photo) session.photo = { photo, stem: item.stem };
      const { original = null, tokens = null } = this.#known;
      const loaded = models.inUse;
      session.rebuilt = tokens && loaded && { stem: item.stem, loaded, original, tokens, picture: result.rebuilt, png: result.png };
      session.settle('done', this.#result.words);
      this.#mix();
    } catch (error) {
      if (newest()) this.#failed(error, item);
    }
  }

  /** @param {unknown} error @param {Item} item */
  #failed(error, item) {
    const { models } = this.#session;
    this.#stages.back();
    const { code, codebook } = failure(error);
    const reader = codebook && models.shelf.reader(codebook);
    if (reader) {
      this.#session.stop(error, { label: `Load ${reader.name}, which can decode them`, run: () => models.choose(reader.name, item) });
      return;
    }
    const retired = codebook && models.shelf.retired(codebook);
    if (retired) return this.#session.stop(retired);
    const again = { label: 'Try again', run: () => (models.inUse ? this.#run(item) : models.use(null, item)) };
    this.#session.stop(error, !models.inUse || code === PageCode.WORKER_FAILED ? again : undefined);
  }

  /** Shows what is known before the newest run ends. @param {import('../../engine/protocol.js').Part} part */
  #part(part) {
    const { models } = this.#session;
    const model = models.inUse;
    if (!model || !this.#pending) return;
    this.#input = this.#pending;
    Object.assign(this.#known, part);
    this.#session.complete = false;
    this.#panel.samples.mark(this.#input.sample);
    this.#result.part(part, this.#input, model);
    this.#stages.part(part, this.#input, models.shelf.stages(model.name));
    this.#warning = part.tokens?.warning;
    this.#warn();
  }

  #warn() {
    if (this.#warning) this.#session.complain({ code: 'tokens_other_decoder', message: this.#warning });
  }

  /** Decodes until the picture matches the slider, each time at its newest position; on failure the picture stays. */
  async #mix() {
    const session = this.#session;
    const stages = this.#stages;
    if (this.#mixing || !stages.due) return;
    this.#mixing = true;
    const warned = session.alerts.code === 'tokens_other_decoder';
    const newest = session.begin('working');
    if (warned) this.#warn();
    this.#pending = this.#input;
    if (!stages.fetched) session.bar.begin('decode', `Loading ${stages.due.ask[0].name}`);
    try {
      for (let due = stages.due; due; due = stages.due) {
        const result = await session.client.decode(...due.ask);
        if (!newest()) return;
        session.bar.rest();
        stages.show(due, result);
      }
      session.settle('done', this.#result.words);
    } catch (error) {
      if (!newest()) return;
      if (stages.due) session.stop(error, { label: 'Try again', run: stages.back() });
      else session.settle('done', this.#result.words);
    } finally {
      this.#mixing = false;
    }
  }
}

/** @type {import('../index.js').Create} */
export const create = (session, rooms) => new Rebuild(session, rooms);
