// @ts-check
// A tuning as it goes: what state it is in, its jobs, and what becomes of it when one fails. It knows
// nothing of the panel but what it tells it.
import { leftTuning, persist } from '../../engine/kept.js';
import { Code, PageCode, failure, nameTaken } from '../../engine/protocol.js';
import { save } from '../../files.js';
import { howFar } from '../../session/left.js';

/** @typedef {import('../../engine/protocol.js').Tuning} Tuning */
/** @typedef {import('../../engine/protocol.js').Loaded} Loaded */
/** @typedef {{tuning: Tuning, kept: boolean}} Begun what was begun last, and whether it outlives this page */
/** @typedef {'idle' | 'preparing' | 'running' | 'pausing' | 'stopping' | 'paused' | 'ended'} State */
/**
 * @typedef {object} Face what is told of it
 * @property {(state: State) => void} state
 * @property {(begun: import('../../engine/protocol.js').Begun, tuning: Tuning, model: Loaded) => void} begun
 * @property {(step: import('../../engine/protocol.js').Step) => void} step
 * @property {(now: import('../../engine/protocol.js').Preview, done: number) => void} rests after so many steps
 * @property {() => void} gone
 * @property {() => Tuning} chosen what another one would be
 * @property {(rate: number) => void} rate another one is proposed
 * @property {(side: number) => void} crop other ones are proposed
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

  /** Whether the model in use can be tuned: tokens that are not the nearest codes have no trainer. */
  get trainable() {
    const config = /** @type {{quantizer?: string} | undefined} */ (this.#model?.model.config);
    return config !== undefined && config.quantizer !== 'gumbel';
  }

  /** Weights have been loaded, and a tuning of those before is gone; so it is where there are none any more. @param {Loaded | null} loaded */
  model(loaded) {
    const back = loaded && loaded.name === this.#model?.name && loaded.model.decoderHash === this.#model.model.decoderHash;
    if (loaded) this.#model = loaded;
    // A tuning that waits to begin, while a new worker loads the model again, does so behind it.
    if (back && this.#state === 'preparing') return;
    const lost = this.#state !== 'idle';
    this.#reset();
    // What the worker kept of it is offered.
    if (lost) this.#session.left.look();
  }

  /** @param {number} count of steps at most */
  async go(count) {
    if (this.#state === 'idle') {
      // What it says of the tuning before is no longer true.
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
    if (this.#state !== 'running') return this.#set('ended');
    this.#set('stopping');
    this.#session.client.pause();
  }

  async undo() {
    this.#reset();
    await this.#session.client.undo().catch(() => {});
  }

  /** @param {Tuning} tuning @param {Blob | null} snapshot to go on from @returns {Promise<boolean>} whether it has begun */
  async begin(tuning, snapshot) {
    const { client, bar, models, left } = this.#session;
    const mine = ++this.#turn;
    this.#set('preparing');
    bar.begin('tune', 'Preparing the tuning');
    try {
      const judge = tuning.config.objective === 'lifelike' ? models.shelf.discriminator(models.base(tuning.model) ?? '') : null;
      const begun = await client.tune(tuning, judge, snapshot);
      if (mine !== this.#turn || !this.#model) return false;
      left.clear();
      this.#begun = { tuning, kept: begun.kept === 'yes' };
      this.#face.begun(begun, tuning, this.#model);
      if (begun.kept === 'yes') persist().catch(() => {});
      return true;
    } catch (error) {
      if (mine !== this.#turn) return false;
      // Another try is on the CPU.
      if (failure(error).code === Code.DEVICE_LOST) return await this.begin(tuning, snapshot);
      this.#fail(error);
      return false;
    } finally {
      if (bar.kind === 'tune') bar.rest();
    }
  }

  /** @param {string} wish for a name @param {boolean} keep in the browser, and use; else as a file @returns {Promise<boolean>} whether it is kept */
  async finish(wish, keep) {
    const { client, models } = this.#session;
    const { tuning } = /** @type {Begun} */ (this.#begun);
    const base = models.base(tuning.model);
    const name = wish.trim().toWellFormed();
    const was = this.#state;
    if (!name || (keep && models.taken(name))) {
      this.#session.complain(name ? nameTaken(name) : { code: Code.ARGUMENT, message: 'The model needs a name.' });
      return false;
    }
    if (keep) persist().catch(() => {});
    this.#set('preparing');
    try {
      const { weights } = await client.finish(name, keep, base);
      if (!keep) {
        save(weights, `${name}.safetensors`, 'application/octet-stream');
        this.#set(was);
        return false;
      }
      this.#reset();
      models.keep(name, weights, base);
      return true;
    } catch (error) {
      const { code } = failure(error);
      // Another tab has taken the name meanwhile; its model is here too.
      if (code === PageCode.NAME_TAKEN) models.relist();
      else if (code !== PageCode.NOT_KEPT && code !== Code.DEVICE_LOST) {
        this.#fail(error);
        return false;
      }
      this.#set(was);
      if (code === Code.DEVICE_LOST) this.#onward(0);
      else this.#session.complain(failure(error));
      return false;
    }
  }

  /** A tuning that was left makes room for a new one only if the visitor says so. */
  async #mayBegin() {
    const left = await leftTuning(0);
    if (!left) return true;
    if (!confirm(`A new tuning discards the one of ${left.tuning.model} that ${howFar(left.tuning)}. Start it?`)) return false;
    await this.#session.left.discard();
    return true;
  }

  /** The graphics device is gone: on with the CPU from the last snapshot, if one was kept. @param {number} count of steps that were asked for */
  async #onward(count) {
    const was = this.#state;
    const mine = this.#turn;
    const { tuning, kept } = /** @type {Begun} */ (this.#begun);
    this.#set('preparing');
    const left = kept ? await this.#session.left.take() : null;
    if (mine !== this.#turn || !(await this.begin(left?.tuning ?? { ...tuning, losses: [] }, left?.snapshot ?? null))) return;
    const from = left ? `continues on the CPU from step ${left.tuning.losses.length}` : 'starts again on the CPU';
    this.#session.complain({ code: Code.DEVICE_LOST, message: `The graphics device was lost or failed, so the tuning ${from}.` });
    if (was === 'running') await this.go(count);
    else this.#set(was === 'stopping' || was === 'ended' ? 'ended' : 'paused');
  }

  /** @param {number} step @param {number} done */
  #wrong(step, done) {
    const { config } = /** @type {Begun} */ (this.#begun).tuning;
    const message = `The loss became NaN or infinite after step ${step}, so the model is back at step ${done}.`;
    const run = async () => {
      await this.undo();
      this.#face.rate(Number((config.learning_rate / 10).toPrecision(3)));
      this.go(Infinity);
    };
    this.#session.complain({ code: Code.LOSS_NOT_FINITE, message }, { label: 'Start with a tenth of the learning rate', run });
  }

  /** @param {unknown} error The tuning is gone, but for what the worker kept of it. */
  #fail(error) {
    this.#reset();
    this.#session.left.look();
    const { code, message, smaller } = failure(error);
    const run = () => (this.#face.crop(Number(smaller)), this.go(Infinity));
    this.#session.complain({ code, message }, smaller ? { label: `Start with crops of ${smaller} pixels`, run } : undefined);
  }

  #reset() {
    this.#turn += 1;
    this.#face.gone();
    this.#set('idle');
  }

  /** What may have changed since the last look. @param {State} state */
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
