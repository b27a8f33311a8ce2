// @ts-check
// <compare-slider>: two pictures of one size under one divider, zoomed and moved in step. The divider is
// a native range input for keyboard and screen reader. It emits `pick` with a point of the picture, in
// 0..1, when that is tapped.
import { Gestures } from './gestures.js';
import { View } from './view.js';

const REVEAL_MS = 700;
/** A key or a button zooms by half an octave; an arrow key moves by a part of the frame. */
const ZOOM_STEP = Math.SQRT2;
const MOVE_STEP = 0.1;
/** Within this distance of the divider, a drag moves it rather than the picture. */
const GRASP = 22;
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const LABEL =
  'The pictures. Plus and minus zoom, 0 fits, 1 shows them one to one, arrow keys move them; hold space for the original, Enter finds the token in the middle.';

/** @typedef {import('../engine/protocol.js').Pixels} Pixels */
/** @typedef {import('./view.js').Region} Region */

export class CompareSlider extends HTMLElement {
  #frame = div('compare-frame');
  #window = div('compare-view');
  #half = div('compare-half');
  #original = picture('original', 'Original picture');
  #rebuilt = picture('rebuilt', 'Rebuilt picture');
  #mark = div('compare-mark');
  #range = document.createElement('input');
  #level = document.createElement('output');
  #fit = button('Fit', 'Fit the picture (0)', () => this.#look((view) => view.fit()));
  #one = button('1:1', 'Actual size (1)', () => this.#look((view) => view.one()));
  #view = new View();
  /** @type {Region | null} */ #region = null;
  /** Of the picture, and of the frame. */
  #size = { width: 0, height: 0 };
  #room = { width: 0, height: 0 };
  #divides = false;
  #offset = 0;
  #animation = 0;

