// @ts-check
// Fine-tuning the model in use on the visitor's pictures: the run and its buttons, and what becomes of
// the result. The state is in `data-tuning` of #tune:
//   idle | preparing | running | pausing | stopping | paused | ended
import { choose, chooseCrops, chosen, preset } from './choices.js';
import { PATIENCE_MS, discardTuning, leftTuning, persist } from './engine/kept.js';
import { Code, PageCode, failure, nameTaken } from './engine/protocol.js';
import { save } from './files.js';

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
/** @type {Record<import('./engine/protocol.js').Begun['kept'], string>} */
const KEPT = {
  yes: 'Until it is kept or undone, the tuning outlives this page in the browser’s private files.',
  no: 'This browser keeps nothing for this page: the tuning ends with it.',
  other: 'Another tab of this page is tuning too, so this tuning ends with its page.',
  left: 'An earlier tuning is still kept to go on with, so this one ends with its page.',
};

/** @typedef {import('./engine/protocol.js').Tuning} Tuning */
/** @typedef {{label: string, run: () => void}} WayOn */
/** @typedef {{tuning: Tuning, kept: boolean}} Begun what was begun last, and whether it outlives this page */
/**
 * @typedef {object} Page what the panel needs of it
 * @property {import('./engine/client.js').EngineClient} client
 * @property {import('./bar.js').Bar} bar
 * @property {(name: string) => import('./engine/protocol.js').Shipped | null} discriminator of a shipped model
 * @property {(error: {code: string, message: string}, action?: WayOn) => void} complain
 * @property {(name: string) => boolean} taken whether a model has this name
 * @property {(name: string) => string | null} base the shipped model that this one comes from, if it is known
 * @property {(name: string, weights: Uint8Array<ArrayBuffer>, base: string | null) => void} use a model that was kept
 * @property {() => void} relist lists the models that are kept anew
 * @property {(tuning: Tuning) => Promise<boolean>} bringBack the model and the picture of a tuning
 */

