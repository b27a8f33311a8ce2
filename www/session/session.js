// @ts-check
// What all rooms share: the engine with its queue, the model in use, the device, the address, the alerts
// and the one bar; and the rules by which a job may end on the page.
import { EngineClient } from '../engine/client.js';
import { Ask, Code, PageCode, TesseraeError, failure } from '../engine/protocol.js';
import { outdated, outdatedError, reload, reloadOnce } from '../update.js';
import { on } from '../ui/h.js';
import { remember, remembered } from './address.js';
import { Bar } from './bar.js';
import { Left } from './left.js';
import { Models } from './models.js';
import { OwnPriors } from './own-priors.js';

/** @typedef {'loading' | 'ready' | 'working' | 'done' | 'error'} Phase of the picture's job, or of what it needs */
/** @typedef {{label: string, run: () => unknown}} WayOn */
/** @typedef {{code: string, message: string, wayOn?: string}} Trouble with what to do next, where that is not the usual */
/** @typedef {{kind: 'picture' | 'tokens', blob: Blob, stem: string, sample: string | null}} Item a file, and which of the samples it is */
/** @typedef {{photo: import('../engine/protocol.js').Photo, stem: string}} Shown the picture that is rebuilt, and its file's name */
/**
 * @typedef {object} Rebuilt what the model in use has made of a picture
 * @property {string} stem
 * @property {import('../engine/protocol.js').Loaded} loaded that model
 * @property {import('../engine/protocol.js').Pixels | null} original null where only tokens were given
 * @property {import('../engine/protocol.js').TokenPart} tokens
 * @property {import('../engine/protocol.js').Pixels} picture that they decode to
 * @property {Uint8Array<ArrayBuffer>} png the same
 */
/** @typedef {{room: string, done: number | null}} Work a room's work in progress: the fraction done, null if unknown, -1 for none */

/** @type {ReadonlySet<string>} */
const STALE = new Set([PageCode.DOWNLOAD_FAILED, PageCode.DOWNLOAD_LENGTH, PageCode.DOWNLOAD_HASH, PageCode.WORKER_FAILED]);

/**
 * Events: `phase`, `words` (what is announced), `photo`, `rebuilt` (Rebuilt, or null for a model without tokens),
 * `work` (Work), `device` (Opened), `memory` (bytes), `reopen` when the engine starts anew, with the Item that was on
 * the stage.
 */
export class Session extends EventTarget {
  client = new EngineClient();
  address;
  alerts;
  camera;
  bar;
  models = new Models(this);
  ownPriors = new OwnPriors(this);
  left = new Left();
  /** What is on the stage, to be rebuilt with another model or device. @type {() => Item | null} */ stage = () => null;
  /** Whether a complete result is shown, to which a cancel returns. */
  complete = false;
  /** @type {Phase} */ #phase = 'loading';
  /** @type {Shown | null} */ #photo = null;
  /** @type {Rebuilt | null} */ #rebuilt = null;
  /** The rooms with something that a reload would lose. @type {Set<string>} */ #holding = new Set();
  #turn = 0;