  connectedCallback() {
    if (this.#frame.isConnected) return;
    this.#mark.hidden = true;
    this.#window.tabIndex = 0;
    this.#window.setAttribute('role', 'application');
    this.#window.setAttribute('aria-roledescription', 'zoomable pictures');
    this.#window.setAttribute('aria-label', LABEL);
    Object.assign(this.#range, { type: 'range', min: '0', max: '100', step: '0.5', className: 'compare-range' });
    this.#range.setAttribute('aria-label', 'Compare: how much of the original is shown');
    this.#range.addEventListener('input', () => {
      cancelAnimationFrame(this.#animation);
      this.#place();
    });
    this.#half.append(this.#original);
    this.#window.append(this.#rebuilt, this.#half);
    this.#frame.append(this.#window, this.#mark, tag('original', 'Original'), tag('rebuilt', 'Rebuilt'), this.#range, handle());
    this.append(this.#frame, this.#tools());
    this.addEventListener('keydown', (event) => this.#key(event));
    this.#window.addEventListener('keyup', (event) => event.key === ' ' && this.#hold(false));
    this.#window.addEventListener('blur', () => this.#hold(false));
    this.#window.addEventListener('pointermove', (event) => {
      if (event.buttons) return;
      const { left } = this.#frame.getBoundingClientRect();
      this.#frame.toggleAttribute('data-grasp', this.#grasps(event.clientX - left));
    });
    this.#listen();
    new ResizeObserver(() => this.#measure()).observe(this.#frame);
    this.#set(50);
  }

  #listen() {
    new Gestures(this.#window, {
      tap: (at) => this.#pick(at),
      twice: (at) => this.#look((view) => view.toggle(at)),
      // A press on the divider is about to move it.
      hold: (at) => this.#hold(at !== null && !this.#grasps(at.x)),
      grab: ({ x }, pinched) => {
        this.#divides = this.dataset.shows === 'both' && !pinched && (this.#grasps(x) || !this.#view.movable);
        if (!this.#divides) return;
        this.#offset = this.#grasps(x) ? this.#at - x : 0;
        this.#range.focus({ preventScroll: true });
      },
      drag: (at, by) => {
        if (this.#divides) this.#set(((at.x + this.#offset) / this.#room.width) * 100);
        else this.#look((view) => view.move(by));
      },
      pinch: (from, to) => this.#look((view) => view.pinch(from, to)),
      zoom: (factor, at) => this.#look((view) => view.step(factor, at)),
      // Scrolling the page must not zoom a picture that the visitor has not focused.
      wheels: (inward) => (document.activeElement === this.#window || !this.#view.fitted) && (inward || this.#view.movable),
    });
  }

  /**
   * Starts with a picture's original alone.
   * @param {Pixels} pixels @param {boolean} [again] whether it was there before, so that the same part of it stays in sight
   */
  showOriginal(pixels, again = false) {
    this.hidden = false;
    this.dataset.shows = 'original';
    this.#begin(pixels, again);
    paint(this.#original, pixels);
    this.#set(100);
  }

  /** The rebuilt picture, next to the original if there is one of its size. @param {Pixels} pixels */
  showRebuilt(pixels, alone = false) {
    this.hidden = false;
    this.#begin(pixels, !alone);
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
    this.#animation = requestAnimationFrame(step);
  }

  /** Another rebuilt picture in the place of the one that is shown. @param {Pixels} pixels of the same size */
  replaceRebuilt(pixels) {
    paint(this.#rebuilt, pixels);
  }

  /** Frames one region. @param {Region | null} region @param {boolean} [lasting] whether it stays */
  mark(region, lasting = false) {
    this.#region = region;
    this.#mark.toggleAttribute('data-lasting', lasting);
    this.#draw();
  }

  /** Brings a region into view. @param {Region} region */
  reveal(region) {
    this.#look((view) => view.reveal(region));
  }

  /** @param {Pixels} pixels @param {boolean} again */
  #begin({ width, height }, again) {
    const same = again && this.#size.width === width && this.#size.height === height;
    if (same) return this.#measure();
    this.#size = { width, height };
    this.#frame.style.setProperty('--ratio', String(width / height));
    this.#view.show(this.#size);
    this.#region = null;
    this.#measure();
  }

  #measure() {
    const { width, height } = this.#frame.getBoundingClientRect();
    // It has no size while it is hidden.
    if (!width || !height) return;
    this.#room = { width, height };
    this.#view.resize(this.#room);
    this.#draw();
  }

  /** @param {(view: View) => void} change */
  #look(change) {
    change(this.#view);
    this.#draw();
  }

  #draw() {
    const { scale, x, y } = this.#view;
    this.#frame.style.setProperty('--view', `translate(${x}px, ${y}px) scale(${scale})`);
    this.#frame.toggleAttribute('data-crisp', this.#view.crisp);
    this.#frame.toggleAttribute('data-movable', this.#view.movable);
    this.#mark.hidden = !this.#region;
    if (this.#region) {
      const box = Object.entries(this.#view.box(this.#region)).map(([side, length]) => [side, `${length}px`]);
      Object.assign(this.#mark.style, Object.fromEntries(box));
    }
    this.#level.value = `${Math.round(scale * 100)} %`;
    this.#fit.setAttribute('aria-pressed', String(this.#view.fitted));
    this.#one.setAttribute('aria-pressed', String(this.#view.actual));
  }

  #tools() {
    const tools = div('compare-tools');
    tools.setAttribute('role', 'group');
    tools.setAttribute('aria-label', 'Zoom');
    const zoom = (/** @type {number} */ factor) => () => this.#look((view) => view.step(factor));
    const less = button('−', 'Zoom out (-)', zoom(1 / ZOOM_STEP), 'Zoom out');
    const more = button('+', 'Zoom in (+)', zoom(ZOOM_STEP), 'Zoom in');
    const hint = document.createElement('span');
    hint.className = 'compare-hint';
    hint.textContent = 'Hold the picture to see the original.';
    tools.append(less, this.#level, more, this.#fit, this.#one, hint);
    return tools;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target === this.#window;
    const { width, height } = this.#room;
    const arrow = inside && this.#view.movable && ARROWS[event.key];
    if (arrow) this.#look((view) => view.move({ x: arrow[0] * width * MOVE_STEP, y: arrow[1] * height * MOVE_STEP }));
    else if (event.key === '+' || event.key === '=') this.#look((view) => view.step(ZOOM_STEP));
    else if (event.key === '-' || event.key === '_') this.#look((view) => view.step(1 / ZOOM_STEP));
    else if (event.key === '0') this.#look((view) => view.fit());
    else if (event.key === '1') this.#look((view) => view.one());
    else if (inside && event.key === ' ') this.#hold(true);
    else if (inside && event.key === 'Enter') this.#pick({ x: width / 2, y: height / 2 });
    else return;
    event.preventDefault();
  }

  /** @param {import('./view.js').Point} at of the frame */
  #pick(at) {
    const detail = this.#view.under(at);
    if (detail) this.dispatchEvent(new CustomEvent('pick', { detail, bubbles: true }));
  }

  /** Shows the original alone while held. @param {boolean} on @returns {boolean} */
  #hold(on) {
    return this.#frame.toggleAttribute('data-held', on && this.dataset.shows === 'both');
  }

  /** Where the divider is. */
  get #at() {
    return (Number(this.#range.value) / 100) * this.#room.width;
  }

  /** @param {number} x */
  #grasps(x) {
    return this.dataset.shows === 'both' && Math.abs(x - this.#at) <= GRASP;
  }

  /** @param {number} value */
  #set(value) {
    cancelAnimationFrame(this.#animation);
    this.#range.value = String(value);
    this.#place();
  }

  #place() {
    const at = Number(this.#range.value);
    this.#frame.style.setProperty('--at', `${at}%`);
    this.#range.setAttribute('aria-valuetext', `${Math.round(at)} % original`);
  }
}

/** @param {string} className */
function div(className) {
  return Object.assign(document.createElement('div'), { className });
}

/** @param {string} kind @param {string} label */
function picture(kind, label) {
  const canvas = document.createElement('canvas');
  canvas.className = `compare-${kind}`;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  return canvas;
}

/** @param {string} text @param {string} title @param {() => void} run @param {string} [label] for a text that is only a symbol */
function button(text, title, run, label) {
  const b = Object.assign(document.createElement('button'), { type: 'button', className: 'button', textContent: text, title });
  if (label) b.setAttribute('aria-label', label);
  b.addEventListener('click', run);
  return b;
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
  const element = div('compare-handle');
  element.ariaHidden = 'true';
  return element;
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
