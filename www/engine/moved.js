// @ts-check
// What of a message to the page is moved rather than copied.

/** Of a job's result. @param {object | null} value @returns {ArrayBuffer[]} */
export function moved(value) {
  const { rebuilt, png } = /** @type {Partial<import('./protocol.js').Result>} */ (value ?? {});
  const { pixels: own } = /** @type {Partial<import('./protocol.js').Drawn>} */ (value ?? {});
  const { pictures = [] } = /** @type {Partial<import('./protocol.js').Generation>} */ (value ?? {});
  const { tiles = [] } = /** @type {Partial<import('./protocol.js').Tiles>} */ (value ?? {});
  const drawn = pictures.flatMap(({ pixels, png }) => [pixels.rgba.buffer, ...(png ? [png.buffer] : [])]);
  const flat = tiles.map(({ buffer }) => buffer);
  return [rebuilt?.rgba.buffer, own?.rgba.buffer, png?.buffer, ...drawn, ...flat].filter((buffer) => buffer !== undefined);
}

/** Of what is known after a step. @param {import('./protocol.js').SamplePart | import('./protocol.js').GeneratePart} part @returns {ArrayBuffer[]} */
export const movedPart = ({ pictures }) =>
  pictures.flatMap((picture) => {
    const shown = 'rgba' in picture ? picture : picture.preview;
    return shown ? [shown.rgba.buffer] : [];
  });
