// @ts-check
// Which part of a picture a token stands for, and the reverse. A grid covers the picture from its top
// left corner, in patches of `side` pixels; its padding was cropped off.

/** @typedef {import('./view.js').Size} Size */
/** @typedef {import('./view.js').Point} Point */
/** @typedef {import('./view.js').Region} Region */

/**
 * The patch of a token, in 0..1 of the picture; null if all of it is padding.
 * @param {Size} picture @param {number} side @param {{row: number, column: number}} cell @returns {Region | null}
 */
export function patchOf({ width, height }, side, { row, column }) {
  const [left, top] = [column * side, row * side];
  if (left >= width || top >= height) return null;
  const [right, bottom] = [Math.min(width, left + side), Math.min(height, top + side)];
  return { x: left / width, y: top / height, width: (right - left) / width, height: (bottom - top) / height };
}

/** The token at a point. @param {Size} picture @param {number} side @param {Point} at in 0..1 of the picture */
export function tokenAt({ width, height }, side, { x, y }) {
  return { row: Math.floor((y * height) / side), column: Math.floor((x * width) / side) };
}
