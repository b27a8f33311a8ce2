// @ts-check
// Something built from shipped weights in the worker, which stays loaded until other weights are asked for.

/** @template {{free(): void}} T */
export class Held {
  #sha256 = '';
  /** @type {T | null} */ #thing = null;

  /** What was built from these weights, if it is here. @param {import('./protocol.js').Shipped} source */
  of({ sha256 }) {
    return this.#sha256 === sha256 ? this.#thing : null;
  }

  /** @param {import('./protocol.js').Shipped} source @param {T} thing in the place of what was held @returns {T} */
  put({ sha256 }, thing) {
    this.free();
    this.#sha256 = sha256;
    this.#thing = thing;
    return thing;
  }

  free() {
    this.#thing?.free();
    this.#thing = null;
  }
}
