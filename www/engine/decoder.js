// @ts-check
// The worker that decodes picture files, one at a time, in a wasm instance of its own: a panic in a
// decoder, or the memory that a large picture takes, costs the engine nothing.
import { forget, panic } from './panic.js';
import { Code, FILE_LIMITS, absent, failure } from './protocol.js';
import { unshared } from './pixels.js';
import { read } from './read.js';
import { loadWasm } from './wasm.js';

/** @typedef {{photo: import('./protocol.js').Photo, maxPixels: number}} Asked */
/** @typedef {{width: number, height: number, rgb: Uint8Array<ArrayBuffer> | null}} Decoded without samples where it has more than `maxPixels` */
/** @typedef {{ready: true} | {decoded: Decoded, memory: number} | {failed: import('./protocol.js').Failure, died: boolean, panic: string}} Reply */

/** @param {Reply} message @param {Transferable[]} [transfer] */
const tell = (message, transfer = []) => self.postMessage(message, { transfer });

async function start() {
  try {
    const wasm = await loadWasm();
    tell({ ready: true });
    return wasm;
  } catch {
    return null;
  }
}
const started = start();

/** @param {import('./wasm.js').Wasm} wasm @param {Asked} asked @returns {Promise<Decoded>} */
async function decode(wasm, { photo: { blob, maxSide, square }, maxPixels }) {
  const picture = wasm.Picture.decodeFit(await read(blob, FILE_LIMITS.picture, Code.IMAGE_TOO_LARGE), maxSide, square);
  const { width, height } = picture;
  const rgb = width * height > maxPixels ? null : unshared(picture.rgb());
  picture.free();
  return { width, height, rgb };
}

self.addEventListener('message', async ({ data }) => {
  const wasm = await started;
  forget();
  try {
    if (!wasm) throw absent();
    const decoded = await decode(wasm, data);
    tell({ decoded, memory: wasm.memoryBytes() }, decoded.rgb ? [decoded.rgb.buffer] : []);
  } catch (error) {
    tell({ failed: failure(error), died: error instanceof WebAssembly.RuntimeError, panic: panic() });
  }
});
