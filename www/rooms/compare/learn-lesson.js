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
  /** Of the newest steps. @type {number[]} */ #seconds = [];

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
  }

  /** @param {import('../../engine/protocol.js').Learned} step */
  step({ step, losses, seconds, look }) {
    this.done = step;
    this.#seconds.push(seconds);
    let sum = 0;
    const from = this.#seconds.findLastIndex((one) => (sum += one) > WINDOW);
    this.#seconds.splice(0, from);
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
    const means = (/** @type {number[]} */ all) => Array.from({ length: count }, (_, i) => mean(all.slice(i * width, (i + 1) * width)));
    return { steps: means(steps), values: means(values) };
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
