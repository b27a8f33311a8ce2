// <token-grid>: integers in a grid, a colour a code, with the one under the pointer or the arrow keys
// spelt out and its twins lit. It emits `cell` with {grid, row, column, code} or null.

class TokenGrid extends HTMLElement {
  #grids = [];
  #palette = new Uint8Array(0);
  #current = 0;
  #cell = null;
  #tabs = document.createElement('select');
  #box = document.createElement('div');
  #canvas = document.createElement('canvas');
  #twins = document.createElement('canvas');
  #cursor = document.createElement('div');
  #swatch = document.createElement('span');
  #text = document.createElement('span');

  connectedCallback() {
    if (this.#box.isConnected) return;
    const heading = document.createElement('h2');
    heading.textContent = 'Tokens';
    this.#tabs.hidden = true;
    this.#tabs.setAttribute('aria-label', 'Which token grid');
    this.#tabs.addEventListener('change', () => this.#select(Number(this.#tabs.value)));
    const head = document.createElement('div');
    head.className = 'tokens-head';
    head.append(heading, this.#tabs);

    this.#box.className = 'tokens-box';
    this.#box.tabIndex = 0;
    this.#box.setAttribute('role', 'application');
    this.#box.setAttribute('aria-roledescription', 'token grid');
    this.#twins.className = 'tokens-twins';
    this.#cursor.className = 'tokens-cursor';
    this.#cursor.hidden = true;
    this.#box.append(this.#canvas, this.#twins, this.#cursor);
    this.#box.addEventListener('pointermove', (event) => this.#point(event));
    this.#box.addEventListener('pointerdown', (event) => this.#point(event));
    this.#box.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && this.#move(null));
    this.#box.addEventListener('keydown', (event) => this.#key(event));
    this.#box.addEventListener('focus', () => this.#box.matches(':focus-visible') && this.#move(this.#cell ?? { row: 0, column: 0 }));
    this.#box.addEventListener('blur', () => this.#move(null));

    const readout = document.createElement('p');
    readout.className = 'tokens-readout';
    readout.id = 'token-readout';
    readout.setAttribute('aria-live', 'polite');
    this.#swatch.className = 'tokens-swatch';
    readout.append(this.#swatch, this.#text);
    this.append(head, this.#box, readout);
    this.#tell();
  }

  /**
   * @param {{rows: number, columns: number, indices: Uint32Array}[]} grids
   * @param {Uint8Array} palette three bytes a code
   */
  show(grids, palette) {
    this.#grids = grids;
    this.#palette = palette;
    this.#tabs.replaceChildren(...grids.map((g, i) => new Option(`${g.columns} × ${g.rows}`, String(i))));
    this.#tabs.hidden = grids.length < 2;
    this.#select(grids.length - 1);
    this.#tabs.value = String(grids.length - 1);
  }

  #select(index) {
    this.#current = index;
    const { rows, columns, indices } = this.#grids[index];
    const image = new ImageData(columns, rows);
    indices.forEach((code, i) => {
      image.data.set(this.#palette.subarray(code * 3, code * 3 + 3), i * 4);
      image.data[i * 4 + 3] = 255;
    });
    for (const canvas of [this.#canvas, this.#twins]) Object.assign(canvas, { width: columns, height: rows });
    this.#canvas.getContext('2d').putImageData(image, 0, 0);
    this.#box.style.setProperty('--ratio', String(columns / rows));
    this.#box.setAttribute('aria-label', `${columns} by ${rows} tokens. Move with the arrow keys to hear each code.`);
    this.#move(null);
  }

  #point(event) {
    if (!this.#grids.length) return;
    const { rows, columns } = this.#grids[this.#current];
    const box = this.#canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    if (row >= 0 && row < rows && column >= 0 && column < columns) this.#move({ row, column });
  }

  #key(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity] };
    const step = steps[event.key];
    if (!step || !this.#grids.length) return;
    event.preventDefault();
    const { rows, columns } = this.#grids[this.#current];
    const from = this.#cell ?? { row: 0, column: 0 };
    const clamp = (v, n) => Math.min(n - 1, Math.max(0, v));
    this.#move({ row: clamp(from.row + step[0], rows), column: clamp(from.column + step[1], columns) });
  }

  #move(cell) {
    if (cell && this.#cell && cell.row === this.#cell.row && cell.column === this.#cell.column) return;
    this.#cell = cell;
    const grid = this.#grids[this.#current];
    const code = cell && grid ? grid.indices[cell.row * grid.columns + cell.column] : null;
    this.#light(grid, code);
    this.#cursor.hidden = code === null;
    if (code !== null) {
      const percent = (v, n) => `${(v / n) * 100}%`;
      Object.assign(this.#cursor.style, {
        left: percent(cell.column, grid.columns), top: percent(cell.row, grid.rows),
        width: percent(1, grid.columns), height: percent(1, grid.rows),
      });
    }
    this.#tell(grid, code);
    const detail = code === null ? null : { grid: this.#current, ...cell, code };
    this.dispatchEvent(new CustomEvent('cell', { detail }));
  }

  // All cells but the twins of this one are veiled.
  #light(grid, code) {
    if (!grid) return;
    const context = this.#twins.getContext('2d');
    context.clearRect(0, 0, grid.columns, grid.rows);
    if (code === null) return;
    const veil = new ImageData(grid.columns, grid.rows);
    grid.indices.forEach((other, i) => {
      veil.data[i * 4 + 3] = other === code ? 0 : 150;
    });
    context.putImageData(veil, 0, 0);
  }

  #tell(grid, code = null) {
    this.#swatch.hidden = code === null;
    if (code === null) {
      this.#text.textContent = 'Point at a token to read its code.';
      return;
    }
    const rgb = this.#palette.subarray(code * 3, code * 3 + 3);
    this.#swatch.style.backgroundColor = `rgb(${rgb.join(' ')})`;
    const times = grid.indices.reduce((n, other) => n + (other === code), 0);
    const { row, column } = this.#cell;
    this.#text.textContent = `Row ${row + 1}, column ${column + 1}: code ${code}, ${times === 1 ? 'used once' : `used ${times} times`}`;
  }
}

customElements.define('token-grid', TokenGrid);
