// @ts-check
// <tune-view>: a tuning in progress: the picture, its reconstruction before the tuning and now, the
// loss, the speed and the progress.
import './curve.js';
import { figure } from '../../ui/figure.js';
import { Rows } from '../../ui/rows.js';

/** Number of steps that the speed is averaged over. */
const WINDOW = 20;
const ROWS = [
  ['tune-at', 'Step'],
  ['tune-speed', 'Speed'],
  ['tune-time', 'Time left'],
  ['tune-loss', 'Loss'],
  ['tune-codes', 'Codes in use'],
];

/** @typedef {import('../../engine/protocol.js').Preview} Preview */

export class TuneView extends HTMLElement {
  #row = document.createElement('div');
  #curve = document.createElement('loss-curve');
  #rows = new Rows(ROWS);
  /** @type {number[]} */ #seconds = [];
  #steps = 0;
  #codes = 0;
  /** @type {number[]} */ losses = [];

  connectedCallback() {
    if (this.#row.isConnected) return;
    this.#row.className = 'figures';
    this.#curve.id = 'tune-curve';
    const side = document.createElement('div');
    side.className = 'tune-side';
    side.append(this.#curve, this.#rows.list);
    this.append(this.#row, side);
  }

  /**
   * @param {import('../../engine/protocol.js').Begun} begun @param {number} steps in all
   * @param {number[]} losses of the steps done
   * @param {number} codes of all grids together, 0 for a model without a codebook
   */
  begin({ seen, damaged, before, now }, steps, losses, codes) {
    this.hidden = false;
    this.#steps = steps;
    this.#seconds = [];
    this.losses = losses;
    this.#codes = codes;
    this.#rows.show('tune-codes', codes > 0);
    const title = damaged ? 'Damaged' : 'Picture';
    const label = damaged ? 'The picture, damaged, as the model sees it' : 'The picture';
    this.#row.replaceChildren(
      figure({ id: 'seen', title, label, pixels: seen, quality: damaged }),
      side('before', 'Before', 'Rebuilt before the tuning', before),
    );
    this.preview(now);
    this.#numbers();
  }

  /** @param {import('../../engine/protocol.js').Step} step */
  step({ loss, seconds, now }) {
    this.losses.push(loss);
    this.#seconds = [...this.#seconds, seconds].slice(-WINDOW);
    if (now) this.preview(now);
    this.#numbers();
  }

  /** @param {Preview} now */
  preview(now) {
    this.#row.querySelector('[data-stage=now]')?.remove();
    this.#row.append(side('now', 'Now', 'Rebuilt by the model as tuned so far', now));
    const { used, perplexity } = now.usage ?? { used: 0, perplexity: 0 };
    const count = (/** @type {number} */ codes) => codes.toLocaleString('en');
    this.#rows.put(
      'tune-codes',
      used ? `${count(used)} of ${count(this.#codes)}, perplexity ${perplexity.toFixed(perplexity < 100 ? 1 : 0)}` : '–',
      used || '',
    );
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
    this.#rows.put('tune-at', `${done} of ${this.#steps}`, done);
    this.#rows.put(
      'tune-speed',
      mean ? (mean < 1 ? `${(1 / mean).toFixed(1)} steps/s` : `${mean.toFixed(1)} s/step`) : '–',
      mean ? 1 / mean : '',
    );
    const left = (this.#steps - done) * mean;
    this.#rows.put('tune-time', mean ? duration(left) : '–', mean ? left : '');
    this.#rows.put('tune-loss', last === undefined ? '–' : String(Number(last.toPrecision(3))), last ?? '');
    this.#curve.show(this.losses);
  }
}

/** @param {string} id @param {string} title @param {string} label @param {Preview} preview */
const side = (id, title, label, { rebuilt, quality }) => figure({ id, title, label, pixels: rebuilt, quality });

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

customElements.define('tune-view', TuneView);
