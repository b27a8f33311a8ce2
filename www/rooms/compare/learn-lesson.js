// @ts-check
// A training in front of the visitor: how far it is, and what is known of it.

/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */
/** @typedef {import('./learn-ways.js').Training} Training */
/** @typedef {'idle' | 'starting' | 'running' | 'pausing' | 'paused' | 'ended' | 'gone'} State */
/** @typedef {{steps: number[], values: number[]}} Line */

/** Seconds that the speed is averaged over. */
const WINDOW = 5;
/** Points of a curve, each the mean of the steps around it. */
const POINTS = 100;

export class Lesson {
  /** @type {State} */ state = 'idle';
  training;
  /** Whether it is made to fail. */ fail;
  seed = 0;
  steps = 0;
  done = 0;
  /** The pictures that an autoencoder rebuilds. @type {Pixels[]} */ shown = [];
  /** What it made when it was last looked at, @type {Pixels[]} */ pictures = [];
  /** and after how many steps that was. */ lookedAt = 0;
  /** Whether the engine has it. */ live = false;
  /** @type {Map<string, Line>} */ #lines = new Map();
  /** Of the newest steps, */ #seconds = [0].slice(1);
  /** and of each of them with whatever came before it, as a look. */ #waits = [0].slice(1);
  /** When the newest was there, in milliseconds. */ #at = 0;

  /** @param {Training} training @param {boolean} fail */
  constructor(training, fail) {
    this.training = training;
    this.fail = fail;
  }

  /** From the first step on. @param {number} seed @param {number} steps */
  begin(seed, steps) {
    Object.assign(this, { seed, steps, done: 0, shown: [], lookedAt: 0, live: true });
    this.#lines.clear();
    this.#seconds = [];
    this.#waits = [];
  }

  /** It goes on: a pause does not count. */
  go() {
    this.#at = performance.now();
  }

  /** @param {import('../../engine/protocol.js').Learned} step */
  step({ step, losses, seconds, look }) {
    this.done = step;
    const now = performance.now();
    this.#seconds.push(seconds);
    this.#waits.push((now - this.#at) / 1000);
    this.#at = now;
    let sum = 0;
    const from = this.#seconds.findLastIndex((one) => (sum += one) > WINDOW);
    this.#seconds.splice(0, from);
    this.#waits.splice(0, from);
    for (const { id } of this.training.curves) if (id in losses) this.#add(id, losses[id]);
    if (look) this.see(look);
  }

  /** @param {import('../../engine/protocol.js').Look} look */
  see({ pictures, usage }) {
    this.pictures = pictures;
    this.lookedAt = this.done;
    if (!usage) return;
    this.#add('used', usage.used);
    this.#add('perplexity', usage.perplexity);
  }

  /** Pictures a second, without the looks; 0 before the first step. */
  get speed() {
    const seconds = this.#seconds.reduce((a, b) => a + b, 0);
    return seconds ? (this.training.batch * this.#seconds.length) / seconds : 0;
  }

  /** Seconds that it still takes, with the looks; null before the first step. */
  get left() {
    return this.#waits.length ? (this.steps - this.done) * mean(this.#waits) : null;
  }

  /** The newest value of a number, of a loss the mean of the newest steps. @param {import('./learn-ways.js').Curve} curve */
  last({ id, counted }) {
    const values = this.#lines.get(id)?.values ?? [];
    const newest = counted ? 1 : Math.ceil(values.length / POINTS);
    return values.length ? mean(values.slice(-newest)) : null;
  }

  /** A number as a curve of few points. @param {string} id @returns {Line} */
  line(id) {
    const { steps, values } = this.#lines.get(id) ?? { steps: [], values: [] };
    const width = Math.ceil(values.length / POINTS);
    if (width < 2) return { steps, values };
    const count = Math.floor(values.length / width);
    const parts = (/** @type {number[]} */ all) => Array.from({ length: count }, (_, i) => all.slice(i * width, (i + 1) * width));
    return { steps: parts(steps).map((part) => Math.round(mean(part))), values: parts(values).map(mean) };
  }

  /** @param {string} id @param {number} value */
  #add(id, value) {
    const line = this.#lines.get(id) ?? { steps: [], values: [] };
    this.#lines.set(id, line);
    line.steps.push(this.done);
    line.values.push(value);
  }
}

/** @param {number[]} values */
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
