// @ts-check
// One of the five ways: its pictures, what they cost, and what there is to know about it.
import { megabytes } from '../../session/shelf.js';
import { h } from '../../ui/h.js';
import { Forming } from './forming.js';

/** @typedef {import('./ways.js').Way} Way */
/** @typedef {import('../../session/comparing.js').Comparing} Comparing */

/** @param {number} billions */
function counted(billions) {
  const millions = billions * 1000;
  const digits = (/** @type {number} */ value) => Number(value.toPrecision(value < 100 ? 2 : 3)).toLocaleString('en');
  return millions < 1000 ? `${digits(millions)} million` : `${digits(billions)} billion`;
}

/** @param {number} seconds */
const timed = (seconds) => (seconds < 0.1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(2)} s`);

export class Card {
  #way;
  #pictures;
  /** Of the newest pictures. */ #steps = 1;
  #at = h('p', { class: 'way-at' });
  #time = h('dd', {}, '–');
  element;

  /** @param {Way} way @param {import('../../session/shelf.js').Shelf} shelf */
  constructor(way, shelf) {
    this.#way = way;
    this.#pictures = new Forming(way.grid);
    const row = (/** @type {string} */ term, /** @type {string | HTMLElement} */ value) =>
      h('div', {}, h('dt', {}, term), typeof value === 'string' ? h('dd', {}, value) : value);
    const link = (/** @type {string} */ text, /** @type {string} */ href) => h('li', {}, h('a', { href }, text));
    this.element = h(
      'article',
      { class: 'way', 'data-way': way.id, 'data-drawn': 'no', 'aria-labelledby': `way-${way.id}` },
      h('header', {}, h('h3', { id: `way-${way.id}` }, way.title), h('p', { class: 'way-how' }, way.how)),
      h('div', { class: 'way-picture' }, this.#pictures.element, this.#at),
      h(
        'dl',
        { class: 'way-costs' },
        row('Download', `${megabytes(way.bytes)} MB`),
        row('Multiply-adds', way.work ? counted(way.work) : '–'),
        row('Time here', this.#time),
      ),
      h('p', {}, h('strong', {}, 'How it learns. '), way.trained),
      h('p', {}, h('strong', {}, 'What it is bad at. '), way.weak),
      h(
        'ul',
        { class: 'way-links' },
        ...way.papers.map(([text, paper]) => link(text, `https://arxiv.org/abs/${paper}`)),
        ...way.cards.map(([name, file]) => link(`Model card of ${name}`, shelf.address(file))),
      ),
    );
  }

  get title() {
    return this.#way.title;
  }

  /** @param {Comparing} asked */
  wait({ seed, count, class: kind }) {
    const what = `${this.#way.classes[kind] ?? ''} by ${this.title}`;
    this.#pictures.begin(Array.from({ length: count }, (_, i) => `${what}, seed ${seed + i}`));
    this.#state('no', 'Waiting …');
    this.#time.textContent = '–';
  }

  /** @param {import('../../engine/client.js').EngineClient} client @param {Comparing} asked @param {(part: import('./ways.js').Part) => void} hear */
  async draw(client, asked, hear) {
    this.#state('no', 'Starting …');
    const { pictures, seconds } = await this.#way.draw(client, asked, (part) => {
      this.#pictures.part(part);
      this.#at.textContent = part.steps > 1 ? `Step ${part.done} of ${part.steps}` : 'Drawing …';
      this.#steps = part.steps;
      hear(part);
    });
    this.#pictures.done(pictures);
    this.#time.textContent = timed(seconds / pictures.length);
    this.#state('yes', this.#steps > 1 ? `${this.#steps} steps` : '1 step');
  }

  /** It was not drawn. @param {string} why */
  rest(why) {
    this.#state('no', why);
  }

  /** @param {'yes' | 'no'} drawn @param {string} text */
  #state(drawn, text) {
    this.element.dataset.drawn = drawn;
    this.#at.textContent = text;
  }
}
