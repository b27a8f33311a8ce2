// @ts-check
// What is seen of a training: its numbers, its pictures and its curves.
import '../../ui/curve.js';
import { h } from '../../ui/h.js';
import { Rows } from '../../ui/rows.js';
import { draw } from '../shared/pictures.js';
import { DIGITS } from './learn-ways.js';
import { WHOLE } from './ways.js';

/** @typedef {import('./learn-lesson.js').Lesson} Lesson */

const CLASSES = 10;
/** Milliseconds between two frames: the training needs the processor more. */
const FRAME = 200;
/** The first values of a curve, which may be far above all others. */
const STEEP = 0.06;

export class LearnView {
  #rows = new Rows([
    ['learn-step', 'Step'],
    ['learn-epoch', `Epoch of ${DIGITS.toLocaleString('en')} digits`],
    ['learn-speed', 'Pictures a second'],
    ['learn-left', 'Time left'],
  ]);
  /** Two of each class. @type {HTMLCanvasElement[]} */
  #canvases = Array.from({ length: 2 * CLASSES }, () => h('canvas', { width: 1, height: 1, role: 'img' }));
  #caption = h('p', { class: 'note' });
  #curves = h('div', { class: 'learn-curves' });
  /** @type {ReturnType<typeof chart>[]} */ #charts = [];
  /** @type {Lesson | null} */ #lesson = null;
  /** The training whose curves are here. */ #kind = '';
  /** @type {ReturnType<typeof setTimeout> | null} */ #timer = null;
  #drawnAt = -Infinity;
  element;

  constructor() {
    this.#rows.list.className = 'learn-numbers';
    const cells = Array.from({ length: CLASSES }, (_, i) => h('div', { class: 'learn-cell' }, ...this.#canvases.slice(2 * i, 2 * i + 2)));
    const pictures = h('div', { class: 'learn-pictures' }, ...cells);
    this.element = h('div', { class: 'learn-seen' }, this.#rows.list, h('div', {}, pictures, this.#caption), this.#curves);
  }

  /** Another training, or a new state of it. @param {Lesson} lesson */
  show(lesson) {
    this.#lesson = lesson;
    const { training } = lesson;
    if (this.#kind !== training.id) {
      this.#kind = training.id;
      this.#charts = training.curves.map((curve) => chart(curve));
      this.#curves.replaceChildren(...this.#charts.map(({ element }) => element));
    }
    this.#draw();
  }

  /** It has gone on. */
  refresh() {
    this.#timer ||= setTimeout(() => this.#draw(), Math.max(0, this.#drawnAt + FRAME - performance.now()));
  }

  #draw() {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#drawnAt = performance.now();
    if (!this.#lesson) return;
    this.element.hidden = this.#lesson.state === 'idle';
    this.#numbers(this.#lesson);
    this.#pictures(this.#lesson);
    for (const { of, value, curve } of this.#charts) {
      const last = this.#lesson.last(of);
      const { steps, values } = this.#lesson.line(of.id);
      value.textContent = last === null ? '–' : String(Number(last.toPrecision(3)));
      curve.show(values, steps);
    }
  }

  /** @param {Lesson} lesson */
  #numbers({ done, steps, speed, left, training: { batch } }) {
    const epoch = (done * batch) / DIGITS;
    this.#rows.put('learn-step', `${done.toLocaleString('en')} of ${steps.toLocaleString('en')}`, done);
    this.#rows.put('learn-epoch', epoch.toFixed(1), epoch);
    this.#rows.put('learn-speed', speed ? Math.round(speed).toLocaleString('en') : '–', speed || '');
    const words = left === null ? '–' : left < 90 ? `${Math.ceil(left)} s` : `${Math.round(left / 60)} min`;
    this.#rows.put('learn-left', words, left ?? '');
  }

  /** @param {Lesson} lesson */
  #pictures({ pictures, shown, lookedAt, training: { draws, title } }) {
    const after = `after ${lookedAt.toLocaleString('en')} steps`;
    for (let i = 0; i < CLASSES; i += 1) {
      const two = draws ? pictures.slice(2 * i, 2 * i + 2) : [shown[i], pictures[i]];
      const words = draws ? ['first', 'second'].map((one) => `The ${one} ${i}, ${after}`) : [`A ${i}`, `The same, rebuilt ${after}`];
      two.forEach((pixels, j) => {
        const canvas = this.#canvases[2 * i + j];
        canvas.setAttribute('aria-label', words[j]);
        draw(canvas, pixels ?? null, null, WHOLE);
      });
    }
    this.#caption.textContent = draws
      ? `Two of each digit, drawn by the ${title === 'Diffusion' ? 'diffusion model' : title} ${after}, always out of the same random numbers.`
      : `Above ten of the digits that it learns from, below what it rebuilds from their tokens ${after}.`;
  }
}

/** @param {import('./learn-ways.js').Curve} of */
function chart(of) {
  const value = h('strong', { class: 'learn-value' });
  const curve = document.createElement('loss-curve');
  curve.what = `${of.title} (${of.term})`;
  // The fall of what is counted is worth seeing.
  curve.steep = of.counted ? 0 : STEEP;
  const head = h('figcaption', {}, h('span', {}, of.title, ' ', h('small', {}, of.term)), value);
  return { of, value, curve, element: h('figure', { class: 'learn-curve', 'data-curve': of.id }, head, curve) };
}
