// <token-grid>: the tokens of a picture as one mosaic, or as several side by side, the coarsest first,
// with the token under the pointer or the arrow keys spelt out. It emits `cell` with
// {grid, row, column, code} or null.
import { Mosaic } from './mosaic.js';

// Of VQ-VAE-2, the one kind of model with two.
const NAMES = ['Top', 'Bottom'];

class TokenGrid extends HTMLElement {
  /** @type {import('./mosaic.js').Grid[]} */ #grids = [];
  /** @type {Uint8Array[]} */ #palettes = [];
  /** @type {Mosaic[]} */ #mosaics = [];
  /** @type {Mosaic | null} */ #active = null;
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
    this.#tell(null);
  }

  /**
   * @param {import('./mosaic.js').Grid[]} grids coarsest first
   * @param {Uint8Array[]} palettes of each grid's codebook, three bytes a code
   */
  show(grids, palettes) {
    this.#lay(grids.length);
    this.#grids = grids;
    this.#palettes = palettes;
    grids.forEach((grid, i) => {
      const size = `${grid.columns} by ${grid.rows} tokens.`;
      this.#mosaics[i].show(grid, palettes[i], grids.length > 1 ? `${NAMES[i]}: ${size}` : size);
      const caption = this.#mosaics[i].element.nextElementSibling;
      caption.hidden = grids.length < 2;
      caption.textContent = `${NAMES[i]}: ${grid.columns} × ${grid.rows}`;
    });
  }

  /** Makes room for so many mosaics; those that are there stay, and keep the focus. */
  #lay(count) {
    this.#row.dataset.count = String(count);
    for (const { element } of this.#mosaics.splice(count)) element.parentElement.remove();
    while (this.#mosaics.length < count) {
      const index = this.#mosaics.length;
      const mosaic = new Mosaic((cell) => this.#hear(index, cell));
      const figure = document.createElement('figure');
      const caption = document.createElement('figcaption');
      caption.hidden = true;
      figure.append(mosaic.element, caption);
      this.#mosaics.push(mosaic);
      this.#row.append(figure);
    }
  }

  // A touch frames a cell in one mosaic before the other has lost the focus.
  #hear(index, cell) {
    const mosaic = this.#mosaics[index];
    if (!cell && mosaic !== this.#active) return;
    const before = this.#active;
    this.#active = cell ? mosaic : null;
    if (cell && before && before !== mosaic) before.leave();
    const found = cell && { grid: index, ...cell };
    this.#tell(found);
    this.dispatchEvent(new CustomEvent('cell', { detail: found }));
  }

  #tell(found) {
    this.#swatch.hidden = !found;
    if (!found) {
      this.#text.textContent = 'Point at a token to read its code.';
      return;
    }
    const { grid, row, column, code } = found;
    const rgb = this.#palettes[grid].subarray(code * 3, code * 3 + 3);
    this.#swatch.style.backgroundColor = `rgb(${rgb.join(' ')})`;
    const times = this.#grids[grid].indices.reduce((n, other) => n + (other === code), 0);
    const place = `row ${row + 1}, column ${column + 1}: code ${code}, ${times === 1 ? 'used once' : `used ${times} times`}`;
    this.#text.textContent = this.#grids.length > 1 ? `${NAMES[grid]}, ${place}` : `R${place.slice(1)}`;
  }
}

customElements.define('token-grid', TokenGrid);
