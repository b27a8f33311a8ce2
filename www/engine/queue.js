// @ts-check
// The queue of jobs in front of the engine's one worker. A newer picture supersedes an older one; a worker that dies is
// replaced and brought back to where it was.
import { Ask, Code, PageCode, Tell, TesseraeError, failure, undecodable } from './protocol.js';
import { RELEASE } from './release.js';
import { startEngine } from './start.js';

/** @typedef {import('./protocol.js').DeviceChoice} DeviceChoice */
/** @typedef {import('./protocol.js').WeightSource} WeightSource */
/** @typedef {'engine' | 'restore' | 'model' | 'picture' | 'sample' | 'generate' | 'adopt' | 'edit' | 'tiles' | 'tune' | 'learn'} Lane `restore` loads the model in use into a new worker */
/**
 * @typedef {object} Entry
 * @property {any} job what is posted
 * @property {Lane} lane
 * @property {((part: any) => void) | null} hear called with what arrives before its end: the parts of a picture, of a sample or of what is generated, the steps of a training
 * @property {boolean} [parted] a part of its result has arrived
 * @property {(value: any) => void} resolve
 * @property {(error: TesseraeError) => void} reject
 * @property {boolean} settled
 * @property {boolean} again already run once more after a lost device
 */

// The longest wait, after a cancel, for a stage that does not yield.
const CANCEL_GRACE_MS = 15_000;
const CPU_SENTENCE = 'The graphics device was lost or failed, so the work continues on the CPU.';
const ABORT_SENTENCE = 'The engine crashed and was restarted; a smaller size may work.';
const SAMPLE_SENTENCE = 'The engine crashed and was restarted; fewer pictures at once may work.';
const DEVICE_SENTENCE = 'The graphics device failed in the middle of the work.';
const ADOPT_SENTENCE = 'The engine crashed and was restarted; these weights may be too large for it.';
const MEMORY_SENTENCE = 'The training ran out of memory, so the engine was restarted.';
const LEARN_SENTENCE = 'The engine crashed and was restarted, so what was being trained is gone.';
const OTHER_RELEASE_SENTENCE = 'This page and its engine are from different releases, which do not work together.';
/** @type {Partial<Record<Lane, string>>} */
const SENTENCES = { sample: SAMPLE_SENTENCE, generate: SAMPLE_SENTENCE, adopt: ADOPT_SENTENCE, learn: LEARN_SENTENCE };
/** Those whose jobs train something, which stays in the worker between them. @type {ReadonlySet<Lane>} */
const TRAININGS = new Set(['tune', 'learn']);
/** Jobs that take steps until a pause. @type {ReadonlySet<string>} */
const STEPPED = new Set([Ask.STEPS, Ask.LESSON]);
const DEAD_SENTENCE = 'The engine could not be started in this browser.';
const failed = (/** @type {string} */ message) => ({ code: PageCode.WORKER_FAILED, message });

/**
 * Events: `device` (Opened), `model` (Loaded, or null when there is none any more), `memory` (bytes),
 * `progress` (ProgressMessage and the job that makes it), `restart` ({code, message}, with the source of
 * the model in use where it could not be loaded again), each in `event.detail`. A job's results go to
 * its caller: the parts as they arrive, and the rest at its end.
 */
export class EngineQueue extends EventTarget {
  /** @type {Worker | null} */ #worker = null;
  /** @type {Entry[]} */ #queue = [];
  /** @type {Entry | null} */ #running = null;
  /** @type {DeviceChoice} */ #choice = 'auto';
  /** @type {string | undefined} */ #remembered;
  /** @type {{source: WeightSource, loaded: import('./protocol.js').Loaded} | null} */ #inUse = null;
  /** Whether the worker has the model in use. */
  #restored = false;
  /** @type {TesseraeError | null} */ #lost = null;
  #lastId = 0;
  #deaths = 0;
  #greeted = false;
  /** @type {'webgpu' | 'cpu' | null} what runs */ #kind = null;

