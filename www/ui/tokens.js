// @ts-check
// <token-grid>: the tokens of a picture as one mosaic, or as several side by side, the coarsest first,
// with the token under the pointer or the arrow keys, or else the selected one, in words. It emits
// `cell` with {patch, selected} of that token or null, the patch in 0..1 of the picture, and `chosen`
// with the patch when a token is selected.
import { Mosaic } from './mosaic.js';
import { patchOf, tokenAt } from './patches.js';

// Of VQ-VAE-2, the one kind of model with two.
const NAMES = ['Top', 'Bottom'];

/** @typedef {import('./mosaic.js').Cell} Cell */
/** @typedef {import('./mosaic.js').Grid & {side: number}} Grid with the pixels along one side of a token */
/** @typedef {Cell & {grid: number}} Token */

export class TokenGrid extends HTMLElement {
  /** @type {import('./view.js').Size | null} null while the tokens belong to an earlier picture */ #picture = null;
  /** @type {Grid[]} */ #grids = [];
  /** @type {Uint8Array[]} */ #palettes = [];
  /** @type {Mosaic[]} */ #mosaics = [];
  /** @type {Token | null} */ #framed = null;
  /** @type {Token | null} */ #selected = null;
  /** The grid that a point of the picture is looked up in: the one used last, or else the finest. */
  #last = 0;
  #row = document.createElement('div');
  #swatch = document.createElement('span');
  #text = document.createElement('span');

  connectedCallback() {
    if (this.#row.isConnected) return;
    const heading = document.createElement('h2');
    heading.textContent = 'Tokens';
    this.#row.className = 'tokens-row';
    const readout = document.createElement('p');
    readout.className = 'tokens-readout';
    readout.id = 'token-readout';
    readout.setAttribute('aria-live', 'polite');
    this.#swatch.className = 'tokens-swatch';
    readout.append(this.#swatch, this.#text);
    this.append(heading, this.#row, readout);
    this.#lay(1);
    this.#update();
    // The selection shows in the picture too, so ending it must not depend on the focus.
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !this.#selected || !this.offsetParent || document.querySelector('dialog[open]')) return;
      this.#selected = null;
      this.#update();
    });
  }

  /**
   * @param {import('./view.js').Size} picture that the tokens stand for
   * @param {Grid[]} grids coarsest first
   * @param {Uint8Array[]} palettes of each grid's codebook, three bytes per code
   */
  show(picture, grids, palettes) {
    this.clear();
    this.#lay(grids.length);
    this.#picture = picture;
    this.#grids = grids;
    this.#palettes = palettes;
    this.#last = grids.length - 1;
    grids.forEach((grid, i) => {
      const size = `${grid.columns} by ${grid.rows} tokens.`;
      this.#mosaics[i].show(grid, palettes[i], grids.length > 1 ? `${NAMES[i]}: ${size}` : size);
      const caption = /** @type {HTMLElement} */ (this.#mosaics[i].element.nextElementSibling);
      caption.hidden = grids.length < 2;
      caption.textContent = `${NAMES[i]}: ${grid.columns} × ${grid.rows}`;
    });
  }

  /** Another picture begins: these tokens no longer have patches. */
  clear() {
    this.#framed = this.#selected = null;
    this.#update();
    this.#picture = null;
  }

  /** Selects the token at a point of the picture, or deselects it. @param {import('./view.js').Point} at in 0..1 */
  pick(at) {
    if (this.#picture) this.#choose(this.#last, tokenAt(this.#picture, this.#grids[this.#last].side, at));
  }

  /** Makes room for this many mosaics; existing ones stay, and keep the focus. @param {number} count */
  #lay(count) {
    this.#row.dataset.count = String(count);
    for (const { element } of this.#mosaics.splice(count)) element.parentElement?.remove();
    while (this.#mosaics.length < count) {
      const index = this.#mosaics.length;
      const mosaic = new Mosaic({
        frame: (cell) => this.#frame(index, cell),
        choose: (cell) => this.#choose(index, cell),
      });
      const figure = document.createElement('figure');
      const caption = document.createElement('figcaption');
      caption.hidden = true;
      figure.append(mosaic.element, caption);
      this.#mosaics.push(mosaic);
      this.#row.append(figure);
    }
  }

  /** @param {number} grid @param {Cell | null} cell */
  #frame(grid, cell) {
    // A touch frames a cell in one mosaic before the other has lost the focus.
    if (!cell && this.#framed?.grid !== grid) return;
    const framed = cell && { grid, ...cell };
    if (same(framed, this.#framed)) return;
    this.#framed = framed;
    this.#update();
  }

  /** @param {number} grid @param {Cell} cell */
  #choose(grid, cell) {
    const token = { grid, ...cell };
    this.#last = grid;
    this.#selected = same(token, this.#selected) ? null : token;
    this.#framed = null;
    this.#update();
    const patch = this.#selected && this.#patch(this.#selected);
    if (patch) this.dispatchEvent(new CustomEvent('chosen', { detail: patch, bubbles: true }));
  }

  #update() {
    this.#mosaics.forEach((mosaic, i) => {
      const here = (/** @type {Token | null} */ token) => (token?.grid === i ? token : null);
      mosaic.draw(here(this.#framed), here(this.#selected));
    });
    const token = this.#framed ?? this.#selected;
    const selected = same(token, this.#selected);
    this.#tell(token, selected);
    this.dispatchEvent(new CustomEvent('cell', { detail: token && { patch: this.#patch(token), selected }, bubbles: true }));
  }

  /** @param {Token} token */
  #patch(token) {
    return this.#picture && patchOf(this.#picture, this.#grids[token.grid].side, token);
  }

  /** @param {Token | null} token @param {boolean} selected */
  #tell(token, selected) {
    this.#swatch.hidden = !token;
    if (!token) {
      this.#text.textContent = 'Point at a token to read its code; click it, or the picture, to see its patch.';
      return;
    }
    const { grid, row, column } = token;
    const { columns, indices } = this.#grids[grid];
    const index = row * columns + column;
    const code = indices[index];
    const rgb = this.#palettes[grid].subarray(code * 3, code * 3 + 3);
    this.#swatch.style.backgroundColor = `rgb(${rgb.join(' ')})`;
    const times = indices.reduce((n, other) => n + (other === code ? 1 : 0), 0);
    const words = [
      `${this.#grids.length > 1 ? `${NAMES[grid]} token` : 'Token'} ${index + 1} at row ${row + 1}, column ${column + 1}: code ${code}`,
      times === 1 ? 'used once' : `used ${times} times`,
      ...(this.#picture && !this.#patch(token) ? ['outside the picture'] : []),
      ...(selected ? ['selected'] : []),
    ];
    this.#text.textContent = words.join(', ');
  }
}

/** @param {Token | null} a @param {Token | null} b */
const same = (a, b) => a === b || (!!a && !!b && a.grid === b.grid && a.row === b.row && a.column === b.column);

customElements.define('token-grid', TokenGrid);