export class TuneView {
  #page;
  /** @type {import('./engine/protocol.js').Loaded | null} */ #model = null;
  /** @type {import('./engine/protocol.js').Photo | null} the last one on the stage */ #photo = null;
  #stem = 'picture';
  /** @type {import('./engine/kept.js').Left | null} */ #left = null;
  #offers = 0;
  /** @type {Begun | null} */ #begun = null;
  #run = 0;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    $('tune-preset').addEventListener('change', preset);
    $('tune-form').addEventListener('submit', (/** @type {Event} */ event) => (event.preventDefault(), this.#press()));
    $('tune-step').addEventListener('click', () => $('tune-form').reportValidity() && this.#go(1));
    $('tune-stop').addEventListener('click', () => this.#stop());
    $('tune-undo').addEventListener('click', () => this.#undo());
    $('tune-save').addEventListener('click', () => $('tune-keep').reportValidity() && this.#finish(false));
    $('tune-keep').addEventListener('submit', (/** @type {Event} */ event) => (event.preventDefault(), this.#finish(true)));
    $('tune-pictures').addEventListener('refuse', (/** @type {CustomEvent} */ { detail }) => {
      page.complain({ code: PageCode.TOO_MANY, message: `A model is tuned on at most ${detail} pictures; the rest was left out.` });
    });
    $('tune-on').addEventListener('click', () => this.#goOn());
    $('tune-discard').addEventListener('click', () => discardTuning().then(() => this.offer()));
    preset();
    this.#state('idle');
  }

  /** Offers to go on with the tuning that an earlier visit, a worker, or another tab has left, once it has. */
  async offer() {
    const mine = ++this.#offers;
    this.#offer(null);
    const left = await leftTuning(Infinity);
    if (mine === this.#offers) this.#offer(left);
  }

  /** @param {import('./engine/kept.js').Left | null} left */
  #offer(left) {
    this.#left = left;
    if (left) {
      const { model, config, losses } = left.tuning;
      $('tune-offer').firstElementChild.textContent = `A tuning of ${model} stopped at step ${losses.length} of ${config.steps}.`;
    }
    this.#settle();
  }

  /**
   * Weights have been loaded, and a tuning of those before is gone; so it is where there are none any more.
   * @param {import('./engine/protocol.js').Loaded | null} loaded
   */
  model(loaded) {
    if (!loaded) return this.#end();
    const back = loaded.name === this.#model?.name && loaded.model.decoderHash === this.#model.model.decoderHash;
    this.#model = loaded;
    // A tuning that waits to begin, while a new worker loads the model again, does so behind it.
    if (back && this.#now === 'preparing') return;
    const { grids, config } = loaded.model;
    $('tune-parts').querySelector('[value=codebook]').disabled = !grids.length;
    // Tokens that are not the nearest codes have no trainer.
    $('tune').dataset.trainable = String(/** @type {{quantizer?: string}} */ (config).quantizer !== 'gumbel');
    this.#end();
  }

  /** Without its model; what the worker kept of it is offered. */
  #end() {
    const lost = this.#now !== 'idle';
    this.#reset();
    if (lost) this.offer();
  }

  /** The picture on the stage. @param {import('./engine/protocol.js').Photo} photo @param {string} stem */
  photo(photo, stem) {
    this.#photo = photo;
    this.#stem = stem;
    this.#settle();
  }

  async #goOn() {
    const left = await leftTuning(PATIENCE_MS);
    if (!left) {
      this.offer();
      return this.#page.complain({
        code: PageCode.TUNING_GONE,
        message: 'This tuning is not here any more: another tab goes on with it, or has discarded it.',
      });
    }
    const { tuning, snapshot } = left;
    if (!(await this.#page.bringBack(tuning))) return;
    choose(tuning.config);
    $('tune-pictures').fill(tuning.photos.slice(1).map(({ blob }) => blob));
    $('tune').scrollIntoView({ block: 'start' });
    if (await this.#begin(tuning, snapshot)) await this.#go(Infinity);
  }

  get #now() {
    return $('tune').dataset.tuning;
  }

  /** @returns {Tuning} */
  #chosen() {
    const { maxSide, square } = /** @type {import('./engine/protocol.js').Photo} */ (this.#photo);
    return {
      model: this.#model?.name ?? '',
      photos: $('tune-pictures').pictures.map((/** @type {Blob} */ blob) => ({ blob, maxSide, square })),
      config: chosen(),
      losses: [],
    };
  }

  #press() {
    if (this.#now === 'running') return this.#pause();
    return this.#go(Infinity);
  }

  /** A tuning that was left makes room for a new one only if the visitor says so. */
  async #mayBegin() {
    const left = await leftTuning(0);
    if (!left) return true;
    const { model, config, losses } = left.tuning;
    if (!confirm(`A new tuning discards the one of ${model} that stopped at step ${losses.length} of ${config.steps}. Start it?`))
      return false;
    await discardTuning();
    return true;
  }

  /** @param {Tuning} tuning @param {Blob | null} snapshot @returns {Promise<boolean>} whether it has begun */
  async #begin(tuning, snapshot) {
    const { client, bar, base, discriminator } = this.#page;
    const mine = ++this.#run;
    this.#state('preparing');
    bar.begin('tune', 'Preparing the tuning');
    try {
      const judge = tuning.config.objective === 'lifelike' ? discriminator(base(tuning.model) ?? '') : null;
      const begun = await client.tune(tuning, judge, snapshot);
      if (mine !== this.#run) return false;
      this.#offer(null);
      this.#begun = { tuning, kept: begun.kept === 'yes' };
      const { codebookSize, grids } = /** @type {import('./engine/protocol.js').Loaded} */ (this.#model).model;
      $('tune-view').begin(begun, tuning.config.steps, [...tuning.losses], codebookSize * grids.length);
      $('tune-left').textContent = KEPT[begun.kept];
      if (begun.kept === 'yes') persist().catch(() => {});
      if (!$('tune-name').value) $('tune-name').value = `${this.#stem}-${$('tune-preset').value}`.slice(0, 24);
      return true;
    } catch (error) {
      if (mine !== this.#run) return false;
      // Another try is on the CPU.
      if (failure(error).code === Code.DEVICE_LOST) return await this.#begin(tuning, snapshot);
      this.#fail(error);
      return false;
    } finally {
      if (bar.kind === 'tune') bar.rest('');
    }
  }

  /** @param {number} count of steps at most */
  async #go(count) {
    if (this.#now === 'idle') {
      // What it says of the tuning before is no longer true.
      $('alert').clear();
      // While the visitor is asked, another press must not ask again.
      this.#state('preparing');
      if (!(await this.#mayBegin())) return this.#state('idle');
      if (!(await this.#begin(this.#chosen(), null))) return;
    }
    const mine = this.#run;
    this.#state('running');
    try {
      const { done, now, wrong } = await this.#page.client.steps(count, (step) => $('tune-view').step(step));
      if (mine !== this.#run) return;
      $('tune-view').preview(now);
      $('tune-view').back(done);
      this.#state(wrong || done === this.#begun?.tuning.config.steps || this.#now === 'stopping' ? 'ended' : 'paused');
      if (wrong) this.#wrong(wrong, done);
    } catch (error) {
      if (mine !== this.#run) return;
      if (failure(error).code === Code.DEVICE_LOST) this.#onward(count);
      else this.#fail(error);
    }
  }

  /** The graphics device is gone: on with the CPU from the last snapshot, if one was kept. @param {number} count of steps that were asked for */
  async #onward(count) {
    const was = this.#now;
    const mine = this.#run;
    const { tuning, kept } = /** @type {Begun} */ (this.#begun);
    this.#state('preparing');
    const left = kept ? await leftTuning(PATIENCE_MS) : null;
    if (mine !== this.#run || !(await this.#begin(left?.tuning ?? { ...tuning, losses: [] }, left?.snapshot ?? null))) return;
    const from = left ? `goes on on the CPU after step ${left.tuning.losses.length}` : 'begins again on the CPU';
    this.#page.complain({ code: Code.DEVICE_LOST, message: `The graphics device was lost or failed, so the tuning ${from}.` });
    if (was === 'running') await this.#go(count);
    else this.#state(was === 'stopping' || was === 'ended' ? 'ended' : 'paused');
  }

  #pause() {
    this.#state('pausing');
    this.#page.client.pause();
  }

  #stop() {
    if (this.#now !== 'running') return this.#state('ended');
    this.#state('stopping');
    this.#page.client.pause();
  }

  async #undo() {
    this.#reset();
    await this.#page.client.undo().catch(() => {});
  }

  /** @param {boolean} keep in the browser, and use; else as a file */
  async #finish(keep) {
    const { client, complain, relist, taken, use } = this.#page;
    const base = this.#page.base(/** @type {Begun} */ (this.#begun).tuning.model);
    const name = $('tune-name').value.trim().toWellFormed();
    const was = this.#now;
    if (!name || (keep && taken(name))) {
      return complain(name ? nameTaken(name) : { code: Code.ARGUMENT, message: 'The model needs a name.' });
    }
    if (keep) persist().catch(() => {});
    this.#state('preparing');
    try {
      const { weights } = await client.finish(name, keep, base);
      if (!keep) {
        save(weights, `${name}.safetensors`, 'application/octet-stream');
        return this.#state(was);
      }
      $('tune-name').value = '';
      this.#reset();
      use(name, weights, base);
    } catch (error) {
      const { code } = failure(error);
      // Another tab has taken the name meanwhile; its model is here too.
      if (code === PageCode.NAME_TAKEN) relist();
      else if (code !== PageCode.NOT_KEPT && code !== Code.DEVICE_LOST) return this.#fail(error);
      this.#state(was);
      if (code === Code.DEVICE_LOST) this.#onward(0);
      else complain(failure(error));
    }
  }

  /** @param {number} step @param {number} done */
  #wrong(step, done) {
    const rate = Number((Number($('tune-rate').value) / 10).toPrecision(3));
    const message = `The loss was no number any more after step ${step}, so the model is back at step ${done}.`;
    const run = async () => {
      await this.#undo();
      $('tune-rate').value = rate;
      this.#go(Infinity);
    };
    this.#page.complain({ code: Code.LOSS_NOT_FINITE, message }, { label: 'Start with a tenth of the rate', run });
  }

  /** @param {unknown} error The tuning is gone, but for what the worker kept of it. */
  #fail(error) {
    this.#reset();
    this.offer();
    const { code, message, smaller } = failure(error);
    const run = () => (chooseCrops(Number(smaller)), this.#go(Infinity));
    if (code !== Code.CANCELLED)
      this.#page.complain({ code, message }, smaller ? { label: `Start with crops of ${smaller} pixels`, run } : undefined);
  }

  #reset() {
    this.#run += 1;
    $('tune-view').hidden = true;
    $('tune-left').textContent = '';
    this.#state('idle');
  }

  /** @param {'idle' | 'preparing' | 'running' | 'pausing' | 'stopping' | 'paused' | 'ended'} name */
  #state(name) {
    $('tune').dataset.tuning = name;
    this.#settle();
  }

  #settle() {
    const now = this.#now;
    // A tuning under way keeps the pictures that it began with.
    if (now === 'idle' && this.#photo) $('tune-pictures').begin(this.#photo.blob);
    const begun = now !== 'idle' && !$('tune-view').hidden;
    const rests = ['paused', 'ended'].includes(now);
    $('tune-offer').hidden = !this.#left || now !== 'idle';
    $('tune').hidden = $('tune').dataset.trainable !== 'true' || (!this.#photo && now === 'idle');
    $('tune-choices').disabled = now !== 'idle';
    $('tune-run').textContent =
      /** @type {Record<string, string>} */ ({ running: 'Pause', pausing: 'Pausing', paused: 'Resume' })[now] ?? 'Start';
    $('tune-run').hidden = now === 'ended';
    $('tune-run').disabled = !['idle', 'running', 'paused'].includes(now);
    $('tune-step').hidden = now === 'ended';
    $('tune-step').disabled = !['idle', 'paused'].includes(now);
    $('tune-stop').hidden = !begun || now === 'ended';
    $('tune-stop').disabled = !['running', 'paused'].includes(now);
    $('tune-undo').hidden = !begun;
    $('tune-undo').disabled = !rests;
    $('tune-keep').hidden = !rests || $('tune-view').losses.length === 0;
  }
}