  /**
   * @param {import('./address.js').Address} address
   * @param {{alerts: import('../ui/alert.js').AlertBox, progress: import('../ui/progress.js').WorkProgress, camera: import('../ui/camera.js').CameraDialog}} elements
   */
  constructor(address, { alerts, progress, camera }) {
    super();
    this.address = address;
    this.alerts = alerts;
    this.camera = camera;
    this.bar = new Bar(progress);
    progress.addEventListener('cancel', () => this.client.cancel());
    on(camera, 'fail', (/** @type {Trouble} */ error) => this.complain(error));
    on(this.client, 'progress', (/** @type {Parameters<Bar['to']>[0]} */ progress) => this.#progress(progress));
    on(this.client, 'model', (/** @type {import('../engine/protocol.js').Loaded | null} */ loaded) => this.#modelCame(loaded));
    on(this.client, 'device', (/** @type {import('../engine/protocol.js').Opened} */ opened) => this.#deviceCame(opened));
    on(this.client, 'memory', (/** @type {number} */ bytes) => this.#emit('memory', bytes));
    on(this.client, 'restart', (/** @type {Trouble & {source?: import('../engine/protocol.js').WeightSource}} */ trouble) =>
      this.#restarted(trouble),
    );
    on(address, 'settings', (/** @type {import('./address.js').Settings} */ before) => {
      if (address.settings.device !== before.device) this.openDevice();
      if (address.settings.model !== before.model) this.models.use(null);
    });
  }

  /** Loads the engine, the list of models and the weights, in parallel where possible. */
  async start() {
    const opened = this.openDevice(remembered());
    await this.models.use(null);
    await opened;
  }

  get phase() {
    return this.#phase;
  }

  set phase(phase) {
    this.#phase = phase;
    this.#emit('phase', phase);
  }

  get pictureOnStage() {
    const item = this.stage();
    return item?.kind === 'picture' ? item : null;
  }

  get working() {
    return this.#phase === 'working';
  }

  get photo() {
    return this.#photo;
  }

  set photo(photo) {
    this.#photo = photo;
    this.#emit('photo', photo);
  }

  get rebuilt() {
    return this.#rebuilt;
  }

  set rebuilt(rebuilt) {
    this.#rebuilt = rebuilt;
    this.#emit('rebuilt', rebuilt);
  }

  /** Announces something to those who do not see it. @param {string} words */
  say(words) {
    this.#emit('words', words);
  }

  /** Reports a room's work in progress, for its link. @param {string} room @param {number | null} done */
  work(room, done) {
    this.#emit('work', { room, done });
  }

  /** Whether a room has something that a reload would lose. @param {string} room @param {boolean} does */
  holds(room, does) {
    if (does) this.#holding.add(room);
    else this.#holding.delete(room);
  }

  /**
   * Begins a job whose outcome is shown unless a newer one has begun by then.
   * @param {Phase} phase @returns {() => boolean} whether it is still the newest
   */
  begin(phase) {
    const mine = ++this.#turn;
    this.phase = phase;
    this.alerts.clear();
    return () => mine === this.#turn;
  }

  /** The newest job has ended. @param {Phase} phase @param {string} words on how */
  settle(phase, words) {
    this.bar.rest();
    this.#emit('words', words);
    this.phase = phase;
  }

  /** The newest job has failed, or was cancelled. @param {unknown} error @param {WayOn} [action] */
  stop(error, action) {
    const { code } = failure(error);
    if (code === Code.CANCELLED) this.settle(this.complete ? 'done' : 'ready', 'Cancelled.');
    else this.settle('error', '');
    this.complain(failure(error), action);
  }

  /** @param {Trouble} error @param {WayOn} [action] */
  complain(error, action) {
    if (error.code === Code.CANCELLED) return;
    if (error.code === PageCode.RELEASE_CHANGED) return this.#replace(error);
    this.alerts.show(error, action);
    // If this failed because the server has another release by now, only a reload helps.
    if (STALE.has(error.code)) outdated().then((yes) => yes && this.alerts.code === error.code && this.#replace(outdatedError()));
  }

  /** Opens the device that was chosen. A choice made by hand is measured anew, so nothing remembered is passed then. @param {string} [known] */
  async openDevice(known) {
    const item = this.stage();
    this.phase = 'loading';
    this.alerts.clear();
    const opened = this.client.open(this.address.settings.device, known);
    if (item) this.#emit('reopen', item);
    await opened.catch((error) => this.stop(error, { label: 'Try again', run: () => this.openDevice() }));
    // Weights that failed to load before are requested again; nothing else would do so.
    if (!this.models.inUse && !this.models.loading && this.phase === 'loading') this.models.use(null);
  }

  /** This page cannot continue as it is: loads the newest release, without asking where nothing would be lost. @param {Trouble} error */
  #replace(error) {
    this.alerts.show(error, { label: 'Reload', run: reload });
    if (!this.#holding.size) reloadOnce();
  }

  /** @param {Parameters<Bar['to']>[0]} progress */
  #progress(progress) {
    // An engine that starts after the visitor has cancelled has no bar to fill.
    if (progress.job.kind === Ask.OPEN && this.phase !== 'loading' && !this.working) return;
    this.bar.to(progress, this.working, this.models.inUse?.model.grids.length !== 0);
  }

  /** @param {import('../engine/protocol.js').Loaded | null} loaded */
  #modelCame(loaded) {
    this.models.came(loaded);
    // After a restart the model comes back while the page shows an error or a result: that stays.
    if (loaded && !this.working) this.settle(this.phase === 'loading' ? 'ready' : this.phase, `The model ${loaded.name} is ready.`);
  }

  /** @param {import('../engine/protocol.js').Opened} opened */
  #deviceCame(opened) {
    const { device, remember: measured } = opened;
    this.#emit('device', opened);
    if (device.problem) remember(null);
    else if (measured) remember(measured);
    // A lost device has already been reported, by `restart`.
    if (device.problem && device.problem.code !== Code.DEVICE_LOST && this.address.settings.device === 'webgpu')
      this.complain(device.problem);
  }

  /** @param {Trouble & {source?: import('../engine/protocol.js').WeightSource}} trouble with the source of the model in use where that could not be loaded again */
  #restarted({ code, message, source }) {
    const error = new TesseraeError(code, message);
    if (!source) return this.complain(error);
    // A picture that waited for the model fails by itself.
    const again = { label: 'Try again', run: () => this.models.use(source) };
    if (this.working) this.complain(error, again);
    else this.stop(error, again);
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
