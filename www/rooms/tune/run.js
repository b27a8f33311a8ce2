// @ts-check
// A training in progress: its state, its jobs, and what happens when one fails. It knows the panel only
// through the callbacks of `Face`.
import { leftTuning, persist } from '../../engine/kept.js';
import { Code, PageCode, failure, nameTaken } from '../../engine/protocol.js';
import { save } from '../../files.js';
import { howFar } from '../../session/left.js';

/** @typedef {import('../../engine/protocol.js').Training} Training */
/** @typedef {import('../../engine/protocol.js').Loaded} Loaded */
/** @typedef {{tuning: Training, kept: boolean}} Begun the training started last, and whether it survives closing this page */
/** @typedef {'idle' | 'preparing' | 'running' | 'pausing' | 'stopping' | 'paused' | 'ended'} State */
/**
 * @typedef {object} Face its callbacks
 * @property {(state: State) => void} state
 * @property {(begun: import('./mode.js').Begun, tuning: Training, model: Loaded) => void} begun
 * @property {(step: import('../../engine/protocol.js').Step) => void} step
 * @property {(now: import('../../engine/protocol.js').Stepped['now'], done: number) => void} rests after this many steps
 * @property {() => void} ended all steps are done, or the visitor stopped it
 * @property {() => void} gone
 * @property {() => Training} chosen the settings for a new one
 * @property {() => import('./mode.js').Mode['words']} words
 * @property {() => void} slower proposes another learning rate
 * @property {(side: number) => void} smaller proposes another size
 */

export class Run {
  #session;
  #face;
  /** @type {State} */ #state = 'idle';
  /** @type {Loaded | null} */ #model;
  /** @type {Begun | null} */ #begun = null;
  #turn = 0;

  /** @param {import('../../session/session.js').Session} session @param {Face} face */
  constructor(session, face) {
    this.#session = session;
    this.#face = face;
    this.#model = session.models.inUse;
  }

  get state() {
    return this.#state;
  }

