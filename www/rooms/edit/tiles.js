// @ts-check
// What codes of the model in use look like, alone or with neighbours: decoded a few at a time and kept for each decoder.
import { Code, failure } from '../../engine/protocol.js';
import { AROUND, alike } from './neighbours.js';

/** How many are decoded at once: other jobs wait that long. */
const AT_ONCE = 8;
/** How many codes are kept with their neighbours, which change with the picture. */
const MOST = 2000;

/** @typedef {{code: number, grid: Uint32Array, key: string, alone: boolean}} Look a code and what is around it */

/** A code among its like, of which only the middle is shown. @param {number} code @returns {Look} */
export const alone = (code) => ({ code, grid: alike(code), key: String(code), alone: true });

/** A code with its neighbours. @param {number} code @param {Uint32Array} grid @returns {Look} */
export const among = (code, grid) => ({ code, grid, key: grid.join(), alone: false });

/** Calls `came` with each when it has been decoded. */
export class Tiles {
  #session;
  #came;
  /** By decoder. @type {Map<string, Map<string, ImageData>>} */ #known = new Map();
  /** @type {Look[]} */ #wanted = [];
  #busy = false;

  /** @param {import('../../session/session.js').Session} session @param {(look: Look, tile: ImageData) => void} came */
  constructor(session, came) {
    this.#session = session;
    this.#came = came;
  }

  /** @param {Look} look */
  get({ key }) {
    return this.#tiles.get(key);
  }

  /** What to decode next, in the place of what was wanted before. @param {Look[]} looks */
  async want(looks) {
    this.#wanted = looks.filter(({ key }) => !this.#tiles.has(key));
    const { client } = this.#session;
    if (this.#busy) return;
    this.#busy = true;
    try {
      // A tuning is only interrupted by the visitor.
      while (this.#wanted.length && client.model && !client.tuning) {
        const some = this.#wanted.slice(0, AT_ONCE);
        const tiles = this.#tiles;
        const { side, tiles: found } = await client.tiles(some.map(({ grid }) => grid));
        some.forEach((one, i) => {
          const whole = new ImageData(found[i], side, side);
          const tile = one.alone ? middle(whole) : whole;
          tiles.set(one.key, tile);
          if (tiles === this.#tiles) this.#came(one, tile);
        });
        this.#wanted = this.#wanted.filter(({ key }) => !this.#tiles.has(key));
        trim(tiles);
      }
    } catch (error) {
      if (failure(error).code !== Code.CANCELLED) console.error(error);
    } finally {
      this.#busy = false;
    }
  }

  /** @returns {Map<string, ImageData>} */
  get #tiles() {
    const decoder = this.#session.models.inUse?.model.decoderHash ?? '';
    const known = this.#known.get(decoder) ?? new Map();
    this.#known.set(decoder, known);
    return known;
  }
}

/** The middle token of a neighbourhood. @param {ImageData} whole */
function middle({ data, width }) {
  const side = width / AROUND;
  const from = side * Math.floor(AROUND / 2);
  const tile = new ImageData(side, side);
  for (let y = 0; y < side; y += 1) {
    const row = 4 * ((from + y) * width + from);
    tile.data.set(data.subarray(row, row + 4 * side), 4 * y * side);
  }
  return tile;
}

/** Forgets the oldest neighbourhoods. @param {Map<string, ImageData>} tiles */
function trim(tiles) {
  const keys = [...tiles.keys()].filter((key) => key.includes(','));
  for (const key of keys.slice(0, -MOST)) tiles.delete(key);
}