  /**
   * Opens the engine on a device, in a fresh worker, and loads the model in use again.
   * @param {DeviceChoice} choice @param {string} [remembered] what `auto` found last time
   * @returns {Promise<import('./protocol.js').Opened>}
   */
  open(choice, remembered) {
    this.#choice = choice;
    this.#remembered = remembered;
    this.#lost = null;
    this.#deaths = 0;
    const running = this.#running;
    // These are still wanted on the new device; pictures are requested again.
    const wanted = (/** @type {Entry} */ { lane }) => ['model', 'sample', 'generate', 'adopt', 'edit', 'tiles'].includes(lane);
    if (running && wanted(running) && !running.settled) this.#queue.unshift(running);
    else if (running) this.#dismiss([running]);
    this.#dismiss(this.#queue.filter((e) => !wanted(e)));
    this.#queue = this.#queue.filter(wanted);
    return this.#spawn();
  }

  /** The model in use, which a new worker may still be loading again. */
  get model() {
    return this.#inUse?.loaded ?? null;
  }

  /** Whether other weights are being loaded as the model in use. */
  get loading() {
    return this.#running?.lane === 'model' || this.#queue.some((e) => e.lane === 'model');
  }

  /** Whether a tuning has a job that is running or waiting. */
  get tuning() {
    return this.#running?.lane === 'tune' || this.#queue.some((e) => e.lane === 'tune');
  }

