// @ts-check
// Blend: a second picture, mixed into the first by their latents, or brushed in token by token.
import { Code, failure } from '../../engine/protocol.js';
import { Dial } from '../../ui/dial.js';
import { h, on } from '../../ui/h.js';
import { sampleFile } from '../../ui/samples.js';
import { chipField, chips, chosenIn } from '../shared/chips.js';
import { draw } from '../shared/pictures.js';
import { brushDial, largest } from './tools.js';

/** What the slider shows first. */
const HALF = 50;
/** The longest side in pixels at which a second picture is read: it is cropped to the first one's size anyway. */
const LONGEST = 1024;

/** @typedef {import('./tools.js').Tool} Tool */
/** @typedef {import('./state.js').State} State */
/** @typedef {import('../../engine/protocol.js').Drawn} Drawn */

/** @implements {Tool} */
export class Blend {
  #session;
  #desk;
  #size = 3;
  #file = h('input', {
    id: 'blend-file',
    class: 'visually-hidden',
    type: 'file',
    accept: 'image/png,image/jpeg,image/webp',
    'aria-label': 'Choose a second picture',
  });
  #picker = h('sample-picker', { id: 'blend-samples', for: 'blend-file', label: 'The second picture' });
  #thumb = h('canvas', { id: 'blend-second', role: 'img', 'aria-label': 'The second picture as the model rebuilds it' });
  #ways = chipField(
    'blend-ways',
    'Blend',
    chips('blend-way', [
      ['mix', 'Mix the whole'],
      ['brush', 'Brush it in'],
    ]),
  );
  #dial = new Dial(
    'blend-share',
    'How much of the second',
    'share',
    'Both pictures become latents, which are mixed and turned into tokens again.',
    { least: 0, most: 100, step: 5, words: (value) => `${value} %` },
    () => {},
    (value) => this.#mix(value),
  );
  #brush = brushDial('blend', (size) => ((this.#size = size), this.#hand()));
  #words = h('p', { id: 'blend-words', class: 'note', role: 'status' });
  #rest = h(
    'div',
    { class: 'edit-tool', hidden: true },
    h('div', { class: 'blend-pair' }, this.#thumb, this.#ways),
    this.#dial.element,
    this.#brush.element,
  );
  element = h('div', { class: 'edit-tool' }, this.#file, this.#picker, this.#words, this.#rest);
  /** @type {Blob | null} */ #second = null;
  /** The second picture at the size of the first. @type {Drawn | null} */ #tokens = null;
  /** Where the slider is, until the picture matches it. @type {number | null} */ #due = null;
  #mixing = false;

  /** @param {import('../../session/session.js').Session} session @param {import('./desk.js').Desk} desk */
  constructor(session, desk) {
    this.#session = session;
    this.#desk = desk;
    this.#dial.show(0);
    for (const input of this.#ways.querySelectorAll('input')) input.checked = input.value === 'mix';
    this.#ways.addEventListener('change', () => this.#hand());
    this.#file.addEventListener('change', () => {
      const [file] = this.#file.files ?? [];
      if (file) this.take(file);
      this.#file.value = '';
    });
    on(this.#picker, 'sample', async (/** @type {import('../../ui/samples.js').Sample} */ sample) => {
      try {
        await this.take(await sampleFile(sample), sample.name);
      } catch (error) {
        session.complain(failure(error));
      }
    });
    this.#picker.addEventListener('camera', async () => {
      const [photo] = await session.camera.take(1);
      if (photo) this.take(photo);
    });
  }

  /** A second picture. @param {Blob} blob @param {string | null} [sample] which of the samples it is */
  async take(blob, sample = null) {
    const base = this.#desk.base;
    const before = { second: this.#second, tokens: this.#tokens };
    this.#second = blob;
    this.#tokens = null;
    this.#words.textContent = 'Reading the second picture …';
    try {
      if (!base || !(await this.#fit(base))) return void (this.#words.textContent = '');
      this.#picker.mark(sample);
      this.#rest.hidden = false;
      this.#words.textContent = '';
      this.#hand();
      if (chosenIn(this.#ways) !== 'mix') return;
      this.#dial.show(HALF);
      this.#mix(HALF);
    } catch (error) {
      // Another one may have been chosen meanwhile.
      if (this.#second !== blob) return;
      this.#second = before.second;
      this.#tokens = before.tokens;
      this.#words.textContent = '';
      this.#session.complain(failure(error));
    }
  }

  show() {
    this.#brush.show(this.#size, largest(this.#desk.state));
    // The slider is that of the mixture on the board.
    if (this.#desk.base === this.#desk.state) this.#dial.show(this.#due ?? 0);
    this.#hand();
  }

  leave() {
    this.#due = null;
  }

  /** @param {number[]} cells */
  stroke(cells) {
    const from = this.#tokens?.indices;
    const { state } = this.#desk;
    if (from && state && fits(this.#tokens, state)) this.#desk.draft((indices) => cells.forEach((cell) => (indices[cell] = from[cell])));
  }

  end() {
    this.#desk.commit();
  }

  #hand() {
    const brushes = chosenIn(this.#ways) === 'brush';
    this.#brush.element.hidden = !brushes;
    this.#dial.element.hidden = brushes;
    this.#desk.board.hand(brushes && this.#tokens ? 'brush' : null, this.#size);
    const { state } = this.#desk;
    // The picture may have another size by now.
    if (this.#second && state && this.#tokens && !fits(this.#tokens, state))
      this.#fit(state).catch((error) => this.#session.complain(failure(error)));
  }

  /** The second picture's tokens at the size of a state. @param {State} state @returns {Promise<boolean>} whether they came */
  async #fit(state) {
    const second = this.#second;
    const drawn = await this.#blended(state, 1);
    if (!drawn || second !== this.#second) return false;
    this.#tokens = drawn;
    draw(this.#thumb, drawn.pixels, null, drawn.facts.grids[0]);
    return true;
  }

  /** Follows the slider, always to where it is by now. @param {number} value */
  async #mix(value) {
    this.#due = value;
    if (this.#mixing) return;
    this.#mixing = true;
    try {
      while (this.#due !== null) {
        /** @type {number} */ const percent = this.#due;
        const { base } = this.#desk;
        if (!base) break;
        // Nothing of the second one is the picture itself, to the bit.
        const drawn = percent && (await this.#blended(base, percent / 100));
        if (this.#due === null) break;
        if (drawn) this.#desk.try(base, this.#desk.made(base, drawn));
        else if (base !== this.#desk.state) this.#desk.undo();
        if (this.#due === percent) this.#due = null;
      }
    } catch (error) {
      if (failure(error).code !== Code.CANCELLED) this.#session.complain(failure(error));
    } finally {
      this.#due = null;
      this.#mixing = false;
    }
  }

  /** @param {State} state @param {number} share @returns {Promise<Drawn | null>} */
  async #blended(state, share) {
    const { client, bar } = this.#session;
    const first = state.original ?? state.drawn?.pixels;
    if (!first || !this.#second) return null;
    try {
      return await client.blend(first, { blob: this.#second, maxSide: LONGEST, square: false }, share);
    } finally {
      if (bar.kind === 'edit') bar.rest();
    }
  }
}

/** Whether tokens can stand next to those of a state. @param {Drawn | null} drawn @param {State} state */
function fits(drawn, { codebook, size }) {
  const [grid] = drawn?.facts.grids ?? [];
  return grid?.rows === size.rows && grid.columns === size.columns && drawn?.facts.codebookHash === codebook;
}
