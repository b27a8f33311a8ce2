// @ts-check
// The package's results in the types that messages and files need: its memory is never shared, which its
// own types do not say.

/** @param {Uint8Array} bytes @returns {Uint8Array<ArrayBuffer>} the same */
export const unshared = (bytes) => /** @type {Uint8Array<ArrayBuffer>} */ (bytes);

/** @param {import('./wasm.js').Picture} picture @returns {import('./protocol.js').Pixels} */
export const pixels = (picture) => ({
  width: picture.width,
  height: picture.height,
  rgba: /** @type {Uint8ClampedArray<ArrayBuffer>} */ (picture.rgba()),
});
