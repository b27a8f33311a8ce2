// @ts-check
// One grid of tokens: integers as a picture, a colour a code, with the cell under the pointer or the
// arrow keys framed and its twins lit. <token-grid> holds one, or several.

/** @typedef {{rows: number, columns: number, indices: Uint32Array}} Grid */
/** @typedef {{row: number, column: number, code: number}} Cell */

export class Mosaic {
  element = document.createElement('div');
  #canvas = document.createElement('canvas');
  #twins = document.createElement('canvas');
  #cursor = document.createElement('div');
  #onCell;
  /** @type {Grid | null} */ #grid = null;
  /** @type {Cell | null} */ #cell = null;

  /** @param {(cell: Cell | null) => void} onCell told whenever another cell, or none, is framed */
  constructor(onCell) {
    this.#onCell = onCell;
    const box = this.element;
    box.className = 'tokens-box';
    box.tabIndex = 0;
    box.setAttribute('role', 'application');
    box.setAttribute('aria-roledescription', 'token grid');
    this.#twins.className = 'tokens-twins';
    this.#cursor.className = 'tokens-cursor';
    this.#cursor.hidden = true;
    box.append(this.#canvas, this.#twins, this.#cursor);
    box.addEventListener('pointermove', (event) => this.#point(event));
    box.addEventListener('pointerdown', (event) => this.#point(event));
    box.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && this.leave());
    box.addEventListener('keydown', (event) => this.#key(event));
    box.addEventListener('focus', () => box.matches(':focus-visible') && this.#move(this.#cell?.row ?? 0, this.#cell?.column ?? 0));
    box.addEventListener('blur', () => this.leave());
  }

  /** @param {Grid} grid @param {Uint8Array} palette three bytes a code @param {string} label for who cannot see it */
  show(grid, palette, label) {
    this.leave();
    this.#grid = grid;
    const { rows, columns, indices } = grid;
    const image = new ImageData(columns, rows);
    indices.forEach((code, i) => {
      image.data.set(palette.subarray(code * 3, code * 3 + 3), i * 4);
      image.data[i * 4 + 3] = 255;
    });
    for (const canvas of [this.#canvas, this.#twins]) Object.assign(canvas, { width: columns, height: rows });
    context(this.#canvas).putImageData(image, 0, 0);
    this.element.style.setProperty('--ratio', String(columns / rows));
    this.element.setAttribute('aria-label', `${label} Move with the arrow keys to hear each code.`);
  }

  /** No cell is framed any more. */
  leave() {
    this.#cell = null;
    this.#light(null);
    this.#cursor.hidden = true;
    this.#onCell(null);
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (!this.#grid) return;
    const { rows, columns } = this.#grid;
    const box = this.#canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    if (row >= 0 && row < rows && column >= 0 && column < columns) this.#move(row, column);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    /** @type {Record<string, [number, number]>} */
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity] };
    const step = steps[event.key];
    if (!step || !this.#grid) return;
    event.preventDefault();
    const from = this.#cell ?? { row: 0, column: 0 };
    const clamp = (/** @type {number} */ v, /** @type {number} */ n) => Math.min(n - 1, Math.max(0, v));
    this.#move(clamp(from.row + step[0], this.#grid.rows), clamp(from.column + step[1], this.#grid.columns));
  }

  /** @param {number} row @param {number} column */
  #move(row, column) {
    if (!this.#grid || (this.#cell?.row === row && this.#cell?.column === column)) return;
    const { rows, columns, indices } = this.#grid;
    const code = indices[row * columns + column];
    this.#cell = { row, column, code };
    this.#light(code);
    const percent = (/** @type {number} */ v, /** @type {number} */ n) => `${(v / n) * 100}%`;
    Object.assign(this.#cursor.style, {
      left: percent(column, columns),
      top: percent(row, rows),
      width: percent(1, columns),
      height: percent(1, rows),
    });
    this.#cursor.hidden = false;
    this.#onCell(this.#cell);
  }

  /** @param {number | null} code all cells but its twins are veiled */
  #light(code) {
    if (!this.#grid) return;
    const { rows, columns, indices } = this.#grid;
    const veiled = context(this.#twins);
    veiled.clearRect(0, 0, columns, rows);
    if (code === null) return;
    const veil = new ImageData(columns, rows);
    indices.forEach((other, i) => {
      veil.data[i * 4 + 3] = other === code ? 0 : 150;
    });
    veiled.putImageData(veil, 0, 0);
  }
}

/** @param {HTMLCanvasElement} canvas */
const context = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
