// @ts-check
// One grid of tokens as a picture, one colour per code. It reports the cell that the pointer, the arrow
// keys or a click refers to, and draws what <token-grid> decides: one cell framed with its twins lit,
// one selected.

/** @typedef {{rows: number, columns: number, indices: Uint32Array}} Grid */
/** @typedef {{row: number, column: number}} Cell */

/**
 * @typedef {object} Heard
 * @property {(cell: Cell | null) => void} frame the pointer or the arrow keys entered a cell, or left
 * @property {(cell: Cell) => void} choose a click, or the Enter key
 */

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity] };

export class Mosaic {
  element = document.createElement('div');
  #canvas = document.createElement('canvas');
  #twins = document.createElement('canvas');
  #cursor = document.createElement('div');
  #chosen = document.createElement('div');
  #heard;
  /** @type {Grid | null} */ #grid = null;
  /** @type {Cell} where the arrow keys start from */ #at = { row: 0, column: 0 };
  /** @type {number | null} the code whose twins are lit */ #lit = null;

  /** @param {Heard} heard */
  constructor(heard) {
    this.#heard = heard;
    const box = this.element;
    box.className = 'tokens-box';
    box.tabIndex = 0;
    box.setAttribute('role', 'application');
    box.setAttribute('aria-roledescription', 'token grid');
    this.#twins.className = 'tokens-twins';
    this.#chosen.className = 'tokens-chosen';
    this.#cursor.className = 'tokens-cursor';
    this.#chosen.hidden = this.#cursor.hidden = true;
    box.append(this.#canvas, this.#twins, this.#chosen, this.#cursor);
    for (const type of /** @type {const} */ (['pointermove', 'pointerdown'])) {
      box.addEventListener(type, (event) => this.#under(event, heard.frame));
    }
    box.addEventListener('click', (event) => this.#under(event, heard.choose));
    box.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && heard.frame(null));
    box.addEventListener('keydown', (event) => this.#key(event));
    box.addEventListener('focus', () => box.matches(':focus-visible') && heard.frame(this.#at));
    box.addEventListener('blur', () => heard.frame(null));
  }

  /** @param {Grid} grid @param {Uint8Array} palette three bytes per code @param {string} label the accessible name */
  show(grid, palette, label) {
    this.#grid = grid;
    this.#at = { row: 0, column: 0 };
    const { rows, columns, indices } = grid;
    const image = new ImageData(columns, rows);
    indices.forEach((code, i) => {
      image.data.set(palette.subarray(code * 3, code * 3 + 3), i * 4);
      image.data[i * 4 + 3] = 255;
    });
    for (const canvas of [this.#canvas, this.#twins]) Object.assign(canvas, { width: columns, height: rows });
    this.#lit = null;
    context(this.#canvas).putImageData(image, 0, 0);
    this.element.style.setProperty('--ratio', String(columns / rows));
    this.element.setAttribute('aria-label', `${label} Move with the arrow keys to hear each code, select one with Enter.`);
  }

  /** @param {Cell | null} framed @param {Cell | null} selected */
  draw(framed, selected) {
    this.#at = framed ?? selected ?? this.#at;
    this.#put(this.#cursor, framed);
    this.#put(this.#chosen, selected);
    this.#light(framed ?? selected);
  }

  /** @param {MouseEvent} event @param {(cell: Cell) => void} tell */
  #under(event, tell) {
    if (!this.#grid) return;
    const { rows, columns } = this.#grid;
    const box = this.#canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    if (row >= 0 && row < rows && column >= 0 && column < columns) tell({ row, column });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#grid) return;
    const step = STEPS[event.key];
    if (step) {
      const clamp = (/** @type {number} */ v, /** @type {number} */ n) => Math.min(n - 1, Math.max(0, v));
      const { row, column } = this.#at;
      this.#heard.frame({ row: clamp(row + step[0], this.#grid.rows), column: clamp(column + step[1], this.#grid.columns) });
    } else if (event.key === 'Enter' || event.key === ' ') this.#heard.choose(this.#at);
    else return;
    event.preventDefault();
  }

  /** @param {HTMLElement} frame @param {Cell | null} cell */
  #put(frame, cell) {
    frame.hidden = !cell || !this.#grid;
    if (!cell || !this.#grid) return;
    const { rows, columns } = this.#grid;
    const percent = (/** @type {number} */ v, /** @type {number} */ n) => `${(v / n) * 100}%`;
    Object.assign(frame.style, {
      left: percent(cell.column, columns),
      top: percent(cell.row, rows),
      width: percent(1, columns),
      height: percent(1, rows),
    });
  }

  /** Dims all cells except those with the same code as one. @param {Cell | null} cell */
  #light(cell) {
    if (!this.#grid) return;
    const { rows, columns, indices } = this.#grid;
    const code = cell && indices[cell.row * columns + cell.column];
    if (code === this.#lit) return;
    this.#lit = code;
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
