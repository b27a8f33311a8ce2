// @ts-check
// <loss-curve>: the loss of every step so far, or whatever else is to fall.
import { styled } from './h.js';

/** @typedef {import('../vendor/uPlot.esm.js')} Plot */
/** @typedef {import('../vendor/uPlot.esm.js').Axis} Axis */

const HEIGHT = 170;
const SHEET = new URL('../vendor/uPlot.min.css', import.meta.url).href;
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
  /** @type {number[] | null} */ #steps = null;
  what = 'Loss';
  /** Fraction of the first values that may be outside, where what comes after them is hardly seen otherwise. */ steep = 0;
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

  /** @param {number[]} losses of the steps from the first on @param {number[] | null} [steps] those that they are of, if not all */
  show(losses, steps = null) {
    this.#losses = losses;
    this.#steps = steps;
    this.dataset.count = String(losses.length);
    const last = losses.at(-1);
    this.setAttribute(
      'aria-label',
      last === undefined
        ? `${this.what}: no steps yet`
        : `${this.what} of ${steps?.at(-1) ?? losses.length} steps, from ${losses[0].toPrecision(3)} to ${last.toPrecision(3)}`,
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
      const [{ default: Plot }] = await Promise.all([import('../vendor/uPlot.esm.js'), styled(SHEET)]);
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
              range: (_, low, high) => this.#range(low, high),
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

  /** @param {number} low @param {number} high @returns {[number, number]} */
  #range(low, high) {
    if (this.steep && this.#losses.length) {
      const later = this.#losses.slice(Math.floor(this.#losses.length * this.steep));
      [low, high] = [Math.min(...later), Math.max(...later)];
    }
    return high > low ? [low - (high - low) * 0.05, high + (high - low) * 0.05] : [low * 0.9, low * 1.1 || 1];
  }

  /** @returns {[number[], number[]]} */
  #data() {
    return [this.#steps ?? this.#losses.map((_, i) => i + 1), this.#losses];
  }
}

customElements.define('loss-curve', LossCurve);
