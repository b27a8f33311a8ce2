// @ts-check
// The codes of a codebook so that alike ones are near each other.

/** Halvings of each colour axis: 2⁵ steps, of which the eye tells few apart. */
const BITS = 5;

/**
 * Where a colour is on a Hilbert curve through the cube of all colours, whose neighbours are always alike (Skilling, 2004).
 * @param {number[]} colour three bytes @returns {number}
 */
export function along(colour) {
  const x = colour.map((value) => value >> (8 - BITS));
  for (let bit = 1 << (BITS - 1); bit > 1; bit >>= 1) {
    for (let i = 0; i < 3; i += 1) {
      if (x[i] & bit) x[0] ^= bit - 1;
      else {
        const swapped = (x[0] ^ x[i]) & (bit - 1);
        x[0] ^= swapped;
        x[i] ^= swapped;
      }
    }
  }
  x[1] ^= x[0];
  x[2] ^= x[1];
  let turned = 0;
  for (let bit = 1 << (BITS - 1); bit > 1; bit >>= 1) if (x[2] & bit) turned ^= bit - 1;
  let at = 0;
  for (let bit = BITS - 1; bit >= 0; bit -= 1) for (const value of x) at = 2 * at + (((value ^ turned) >> bit) & 1);
  return at;
}
