// @ts-check
// The pictures: first as they form, with what is not drawn yet faded; then each can be picked, to be saved or
// opened.
import { button, h } from '../../ui/h.js';

/** How much of a patch that is not drawn yet is seen, of 255. */
const FADED = 64;
/** Pictures with shorter sides are shown with sharp pixels. */
const CRISP = 100;

/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */
/** @typedef {import('../../engine/protocol.js').Drawn} Drawn */
/** @typedef {import('../../session/priors.js').Prior} Prior */
/** @typedef {{canvas: HTMLCanvasElement, preview: Pixels | null}} Item */
/** @typedef {Record<'open' | 'savePicture' | 'saveTokens', (index: number) => unknown>} Actions for the picture of this number */

export class Gallery {
  #list = h('div', { id: 'sampling-pictures', class: 'gallery', role: 'radiogroup', 'aria-label': 'Pictures' });
  #picked = h('p', { class: 'gallery-picked' });
  #actions;
  /** @type {Item[]} */ #items = [];
  #columns = 1;
  #frame = 0;

  /** @param {HTMLElement} place @param {Actions} actions @param {HTMLElement} link */
  constructor(place, { open, savePicture, saveTokens }, link) {
    const of = (/** @type {(index: number) => unknown} */ act) => () => act(this.#chosen);
    this.#actions = h(
      'fieldset',
      { class: 'gallery-actions', disabled: true },
      this.#picked,
      h(
        'div',
        { class: 'actions' },
        button('Open in Rebuild', of(open), { id: 'sampling-open' }),
        button('Save picture', of(savePicture), { id: 'sampling-save-picture' }),
        button('Save tokens', of(saveTokens), { id: 'sampling-save-tokens' }),
        link,
      ),
    );
    this.#list.addEventListener('change', () => this.#tell());
    place.append(this.#list, this.#actions);
  }

  /**
   * Makes room for pictures of these seeds; those that are there stay until others come.
   * @param {Prior} prior @param {number} seed @param {number} count
   */
  begin({ entry }, seed, count) {
    const { rows, columns } = entry.config;
    cancelAnimationFrame(this.#frame);
    this.#actions.disabled = true;
    this.#columns = columns;
    this.#list.style.setProperty('--side', String(Math.ceil(Math.sqrt(count))));
    this.#list.style.setProperty('--ratio', String(columns / rows));
    if (this.#items.length !== count) {
      this.#items = Array.from({ length: count }, () => ({ canvas: h('canvas', { width: columns, height: rows }), preview: null }));
      this.#list.replaceChildren(...this.#items.map(({ canvas }, i) => picture(canvas, i)));
    }
    for (const item of this.#items) {
      item.preview = null;
      item.canvas.toggleAttribute('data-stale', true);
    }
    this.#list.querySelectorAll('input').forEach((input, i) => input.setAttribute('aria-label', `Picture ${i + 1}, seed ${seed + i}`));
    this.#tell();
  }

  /** @param {import('../../engine/protocol.js').SamplePart} part */
  part({ pictures }) {
    pictures.forEach(({ preview }, i) => (this.#items[i].preview = preview ?? this.#items[i].preview));
    // A prior may take many steps between two frames.
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() =>
      pictures.forEach(({ tokens }, i) => draw(this.#items[i].canvas, this.#items[i].preview, tokens, this.#columns)),
    );
  }

  /** @param {Drawn[]} pictures */
  done(pictures) {
    cancelAnimationFrame(this.#frame);
    pictures.forEach(({ pixels }, i) => draw(this.#items[i].canvas, pixels, null, this.#columns));
    this.#actions.disabled = false;
  }

  get #chosen() {
    const inputs = [...this.#list.querySelectorAll('input')];
    return inputs.findIndex(({ checked }) => checked);
  }

  #tell() {
    const input = this.#list.querySelectorAll('input')[this.#chosen];
    this.#picked.textContent = input?.getAttribute('aria-label') ?? '';
  }
}

/** @param {HTMLCanvasElement} canvas @param {number} index */
const picture = (canvas, index) =>
  h(
    'label',
    { class: 'gallery-picture' },
    h('input', { type: 'radio', name: 'picture', class: 'visually-hidden', checked: index === 0 }),
    canvas,
  );

/**
 * @param {HTMLCanvasElement} canvas @param {Pixels | null} pixels null before the first token is drawn
 * @param {Int32Array | null} tokens those that are negative are faded; null fades none @param {number} columns of them
 */
function draw(canvas, pixels, tokens, columns) {
  if (!pixels) return;
  const { width, height, rgba } = pixels;
  const image = new ImageData(new Uint8ClampedArray(rgba), width, height);
  if (tokens) fade(image, tokens, columns);
  delete canvas.dataset.stale;
  Object.assign(canvas, { width, height });
  canvas.toggleAttribute('data-crisp', Math.min(width, height) < CRISP);
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** @param {ImageData} image @param {Int32Array} tokens @param {number} columns */
function fade({ width, height, data }, tokens, columns) {
  const side = width / columns;
  for (let y = 0; y < height; y += 1) {
    const row = Math.floor(y / side) * columns;
    for (let x = 0; x < width; x += 1) {
      if (tokens[row + Math.floor(x / side)] < 0) data[(y * width + x) * 4 + 3] = FADED;
    }
  }
}
