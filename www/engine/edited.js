// @ts-check
// What the worker does to a picture's tokens: it makes room for new ones, replaces some, mixes two pictures, and
// decodes single codes.
import { drawn } from './sampled.js';

/** @typedef {import('./wasm.js').Wasm} Wasm */
/** @typedef {import('./wasm.js').Model} Model */
/** @typedef {import('./wasm.js').Picture} Picture */
/** @typedef {import('./protocol.js').Change} Change */
/** @typedef {<T>(thing: T) => T} Own remembers what has to be freed */
/** @typedef {(stage: 'encode' | 'decode', done: number, total: number) => boolean} Watch */

/** The side in tokens of the uniform grid that shows one code: its middle token has neighbours on all sides. */
const AROUND = 3;

/** What a prior is to draw. @param {Wasm} wasm @param {import('./wasm.js').Tokens} tokens @param {Change} change */
export function canvasOf({ Canvas }, tokens, change) {
  if (change.kind === 'fill') return Canvas.masked(tokens, change.mask);
  if (change.kind === 'vary') return Canvas.varied(tokens, change.share, change.seed);
  const { top, right, bottom, left } = change.margins;
  return Canvas.extended(tokens, top, right, bottom, left);
}

/** A token file with other indices. @param {Wasm} wasm @param {{tokens: Uint8Array, indices: Uint32Array}} job @param {Own} own */
export const changed = ({ Tokens }, { tokens, indices }, own) => own(own(Tokens.parse(tokens)).replaced(indices));

/** The same, decoded. @param {Wasm} wasm @param {Model} model @param {import('./protocol.js').PaintJob} job @param {Own} own @param {Watch} watch */
export async function painted(wasm, model, job, own, watch) {
  const tokens = changed(wasm, job, own);
  return drawn(tokens, own(await model.decode(tokens, watch)));
}

/** Something between two pictures, through their latents. @param {Model} model @param {[Picture, Picture]} pictures of one size @param {number} share @param {Own} own @param {Watch} watch */
export async function blended(model, [a, b], share, own, watch) {
  const tokens = own(await model.encodeBetween(a, b, share, watch));
  return drawn(tokens, own(await model.decode(tokens, watch)));
}

/**
 * Each code decoded alone.
 * @param {Model} model @param {Uint32Array} codes @param {() => Promise<void>} breathe between two
 * @returns {Promise<import('./protocol.js').Tiles>}
 */
export async function tilesOf(model, codes, breathe) {
  const [side] = model.facts.grids;
  /** @type {Uint8ClampedArray<ArrayBuffer>[]} */ const tiles = [];
  for (const code of codes) {
    await breathe();
    const tokens = model.tokens(AROUND, AROUND, new Uint32Array(AROUND ** 2).fill(code));
    try {
      const picture = await model.decode(tokens);
      tiles.push(middle(picture.rgba(), picture.width, side));
      picture.free();
    } finally {
      tokens.free();
    }
  }
  return { side, tiles };
}

/** The middle token's pixels. @param {Uint8ClampedArray} rgba @param {number} width of the picture @param {number} side of a token */
function middle(rgba, width, side) {
  const from = side * Math.floor(AROUND / 2);
  const tile = new Uint8ClampedArray(4 * side * side);
  for (let y = 0; y < side; y += 1) {
    const row = 4 * ((from + y) * width + from);
    tile.set(rgba.subarray(row, row + 4 * side), 4 * y * side);
  }
  return tile;
}
