// @ts-check
// Takes the place of www/engine/wasm.js in the npm package: an import that bundlers follow, and a static
// one, since some can't split a worker.
import * as wasm from '../tesserae.js';

/** @returns {Promise<typeof wasm>} the wasm package, ready for use */
export async function loadWasm() {
  await wasm.default();
  return wasm;
}
