// @ts-check
// Single codes of the model in use, decoded a few at a time and kept for each decoder.
import { Code, failure } from '../../engine/protocol.js';

/** How many are decoded at once: other jobs wait that long. */
const AT_ONCE = 8;

/** Calls `came` with each code when it has been decoded. */
export class Tiles {
  #session;
  #came;
  /** By decoder. @type {Map<string, Map<number, ImageData>>} */ #known = new Map();
  /** @type {number[]} */ #wanted = [];
  #busy = false;

  /** @param {import('../../session/session.js').Session} session @param {(code: number, tile: ImageData) => void} came */
  constructor(session, came) {
    this.#session = session;
    this.#came = came;
  }

  /** @param {number} code */
  get(code) {
    return this.#tiles.get(code);
  }

  /** What to decode next, in the place of what was wanted before. @param {number[]} codes */
  async want(codes) {
    this.#wanted = codes.filter((code) => !this.#tiles.has(code));
    const { client } = this.#session;
    if (this.#busy) return;
    this.#busy = true;
    try {
      // A tuning is only interrupted by the visitor.
      while (this.#wanted.length && client.model && !client.tuning) {
        const some = this.#wanted.slice(0, AT_ONCE);
        const tiles = this.#tiles;
        const { side, tiles: found } = await client.tiles(new Uint32Array(some));
        some.forEach((one, i) => {
          const tile = new ImageData(found[i], side, side);
          tiles.set(one, tile);
          if (tiles === this.#tiles) this.#came(one, tile);
        });
        this.#wanted = this.#wanted.filter((code) => !this.#tiles.has(code));
      }
    } catch (error) {
      if (failure(error).code !== Code.CANCELLED) console.error(error);
    } finally {
      this.#busy = false;
    }
  }

  /** @returns {Map<number, ImageData>} */
  get #tiles() {
    const decoder = this.#session.models.inUse?.model.decoderHash ?? '';
    const known = this.#known.get(decoder) ?? new Map();
    this.#known.set(decoder, known);
    return known;
  }
}
