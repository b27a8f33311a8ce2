// @ts-check
// What the worker does to a picture's tokens: it makes room for new ones, replaces some, mixes two pictures, and
// decodes small grids of codes.
import { pixels } from './pixels.js';
import { drawn } from './sampled.js';

/** @typedef {import('./wasm.js').Wasm} Wasm */
/** @typedef {import('./wasm.js').Model} Model */
/** @typedef {import('./wasm.js').Picture} Picture */
/** @typedef {import('./protocol.js').Change} Change */
/** @typedef {<T>(thing: T) => T} Own remembers what has to be freed */
/** @typedef {(stage: 'encode' | 'decode', done: number, total: number) => boolean} Watch */

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
 * Square grids of codes, all of one size, each decoded by itself.
 * @param {Model} model @param {Uint32Array[]} grids row by row @param {() => Promise<void>} breathe between two
 * @returns {Promise<import('./protocol.js').Tiles>}
 */
export async function tilesOf(model, grids, breathe) {
  /** @type {Uint8ClampedArray<ArrayBuffer>[]} */ const tiles = [];
  let side = 0;
  for (const grid of grids) {
    await breathe();
    const across = Math.sqrt(grid.length);
    const tokens = model.tokens(across, across, grid);
    try {
      const picture = await model.decode(tokens);
      side = picture.width;
      tiles.push(pixels(picture).rgba);
      picture.free();
    } finally {
      tokens.free();
    }
  }
  return { side, tiles };
}
