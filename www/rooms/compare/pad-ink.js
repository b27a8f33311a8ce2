// @ts-check
// What is drawn on the pad: 28 × 28 cells, white on black as the training digits are, by a soft round brush.

export const SIDE = 28;
/** Of the brush, in cells: half as wide as the strokes of the training digits. */
const RADIUS = 1.25;
/** The eraser is wider. */
const ERASER = 2.2;
/** From one dab to the next. */
const STRIDE = 0.25;
/** What can hardly be seen is nothing. */
const SEEN = 0.2;

/** @typedef {{x: number, y: number}} Point in cells, from the upper left corner */

const between = (/** @type {number} */ value) => Math.min(1, Math.max(0, value));

export class Ink {
  #cells = new Float32Array(SIDE * SIDE);

  /** Whether anything is drawn. */
  get inked() {
    return this.#cells.some((value) => value > SEEN);
  }

  clear() {
    this.#cells.fill(0);
  }

  /** @param {Point} from @param {Point} to @param {boolean} erase */
  stroke(from, to, erase) {
    const dabs = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / STRIDE));
    for (let i = 0; i <= dabs; i += 1) {
      const t = i / dabs;
      this.#dab({ x: from.x + t * (to.x - from.x), y: from.y + t * (to.y - from.y) }, erase);
    }
  }

  /** @returns {import('../../engine/protocol.js').Pixels} */
  get pixels() {
    const rgba = new Uint8ClampedArray(4 * SIDE * SIDE);
    this.#cells.forEach((value, i) => rgba.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
    return { width: SIDE, height: SIDE, rgba };
  }

  /** @param {Point} at @param {boolean} erase */
  #dab({ x, y }, erase) {
    const radius = erase ? ERASER : RADIUS;
    const reach = (/** @type {number} */ at) => [Math.max(0, Math.floor(at - radius - 1)), Math.min(SIDE - 1, Math.ceil(at + radius))];
    const [[left, right], [top, bottom]] = [reach(x), reach(y)];
    for (let row = top; row <= bottom; row += 1) {
      for (let column = left; column <= right; column += 1) {
        // The edge is smooth over one cell.
        const cover = between(radius + 0.5 - Math.hypot(column + 0.5 - x, row + 0.5 - y));
        const i = row * SIDE + column;
        this.#cells[i] = erase ? Math.min(this.#cells[i], 1 - cover) : Math.max(this.#cells[i], cover);
      }
    }
  }
}
