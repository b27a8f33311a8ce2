// @ts-check
// A training in progress, of either kind: pictures, the curve, the speed and the progress.
import '../../ui/curve.js';
import { Rows } from '../../ui/rows.js';

/** Number of steps that the speed is averaged over. */
const WINDOW = 20;

export class TrainingView extends HTMLElement {
  row = document.createElement('div');
  #curve = document.createElement('loss-curve');
  rows;
  #prefix;
  /** @type {number[]} */ #seconds = [];
  #steps = 0;
  /** @type {number[]} */ losses = [];

  /**
   * @param {string} prefix of the ids within @param {string} loss what the curve shows
   * @param {string[][]} more rows
   */
  constructor(prefix, loss, more) {
    super();
    this.#prefix = prefix;
    this.#curve.what = loss;
    const rows = [['at', 'Step'], ['speed', 'Speed'], ['time', 'Time left'], ['loss', loss], ...more];
    this.rows = new Rows(rows.map(([id, ...words]) => [`${prefix}-${id}`, ...words]));
  }

  connectedCallback() {
    if (this.row.isConnected) return;
    this.row.className = 'figures';
    this.#curve.id = `${this.#prefix}-curve`;
    const side = document.createElement('div');
    side.className = 'tune-side';
    side.append(this.#curve, this.rows.list);
    this.append(this.row, side);
  }

  /** @param {number} steps in all @param {number[]} losses of the steps done */
  start(steps, losses) {
    this.hidden = false;
    this.#steps = steps;
    this.#seconds = [];
    this.losses = losses;
    this.#numbers();
  }

  /** The loss in words. @param {number} loss */
  words(loss) {
    return String(Number(loss.toPrecision(3)));
  }

  /** @param {import('../../engine/protocol.js').Step} step */
  step({ loss, seconds }) {
    this.losses.push(loss);
    this.#seconds = [...this.#seconds, seconds].slice(-WINDOW);
    this.#numbers();
  }

  /** Goes back to this many steps. @param {number} done */
  back(done) {
    this.losses.length = done;
    this.#numbers();
  }

  #numbers() {
    const done = this.losses.length;
    const mean = this.#seconds.reduce((a, b) => a + b, 0) / this.#seconds.length;
    const last = this.losses.at(-1);
    const left = (this.#steps - done) * mean;
    const speed = mean < 1 ? `${(1 / mean).toFixed(1)} steps/s` : `${mean.toFixed(1)} s/step`;
    this.#put('at', `${done} of ${this.#steps}`, done);
    this.#put('speed', mean ? speed : '–', mean ? 1 / mean : '');
    this.#put('time', mean ? duration(left) : '–', mean ? left : '');
    this.#put('loss', last === undefined ? '–' : this.words(last), last ?? '');
    this.#curve.show(this.losses);
  }

  /** @param {string} id @param {string} text @param {number | ''} value */
  #put(id, text, value) {
    this.rows.put(`${this.#prefix}-${id}`, text, value);
  }
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
