// @ts-check
// <compare-slider>: two pictures of one size under one handle. A native range input does the work, so
// that mouse, touch, keyboard and screen reader all come for free.

const REVEAL_MS = 700;

/** @typedef {import('../engine/protocol.js').Pixels} Pixels */

class CompareSlider extends HTMLElement {
  #frame = document.createElement('div');
  #original = document.createElement('canvas');
  #rebuilt = document.createElement('canvas');
  #mark = document.createElement('div');
  #range = document.createElement('input');
  #animation = 0;

  connectedCallback() {
    if (this.#frame.isConnected) return;
    this.#frame.className = 'compare-frame';
    this.#original.className = 'compare-original';
    this.#rebuilt.className = 'compare-rebuilt';
    for (const [canvas, label] of /** @type {const} */ ([
      [this.#original, 'Original picture'],
      [this.#rebuilt, 'Rebuilt picture'],
    ])) {
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', label);
    }
    this.#mark.className = 'compare-mark';
    this.#mark.hidden = true;
    Object.assign(this.#range, { type: 'range', min: '0', max: '100', step: '0.5', className: 'compare-range' });
    this.#range.setAttribute('aria-label', 'Compare: how much of the original is shown');
    this.#range.addEventListener('input', () => {
      cancelAnimationFrame(this.#animation);
      this.#place();
    });
    this.#frame.append(
      this.#rebuilt,
      this.#original,
      this.#mark,
      tag('original', 'Original'),
      tag('rebuilt', 'Rebuilt'),
      this.#range,
      handle(),
    );
    this.append(this.#frame);
    this.#set(50);
  }

  /** A new picture begins: its original alone. @param {Pixels} pixels */
  showOriginal(pixels) {
    this.hidden = false;
    this.dataset.shows = 'original';
    this.#size(pixels);
    paint(this.#original, pixels);
    this.#set(100);
  }

  /** The rebuilt picture, beside the original if there is one of its size. @param {Pixels} pixels */
  showRebuilt(pixels, alone = false) {
    this.hidden = false;
    this.#size(pixels);
    paint(this.#rebuilt, pixels);
    this.dataset.shows = alone ? 'rebuilt' : 'both';
    if (alone) return this.#set(0);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return this.#set(50);
    const begin = performance.now();
    const step = (/** @type {number} */ now) => {
      const t = Math.min(1, Math.max(0, (now - begin) / REVEAL_MS));
      this.#set(100 - 50 * (1 - (1 - t) ** 3));
      if (t < 1) this.#animation = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.#animation);
    this.#animation = requestAnimationFrame(step);
  }

  /** The rebuilt picture again. @returns {Pixels} */
  get rebuilt() {
    const { width, height } = this.#rebuilt;
    return { width, height, rgba: context(this.#rebuilt).getImageData(0, 0, width, height).data };
  }

  /** Frames one region. @param {{x: number, y: number, width: number, height: number} | null} region in 0..1 */
  mark(region) {
    this.#mark.hidden = !region;
    if (!region) return;
    const percent = (/** @type {number} */ v) => `${v * 100}%`;
    Object.assign(this.#mark.style, {
      left: percent(region.x),
      top: percent(region.y),
      width: percent(region.width),
      height: percent(region.height),
    });
  }

  /** @param {Pixels} pixels */
  #size({ width, height }) {
    this.#frame.style.setProperty('--ratio', String(width / height));
    this.mark(null);
  }

  /** @param {number} value */
  #set(value) {
    this.#range.value = String(value);
    this.#place();
  }

  #place() {
    const at = Number(this.#range.value);
    this.#frame.style.setProperty('--at', `${at}%`);
    this.#range.setAttribute('aria-valuetext', `${Math.round(at)} % original`);
  }
}

/** @param {string} kind @param {string} text */
function tag(kind, text) {
  const span = document.createElement('span');
  span.className = `compare-tag compare-tag-${kind}`;
  span.textContent = text;
  span.ariaHidden = 'true';
  return span;
}

function handle() {
  const div = document.createElement('div');
  div.className = 'compare-handle';
  div.ariaHidden = 'true';
  return div;
}

/** @param {HTMLCanvasElement} canvas */
const context = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));

/** @param {HTMLCanvasElement} canvas @param {Pixels} pixels */
export function paint(canvas, { width, height, rgba }) {
  canvas.width = width;
  canvas.height = height;
  context(canvas).putImageData(new ImageData(rgba, width, height), 0, 0);
}

customElements.define('compare-slider', CompareSlider);
