// @ts-check
// The engine's side of the worker that decodes pictures: it is replaced when it dies or has grown, and
// ended by a cancel.
import { Code, TesseraeError, absent, undecodable } from './protocol.js';
import { startDecoder } from './start.js';

/** Bytes that an idle decoder may hold; wasm memory never shrinks. */
const GROWN = 64 * 2 ** 20;

/** @typedef {import('./decoder.js').Decoded} Decoded */

export class Decoder {
  /** @type {Worker | null} */ #worker = null;
  #ready = false;
  /** @type {((result: Decoded | TesseraeError) => void) | null} ends the picture under way */ #end = null;
  /** Bytes that it holds. */
  memory = 0;

  /** So that the first picture need not wait for it. */
  warm() {
    if (this.#worker) return;
    const worker = startDecoder();
    this.#worker = worker;
    worker.onmessage = ({ data }) => worker === this.#worker && this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker !== this.#worker) return;
      this.#finish(this.#ready ? undecodable(false) : absent(), true);
    };
  }

  /**
   * A picture file as samples, scaled as asked.
   * @param {import('./protocol.js').Photo} photo @param {number} maxPixels
   * @returns {Promise<Decoded>}
   */
  async decode(photo, maxPixels) {
    this.warm();
    const result = await new Promise((/** @type {(result: Decoded | TesseraeError) => void} */ resolve) => {
      this.#end = resolve;
      this.#worker?.postMessage({ photo, maxPixels });
    });
    if (result instanceof TesseraeError) throw result;
    return result;
  }

  /** Ends the picture under way, if there is one. */
  cancel() {
    if (this.#end) this.#finish(new TesseraeError(Code.CANCELLED, 'The work was cancelled.'), true);
  }

  /** @param {import('./decoder.js').Told} told */
  #hear(told) {
    if ('ready' in told) {
      this.#ready = true;
      return;
    }
    if ('decoded' in told) {
      this.memory = told.memory;
      return this.#finish(told.decoded, told.memory > GROWN);
    }
    const { failed, died, panic } = told;
    // An allocation that fails aborts without a panic.
    this.#finish(died ? undecodable(!panic) : new TesseraeError(failed.code, failed.message), died || !this.#ready);
  }

  /** @param {Decoded | TesseraeError} result @param {boolean} over whether another worker is needed */
  #finish(result, over) {
    if (over) {
      this.#worker?.terminate();
      this.#worker = null;
      this.#ready = false;
      this.memory = 0;
    }
    this.#end?.(result);
    this.#end = null;
  }
}
