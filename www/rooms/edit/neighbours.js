// @ts-check
// The company that a code keeps in a picture: of all places where it is, the one whose neighbours are the most usual.

/** The side in tokens of a neighbourhood, whose middle is the code itself. */
export const AROUND = 3;
const REACH = Math.floor(AROUND / 2);
/** The offsets of a neighbourhood's cells, row by row. */
const OFFSETS = Array.from({ length: AROUND ** 2 }, (_, i) => [Math.floor(i / AROUND) - REACH, (i % AROUND) - REACH]);

/** A neighbourhood of nothing but one code. @param {number} code */
export const alike = (code) => new Uint32Array(AROUND ** 2).fill(code);

/**
 * The commonest neighbourhood of each code in a grid, row by row: one that is in the grid, chosen so that at each place
 * around the code there is a neighbour that it often has there. Beyond the edge of the grid the nearest cell is repeated.
 * @param {ArrayLike<number>} indices @param {number} columns
 * @returns {Map<number, Uint32Array>}
 */
export function commonest(indices, columns) {
  const rows = indices.length / columns;
  let codes = 0;
  for (let i = 0; i < indices.length; i += 1) codes = Math.max(codes, indices[i] + 1);
  /** Calls back with each neighbour that a cell has, and a number for the two codes and where they are. @param {number} cell @param {(key: number) => void} then */
  const around = (cell, then) => {
    const [row, column] = [Math.floor(cell / columns), cell % columns];
    OFFSETS.forEach(([down, across], place) => {
      const [r, c] = [row + down, column + across];
      if (r < 0 || c < 0 || r >= rows || c >= columns) return;
      then((indices[cell] * OFFSETS.length + place) * codes + indices[r * columns + c]);
    });
  };
  /** @type {Map<number, number>} */ const counts = new Map();
  for (let cell = 0; cell < indices.length; cell += 1) around(cell, (key) => counts.set(key, (counts.get(key) ?? 0) + 1));
  /** Where each code has the most usual neighbours. @type {Map<number, {cell: number, score: number}>} */ const best = new Map();
  for (let cell = 0; cell < indices.length; cell += 1) {
    let score = 0;
    around(cell, (key) => (score += counts.get(key) ?? 0));
    if (score > (best.get(indices[cell])?.score ?? 0)) best.set(indices[cell], { cell, score });
  }
  const clamp = (/** @type {number} */ at, /** @type {number} */ count) => Math.min(count - 1, Math.max(0, at));
  return new Map(
    Array.from(best, ([code, { cell }]) => {
      const [row, column] = [Math.floor(cell / columns), cell % columns];
      const grid = OFFSETS.map(([down, across]) => indices[clamp(row + down, rows) * columns + clamp(column + across, columns)]);
      return [code, Uint32Array.from(grid)];
    }),
  );
}
