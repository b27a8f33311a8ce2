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

/** @param {import('./wasm.js').Tokens} tokens @param {import('./wasm.js').Model} model @returns {import('./protocol.js').TokenPart} */
export function tokenPart(tokens, model) {
  const { facts } = tokens;
  return {
    facts,
    indices: facts.grids.map((_, grid) => tokens.indices(grid)),
    file: unshared(tokens.bytes()),
    warning: model.warning(tokens) ?? null,
  };
}

/** The samples of opaque pixels as the package takes them. @param {import('./protocol.js').Pixels} pixels */
export function rgb({ width, height, rgba }) {
  const samples = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < samples.length; from += 4, to += 3) {
    samples[to] = rgba[from];
    samples[to + 1] = rgba[from + 1];
    samples[to + 2] = rgba[from + 2];
  }
  return samples;
}