  /** New weights have been loaded, or there are none left: either ends a training with the previous ones. @param {Loaded | null} loaded */
  model(loaded) {
    const back = loaded && loaded.name === this.#model?.name && loaded.model.decoderHash === this.#model.model.decoderHash;
    if (loaded) this.#model = loaded;
    // A training that is waiting to start while a new worker reloads the model starts after that.
    if (back && this.#state === 'preparing') return;
    const lost = this.#state !== 'idle';
    this.#reset();
    // Offers what the worker saved of it.
    if (lost) this.#session.left.look();
  }

  /** @param {number} count the most steps to take */
  async go(count) {
    if (this.#state === 'idle') {
      // An alert about the previous training no longer applies.
      this.#session.alerts.clear();
      // While the visitor is asked, another press must not ask again.
      this.#set('preparing');
      if (!(await this.#mayBegin())) return this.#set('idle');
      if (!(await this.begin(this.#face.chosen(), null))) return;
    }
    const mine = this.#turn;
    this.#set('running');
    try {
      const { done, now, wrong } = await this.#session.client.steps(count, (step) => mine === this.#turn && this.#face.step(step));
      if (mine !== this.#turn) return;
      this.#face.rests(now, done);
      const over = wrong !== null || done === this.#begun?.tuning.config.steps || this.#is('stopping');
      this.#set(over ? 'ended' : 'paused');
      if (wrong !== null) this.#wrong(wrong, done);
      else if (over) this.#face.ended();
    } catch (error) {
      if (mine !== this.#turn) return;
      if (failure(error).code === Code.DEVICE_LOST) this.#onward(count);
      else this.#fail(error);
    }
  }

  pause() {
    this.#set('pausing');
    this.#session.client.pause();
  }

  stop() {
    if (this.#state !== 'running') {
      this.#set('ended');
      return this.#face.ended();
    }
    this.#set('stopping');
    this.#session.client.pause();
  }

  async undo() {
    this.#reset();
    await this.#session.client.undo().catch(() => {});
  }

  /** @param {Training} tuning @param {Blob | null} snapshot to resume from @returns {Promise<boolean>} whether it has started */
  async begin(tuning, snapshot) {
    const { client, bar, models, left } = this.#session;
    const mine = ++this.#turn;
    this.#set('preparing');
    bar.begin('tune', this.#face.words().preparing);
    try {
      const lifelike = !('goal' in tuning) && tuning.config.objective === 'lifelike';
      const discriminator = lifelike ? models.shelf.discriminator(models.base(tuning.model) ?? '') : null;
      const begun = await client.tune(tuning, discriminator, snapshot);
      if (mine !== this.#turn || !this.#model) return false;
      left.clear();
      this.#begun = { tuning, kept: begun.kept === 'yes' };
      this.#face.begun(begun, tuning, this.#model);
      if (begun.kept === 'yes') persist().catch(() => {});
      return true;
    } catch (error) {
      if (mine !== this.#turn) return false;
      // The next attempt runs on the CPU.
      if (failure(error).code === Code.DEVICE_LOST) return await this.begin(tuning, snapshot);
      this.#fail(error);
      return false;
    } finally {
      if (bar.kind === 'tune') bar.rest();
    }
  }

  /** Saves the tuned model in the browser and uses it. @param {string} wish the name wanted @returns {Promise<boolean>} whether it is kept */
  async keep(wish) {
    const { models } = this.#session;
    const { tuning } = /** @type {Begun} */ (this.#begun);
    const base = models.base(tuning.model);
    const name = this.#named(wish, models.taken(wish.trim().toWellFormed()));
    if (!name) return false;
    persist().catch(() => {});
    const weights = await this.#finish(name, true, base);
    if (!weights) return false;
    this.#reset();
    models.keep(name, weights, base);
    return true;
  }

  /** @param {string} wish the name wanted */
  async download(wish) {
    const name = this.#named(wish, false);
    const weights = name && (await this.weights(name));
    if (weights) save(weights, `${name}.safetensors`, 'application/octet-stream');
  }

  /** The weights so far; null if that failed, which is then reported. @param {string} name */
  async weights(name) {
    const was = this.#state;
    const { tuning } = /** @type {Begun} */ (this.#begun);
    const weights = await this.#finish(name, false, this.#session.models.base(tuning.model));
    if (weights) this.#set(was);
    return weights;
  }

  /** A name, if it can be had. @param {string} wish @param {boolean} taken */
  #named(wish, taken) {
    const name = wish.trim().toWellFormed();
    if (name && !taken) return name;
    this.#session.complain(name ? nameTaken(name) : { code: Code.ARGUMENT, message: 'The model needs a name.' });
    return '';
  }

  /** @param {string} name @param {boolean} keep @param {string | null} base @returns {Promise<Uint8Array<ArrayBuffer> | null>} null if it failed */
  async #finish(name, keep, base) {
    const { client, models } = this.#session;
    const was = this.#state;
    const mine = this.#turn;
    this.#set('preparing');
    try {
      const { weights } = await client.finish(name, keep, base);
      return keep || mine === this.#turn ? weights : null;
    } catch (error) {
      if (mine !== this.#turn) return null;
      const { code } = failure(error);
      // Another tab has taken the name meanwhile; its model is here too.
      if (code === PageCode.NAME_TAKEN) models.relist();
      else if (code !== PageCode.NOT_KEPT && code !== Code.DEVICE_LOST && code !== Code.CANCELLED) {
        this.#fail(error);
        return null;
      }
      this.#set(was);
      if (code === Code.DEVICE_LOST) this.#onward(0);
      else this.#session.complain(failure(error));
      return null;
    }
  }

  /** An unfinished training is discarded for a new one only if the visitor agrees. */
  async #mayBegin() {
    const left = await leftTuning(0);
    if (!left) return true;
    const name = 'goal' in left.tuning ? left.tuning.name : left.tuning.model;
    const { what } = this.#face.words();
    if (!confirm(`A new ${what} discards the one of ${name} that ${howFar(left.tuning)}. Start it?`)) return false;
    await this.#session.left.discard();
    return true;
  }

  /** The graphics device is lost: continues on the CPU from the last snapshot, if there is one. @param {number} count of steps that were asked for */
  async #onward(count) {
    const was = this.#state;
    const mine = this.#turn;
    const { tuning, kept } = /** @type {Begun} */ (this.#begun);
    this.#set('preparing');
    const left = kept ? await this.#session.left.take() : null;
    if (mine !== this.#turn || !(await this.begin(left?.tuning ?? { ...tuning, losses: [] }, left?.snapshot ?? null))) return;
    const from = left ? `continues on the CPU from step ${left.tuning.losses.length}` : 'starts again on the CPU';
    const { what } = this.#face.words();
    this.#session.complain({ code: Code.DEVICE_LOST, message: `The graphics device was lost or failed, so the ${what} ${from}.` });
    if (was === 'running') await this.go(count);
    else this.#set(was === 'stopping' || was === 'ended' ? 'ended' : 'paused');
  }

  /** @param {number} step @param {number} done */
  #wrong(step, done) {
    const message = `The loss became NaN or infinite after step ${step}, so the model is back at step ${done}.`;
    const { rate } = this.#face.words();
    const run = async () => {
      await this.undo();
      this.#face.slower();
      this.go(Infinity);
    };
    this.#session.complain({ code: Code.LOSS_NOT_FINITE, message }, rate ? { label: rate, run } : undefined);
  }

  /** @param {unknown} error The training is lost, except for what the worker saved of it. */
  #fail(error) {
    this.#reset();
    this.#session.left.look();
    const { code, message, smaller } = failure(error);
    const run = () => (this.#face.smaller(Number(smaller)), this.go(Infinity));
    const { memory } = this.#face.words();
    this.#session.complain({ code, message }, smaller ? { label: `${memory} ${smaller} pixels`, run } : undefined);
  }

  #reset() {
    this.#turn += 1;
    this.#face.gone();
    this.#set('idle');
  }

  /** For a state that may have changed since it was last checked. @param {State} state */
  #is(state) {
    return this.#state === state;
  }

  /** @param {State} state */
  #set(state) {
    this.#state = state;
    this.#session.left.tuning = state !== 'idle';
    this.#session.holds('tune', state !== 'idle');
    this.#face.state(state);
  }
}