  /** Ends the running steps after the current one, and waiting ones before their first. */
  pause() {
    for (const { job } of this.#queue) if (STEPPED.has(job.kind)) job.count = 0;
    const running = this.#running;
    if (running && STEPPED.has(running.job.kind)) this.#worker?.postMessage({ id: running.job.id, kind: Ask.PAUSE });
  }

  /** Ends whatever is queued or running, except the opening of the engine and steps, which are paused. */
  cancel() {
    // Reloading the model in use is cancelled only if nothing is waiting for it.
    const restoring = this.#running?.lane === 'restore' && !this.#queue.length ? this.#running : null;
    this.supersede(['picture', 'model', 'sample', 'generate', 'adopt', 'edit', 'tune']);
    if (restoring) this.#worker?.postMessage({ id: restoring.job.id, kind: Ask.CANCEL });
  }

  /** @param {Lane} lane @param {object} job @param {Entry['hear']} [hear] @param {boolean} [first] @returns {Promise<any>} */
  add(lane, job, hear = null, first = false) {
    return new Promise((resolve, reject) => {
      const entry = { job: { id: ++this.#lastId, ...job }, lane, hear, resolve, reject, settled: false, again: false };
      if (first) this.#queue.unshift(entry);
      else {
        // New weights make everything older for the model in use pointless too; a picture leaves a loading model alone.
        if (!TRAININGS.has(lane)) this.supersede(lane === 'model' ? ['picture', 'edit', 'tiles', 'model', 'restore'] : [lane]);
        this.pause();
        this.#queue.push(entry);
        if (!this.#worker) this.#spawn().catch(() => {});
      }
      this.#next();
    });
  }

  /** @param {Lane[]} lanes */
  supersede(lanes) {
    const hit = (/** @type {Entry} */ e) => lanes.includes(e.lane) && !STEPPED.has(e.job.kind);
    const old = this.#queue.filter(hit);
    this.#queue = this.#queue.filter((e) => !hit(e));
    const running = this.#running;
    if (running && hit(running) && !running.settled) {
      old.push(running);
      const worker = this.#worker;
      worker?.postMessage({ id: running.job.id, kind: Ask.CANCEL });
      setTimeout(() => {
        if (this.#worker === worker && this.#running === running) this.#spawn().catch(() => {});
      }, CANCEL_GRACE_MS);
    }
    this.#dismiss(old);
  }

  /** @param {Entry[]} entries */
  #dismiss(entries) {
    for (const entry of entries) this.#fail(entry, new TesseraeError(Code.CANCELLED, 'The work was cancelled.'));
  }

  /** @param {Entry} entry @param {TesseraeError} error */
  #fail(entry, error) {
    if (entry.settled) return;
    entry.settled = true;
    entry.reject(error);
  }

  #next() {
    if (this.#running || !this.#worker) return;
    const first = this.#queue[0]?.lane;
    // Whatever happened to earlier jobs, nothing runs without the model that the page shows.
    if (this.#inUse && !this.#restored && first !== 'engine' && first !== 'model' && first !== 'restore') this.#restore(this.#inUse.source);
    const entry = this.#queue.shift();
    if (!entry) return;
    this.#running = entry;
    this.#worker.postMessage(entry.job);
  }

  /** @param {WeightSource} source */
  #restore(source) {
    const job = { id: ++this.#lastId, kind: Ask.LOAD, source };
    const reject = (/** @type {TesseraeError} */ error) => this.#report(error, source);
    this.#queue.unshift({ job, lane: 'restore', hear: null, resolve: () => {}, reject, settled: false, again: false });
  }

  /** A fresh worker and the engine opened in it; the model in use is loaded before any other job needs it. */
  #spawn() {
    this.#worker?.terminate();
    this.#running = null;
    this.#restored = false;
    const worker = startEngine();
    this.#worker = worker;
    this.#greeted = false;
    worker.onmessage = (event) => this.#hear(worker, event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#died(worker, failed(event.message || DEAD_SENTENCE));
    };
    worker.onmessageerror = () => this.#died(worker, failed('A message from the engine could not be read'));
    return this.add('engine', { kind: Ask.OPEN, choice: this.#choice, remembered: this.#remembered }, null, true);
  }

  /** @param {{code: string, message: string}} error a failure that no caller waits for @param {WeightSource} [source] of the model that was in use */
  #report({ code, message }, source) {
    if (code !== Code.CANCELLED || source) this.#emit('restart', { code, message, source });
  }

  /** @param {string} type @param {any} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {Worker} worker @param {import('./protocol.js').FromWorker} message */
  #hear(worker, message) {
    if (worker !== this.#worker) return;
    if (!this.#greeted) {
      this.#greeted = message.tell === Tell.HELLO && message.release === RELEASE;
      if (!this.#greeted) this.#giveUp(this.#running, { code: PageCode.RELEASE_CHANGED, message: OTHER_RELEASE_SENTENCE });
      return;
    }
    if (message.tell === Tell.HELLO) return;
    if (message.tell === Tell.DEAD) return this.#died(worker, message.error);
    const entry = this.#running;
    if (!entry || entry.job.id !== message.id) return;
    if (message.tell === Tell.PROGRESS || message.tell === Tell.PART || message.tell === Tell.STEP) {
      if (entry.settled) return;
      if (message.tell === Tell.PART) {
        entry.parted = true;
        entry.hear?.(message.part);
      } else if (message.tell === Tell.STEP) entry.hear?.(message.step);
      else this.#emit('progress', { ...message, job: entry.job });
      return;
    }
    this.#running = null;
    if (message.tell === Tell.DONE) {
      this.#finish(entry, message.value);
      this.#emit('memory', message.memory);
    } else if (message.error.code === Code.DEVICE_LOST) return this.#lose(entry, message.error);
    else if (message.error.code === PageCode.WORKER_FAILED) return this.#giveUp(entry, message.error);
    else this.#refuse(entry, message.error);
    this.#next();
  }

  /** @param {Entry} entry @param {import('./protocol.js').Failure} error */
  #refuse(entry, error) {
    if (entry.lane === 'restore' && !entry.settled) this.#forgo();
    const waiting = [entry];
    // Without any model the pictures behind it fail for the same reason; a prior brings its own, and a generator needs none.
    if (['model', 'restore'].includes(entry.lane) && !this.#inUse && !this.#queue.some((e) => e.lane === 'model')) {
      const free = (/** @type {Entry} */ { lane }) => ['sample', 'generate', 'adopt', 'learn'].includes(lane);
      waiting.push(...this.#queue.filter((e) => !free(e)));
      this.#queue = this.#queue.filter(free);
    }
    for (const one of waiting) this.#fail(one, new TesseraeError(error.code, error.message, error));
  }

  /** The model in use could not be loaded again, so there is none. */
  #forgo() {
    this.#inUse = null;
    this.#emit('model', null);
  }

  /** @param {Entry} entry @param {any} value */
  #finish(entry, value) {
    if (entry.lane === 'engine' && this.#lost) {
      const problem = failure(this.#lost);
      value.device = { ...value.device, reason: problem.message, problem };
    }
    const model = entry.lane === 'model' || entry.lane === 'restore';
    if (model) {
      this.#inUse = { source: entry.job.source, loaded: value };
      this.#restored = true;
    }
    if (['picture', 'sample', 'generate', 'edit'].includes(entry.lane)) this.#deaths = 0;
    if (entry.lane === 'engine') this.#kind = value.device.kind;
    const late = entry.settled;
    entry.settled = true;
    // A model that came up after its cancel is nevertheless the one in use now.
    if (entry.lane === 'engine') this.#emit('device', value);
    if (model) this.#emit('model', value);
    if (!late) entry.resolve(value);
  }

  /** The device is lost: continues on the CPU, and runs the same job once more. */
  #lose(/** @type {Entry | null} */ entry, /** @type {{code: string, message: string}} */ error) {
    // A training is lost with its device, except for its last snapshot.
    if (entry && (entry.again || TRAININGS.has(entry.lane))) {
      this.#fail(entry, new TesseraeError(error.code, error.message));
    } else if (entry && !entry.settled && entry.lane !== 'restore') {
      entry.again = true;
      this.#queue.unshift(entry);
    }
    this.#choice = 'cpu';
    this.#remembered = undefined;
    this.#lost = new TesseraeError(error.code, error.message);
    this.#spawn().catch((e) => this.#report(e));
    this.#emit('restart', { code: Code.DEVICE_LOST, message: CPU_SENTENCE });
  }

  /** @param {Worker} worker @param {import('./protocol.js').Failure} error */
  #died(worker, { code, message, smaller, device }) {
    if (worker !== this.#worker) return;
    const entry = this.#running;
    this.#running = null;
    const memory = code === PageCode.OUT_OF_MEMORY;
    if (entry && TRAININGS.has(entry.lane) && memory) return this.#replace(entry, new TesseraeError(code, MEMORY_SENTENCE, { smaller }));
    // Before the first part, only the file had been read.
    if (entry?.job.kind === Ask.PICTURE && !entry.parted && !device) {
      return this.#replace(entry, undecodable(memory));
    }
    if (entry?.lane === 'engine' || ++this.#deaths > 2) {
      return this.#giveUp(entry, { code: PageCode.WORKER_FAILED, message: `${DEAD_SENTENCE} (${message})` });
    }
    // A graphics device that runs out of memory or rejects a shader ends in a panic too.
    const blamed = device || (entry && !entry.settled && entry.lane !== 'model' && entry.lane !== 'restore');
    if (blamed && this.#kind === 'webgpu') return this.#lose(entry, { code: Code.DEVICE_LOST, message: DEVICE_SENTENCE });
    const silent = !entry || entry.settled;
    if (entry?.lane === 'restore' && !silent) this.#forgo();
    const sentence = (entry && SENTENCES[entry.lane]) ?? ABORT_SENTENCE;
    this.#replace(entry, new TesseraeError(PageCode.WORKER_FAILED, sentence));
    if (silent) this.#emit('restart', { code: PageCode.WORKER_FAILED, message: ABORT_SENTENCE });
  }

  /**
   * Another worker on the same device. The job that killed the one before is not run again: it would do so again.
   * @param {Entry | null} entry @param {TesseraeError} error
   */
  #replace(entry, error) {
    if (entry) this.#fail(entry, error);
    this.#spawn().catch((e) => this.#report(e));
  }

  /** The engine did not even start: on WebGPU the CPU is tried; on the CPU that is the end. */
  #giveUp(/** @type {Entry | null} */ entry, /** @type {{code: string, message: string}} */ error) {
    if (entry?.lane === 'engine' && this.#choice !== 'cpu' && this.#deaths === 0 && error.code !== PageCode.RELEASE_CHANGED) {
      this.#deaths += 1;
      this.#choice = 'cpu';
      this.#lost = new TesseraeError(error.code, error.message);
      this.#spawn().then(entry.resolve, entry.reject);
      return;
    }
    this.#worker?.terminate();
    this.#worker = null;
    const reason = new TesseraeError(error.code, error.message);
    for (const waiting of [entry, ...this.#queue.splice(0)]) if (waiting) this.#fail(waiting, reason);
  }
}
