// @ts-check
// <stage-pair>: the pictures that two stages of a model decode from the same tokens, side by side and
// enlarged together, and the choice between them and the one picture under the slider. It emits
// `choose` when that changes, and `pick` with a point of a picture, in 0..1, when that is clicked.
import { paint } from './compare.js';
import { decibels } from './numbers.js';

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.05;
const HINT = ' Point at a picture or press the arrow keys to look elsewhere.';

/**
 * @typedef {object} Side a picture and its caption
 * @property {string} id
 * @property {string} title
 * @property {string} label the accessible name
 * @property {string} name of the model
 * @property {import('../engine/protocol.js').Pixels} pixels
 * @property {import('../engine/protocol.js').Quality | null} quality null without an original
 */

export class StagePair extends HTMLElement {
  /** @type {'one' | 'both'} what is wanted; what is shown is in `data-shows` */ choice = 'one';
  #row = document.createElement('div');
  #one = button('', () => this.choose('one'));
  #both = button('Both stages', () => this.choose('both'));
  #larger = button('Enlarge', () => this.#enlarge());
  #note = document.createElement('p');
  #enlarged = false;
  #words = { offer: '', both: '' };
  #at = [0.5, 0.5];
  /** @type {[import('./view.js').Region | null, boolean]} what is framed, for pictures that come later */ #marked = [null, false];

  connectedCallback() {
    if (this.#row.isConnected) return;
    this.#row.className = 'stages-row';
    const group = document.createElement('div');
    group.className = 'segments';
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', 'Stages of the model');
    group.append(this.#one, this.#both);
    const controls = document.createElement('div');
    controls.className = 'stages-controls';
    controls.append(group, this.#larger);
    this.#note.className = 'stages-note';
    this.append(this.#row, controls, this.#note);
    for (const type of /** @type {const} */ (['pointermove', 'pointerdown']))
      this.#row.addEventListener(type, (event) => this.#point(event));
    this.#row.addEventListener('click', (event) => this.#pick(event));
    this.addEventListener('keydown', (event) => this.#key(event));
  }

  /** A result begins. @param {string | null} stage the one that decodes it, null if it is the model's only one @param {string} offer */
  begin(stage, offer) {
    this.hidden = !stage;
    this.#one.textContent = stage;
    this.#words.offer = offer;
    this.#row.replaceChildren();
    this.#settle();
  }

  /** Whether both pictures are there. */
  get filled() {
    return this.#row.childElementCount > 0;
  }

  /** @param {Side[]} sides @param {string} words on what they are */
  show(sides, words) {
    this.#row.replaceChildren(...sides.map(figure));
    this.mark(...this.#marked);
    this.#words.both = words;
    this.#settle();
  }

  /** @param {'one' | 'both'} choice */
  choose(choice) {
    this.choice = choice;
    this.#settle();
    this.dispatchEvent(new CustomEvent('choose'));
  }

  /** Frames one region in both. @param {import('./view.js').Region | null} region @param {boolean} [lasting] whether it stays */
  mark(region, lasting = false) {
    this.#marked = [region, lasting];
    const percent = (/** @type {number} */ v) => `${v * 100}%`;
    for (const mark of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll('.compare-mark'))) {
      mark.hidden = !region;
      mark.toggleAttribute('data-lasting', lasting);
      if (region)
        Object.assign(mark.style, {
          left: percent(region.x),
          top: percent(region.y),
          width: percent(region.width),
          height: percent(region.height),
        });
    }
    if (region) this.#look(region.x + region.width / 2, region.y + region.height / 2);
  }

  #settle() {
    const both = this.choice === 'both' && this.filled;
    this.dataset.shows = both ? 'both' : 'one';
    this.#one.setAttribute('aria-pressed', String(this.choice === 'one'));
    this.#both.setAttribute('aria-pressed', String(this.choice === 'both'));
    this.#larger.hidden = !both;
    this.#larger.setAttribute('aria-pressed', String(this.#enlarged));
    this.#row.toggleAttribute('data-enlarged', this.#enlarged);
    this.#note.textContent = both ? this.#words.both + (this.#enlarged ? HINT : '') : this.#words.offer;
  }

  #enlarge() {
    this.#enlarged = !this.#enlarged;
    this.#look(0.5, 0.5);
    this.#settle();
  }

  /** @param {number} x @param {number} y in 0..1, where enlarged pictures have their middle */
  #look(x, y) {
    this.#at = [x, y].map((v) => Math.min(1, Math.max(0, v)));
    this.#at.forEach((v, i) => this.#row.style.setProperty(['--x', '--y'][i], `${v * 100}%`));
  }

  /** @param {PointerEvent} event */
  #point(event) {
    const frame = /** @type {Element} */ (event.target).closest('.stages-frame');
    if (!frame) return;
    const box = frame.getBoundingClientRect();
    this.#look((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  }

  /** @param {MouseEvent} event */
  #pick(event) {
    const picture = /** @type {Element} */ (event.target).closest('.stages-frame')?.querySelector('canvas');
    if (!picture) return;
    const { left, top, width, height } = picture.getBoundingClientRect();
    const detail = { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
    if (Object.values(detail).every((v) => v >= 0 && v < 1)) this.dispatchEvent(new CustomEvent('pick', { detail, bubbles: true }));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = this.dataset.shows === 'both' && this.#enlarged && ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    this.#look(this.#at[0] + step[0] * STEP, this.#at[1] + step[1] * STEP);
  }
}

/** @param {string} label @param {() => void} run */
function button(label, run) {
  const b = document.createElement('button');
  Object.assign(b, { type: 'button', className: 'button', textContent: label });
  b.setAttribute('aria-pressed', 'false');
  b.addEventListener('click', run);
  return b;
}

/** @param {Side} side */
export function figure({ id, title, label, name, pixels, quality }) {
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  paint(canvas, pixels);
  const mark = document.createElement('div');
  mark.className = 'compare-mark';
  mark.hidden = true;
  const layer = document.createElement('div');
  layer.className = 'stages-layer';
  layer.append(canvas, mark);
  const frame = document.createElement('div');
  frame.className = 'stages-frame';
  frame.style.setProperty('--ratio', String(pixels.width / pixels.height));
  frame.append(layer);

  const caption = document.createElement('figcaption');
  const strong = document.createElement('strong');
  strong.textContent = title;
  const small = document.createElement('small');
  small.textContent = name;
  caption.append(strong, ...(name ? [' ', small] : []));
  if (quality) {
    const numbers = document.createElement('p');
    numbers.append(value('PSNR', quality.psnr, decibels(quality.psnr)), ' ', value('SSIM', quality.ssim, quality.ssim.toFixed(4)));
    caption.append(numbers);
  }
  const element = document.createElement('figure');
  element.dataset.stage = id;
  element.append(frame, caption);
  return element;
}

/** A number like the result's, with the bare one in `data-value`. @param {string} label @param {number} number @param {string} text */
function value(label, number, text) {
  const span = document.createElement('span');
  span.className = `stages-${label.toLowerCase()}`;
  span.dataset.value = String(number);
  span.textContent = `${label} ${text}`;
  return span;
}

customElements.define('stage-pair', StagePair);
