// @ts-check
// Which cells of a grid a brush covers. Cells are counted row by row.

/** @typedef {{row: number, column: number}} Cell */
/** @typedef {{rows: number, columns: number}} Grid */

/** The cells of a brush around one, as far as they are in the grid. @param {Cell} cell @param {number} size @param {Grid} grid */
export function disc({ row, column }, size, { rows, columns }) {
  const [top, left] = [row, column].map((at) => at - Math.floor((size - 1) / 2));
  const middle = (size - 1) / 2;
  /** @type {number[]} */ const found = [];
  for (let r = Math.max(0, top); r < Math.min(rows, top + size); r += 1) {
    for (let c = Math.max(0, left); c < Math.min(columns, left + size); c += 1) {
      // A little more than half, so that a small brush has its corners.
      if (Math.hypot(r - top - middle, c - left - middle) <= size / 2 + 0.1) found.push(r * columns + c);
    }
  }
  return found;
}

/** The cells on the way from one to another. @param {Cell} from @param {Cell} to @returns {Cell[]} */
export function line(from, to) {
  const steps = Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column), 1);
  return Array.from({ length: steps + 1 }, (_, i) => ({
    row: Math.round(from.row + ((to.row - from.row) * i) / steps),
    column: Math.round(from.column + ((to.column - from.column) * i) / steps),
  }));
}

/** The cells of a rectangle with these corners. @param {Cell} a @param {Cell} b @param {Grid} grid */
export function between(a, b, { columns }) {
  const [top, left] = [Math.min(a.row, b.row), Math.min(a.column, b.column)];
  const [down, across] = [Math.abs(a.row - b.row) + 1, Math.abs(a.column - b.column) + 1];
  return Array.from({ length: down * across }, (_, i) => (top + Math.floor(i / across)) * columns + left + (i % across));
}
