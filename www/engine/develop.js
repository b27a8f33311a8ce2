// @ts-check
// The engine's side of the worker that decodes pictures: it is replaced when it dies or has grown, and
// ended by a cancel.
import { Code, TesseraeError, absent, undecodable } from './protocol.js';
import { startDecoder } from './start.js';

/** Bytes that an idle decoder may keep; wasm memory never shrinks. */
const GROWN = 64 * 2 ** 20;

/** @typedef {import('./decoder.js').Decoded} Decoded */

export class Decoder {
  /** @type {Worker | null} */ #worker = null;
  #ready = false;
  /** @type {((result: Decoded | TesseraeError) => void) | null} ends the current picture */ #end = null;
  /** Bytes that it uses. */
  memory = 0;

  /** Starts it early, so that the first picture need not wait. */
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

  /** Ends the current picture, if there is one. */
  cancel() {
    if (this.#end) this.#finish(new TesseraeError(Code.CANCELLED, 'The work was cancelled.'), true);
  }

  /** @param {import('./decoder.js').Reply} reply */
  #hear(reply) {
    if ('ready' in reply) {
      this.#ready = true;
      return;
    }
    if ('decoded' in reply) {
      this.memory = reply.memory;
      return this.#finish(reply.decoded, reply.memory > GROWN);
    }
    const { failed, died, panic } = reply;
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
