// @ts-check
// <loss-curve>: the loss of every step so far, or whatever else is to fall.
import { styled } from '../../ui/h.js';

/** @typedef {import('../../vendor/uPlot.esm.js')} Plot */
/** @typedef {import('../../vendor/uPlot.esm.js').Axis} Axis */

const HEIGHT = 170;
const SHEET = new URL('../../vendor/uPlot.min.css', import.meta.url).href;
const dark = matchMedia('(prefers-color-scheme: dark)');

/** @param {string} name of a colour of the page */
const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name);

/** @param {boolean} across @returns {Axis} */
const axis = (across) => ({
  stroke: colour('--muted'),
  grid: { show: !across, stroke: colour('--line'), width: 1 },
  ticks: { show: false },
  font: '12px system-ui, sans-serif',
  size: across ? 26 : 58,
  gap: 4,
  ...(across
    ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] }
    : { values: (_, ticks) => ticks.map((v) => String(Number(v.toPrecision(3)))) }),
});

export class LossCurve extends HTMLElement {
  /** @type {Plot | null} */ #plot = null;
  /** @type {Promise<void> | null} */ #drawing = null;
  #losses = [0].slice(1);
  what = 'Loss';
  #frame = 0;
  #resized = new ResizeObserver(() => this.#plot?.setSize({ width: this.clientWidth, height: HEIGHT }));
  #recoloured = () => this.#plot?.redraw();

  connectedCallback() {
    this.setAttribute('role', 'img');
    this.#resized.observe(this);
    dark.addEventListener('change', this.#recoloured);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
    dark.removeEventListener('change', this.#recoloured);
  }

  /** @param {number[]} losses of the steps from the first on */
  show(losses) {
    this.#losses = losses;
    this.dataset.count = String(losses.length);
    const last = losses.at(-1);
    this.setAttribute(
      'aria-label',
      last === undefined
        ? `${this.what}: no steps yet`
        : `${this.what} of ${losses.length} steps, from ${losses[0].toPrecision(3)} to ${last.toPrecision(3)}`,
    );
    this.#drawing ??= this.#draw();
    // Many steps may end between two frames of a fast device.
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#plot?.setData(this.#data());
    });
  }

  // The library is loaded with the first tuning: pictures need no curve, and where the library fails (as
  // it does if the browser's language is not a valid tag) only the curve is missing.
  async #draw() {
    try {
      const [{ default: Plot }] = await Promise.all([import('../../vendor/uPlot.esm.js'), styled(SHEET)]);
      this.#plot = new Plot(
        {
          width: Math.max(1, this.clientWidth),
          height: HEIGHT,
          padding: [10, 12, 0, 0],
          cursor: { show: false },
          legend: { show: false },
          scales: {
            x: { time: false },
            y: {
              range: (_, low, high) => (high > low ? [low - (high - low) * 0.05, high + (high - low) * 0.05] : [low * 0.9, low * 1.1 || 1]),
            },
          },
          axes: [axis(true), axis(false)],
          series: [{}, { stroke: colour('--accent'), width: 2, points: { size: 5, fill: colour('--accent') } }],
        },
        this.#data(),
        this,
      );
    } catch {
      this.textContent = 'The curve cannot be drawn in this browser. The training does not need it.';
    }
  }

  /** @returns {[number[], number[]]} */
  #data() {
    return [this.#losses.map((_, i) => i + 1), this.#losses];
  }
}

customElements.define('loss-curve', LossCurve);
