// @ts-check
// Something built from weights in the worker, which stays loaded until other weights are asked for.

/** What tells weights from others. @param {import('./protocol.js').LastingSource} source */
const key = (source) => (source.from === 'shipped' ? source.sha256 : source.key);

/** @template {{free(): void}} T */
export class Held {
  #key = '';
  /** @type {T | null} */ #thing = null;

  /** What was built from these weights, if it is here. @param {import('./protocol.js').LastingSource} source */
  of(source) {
    return this.#key === key(source) ? this.#thing : null;
  }

  /** @param {import('./protocol.js').LastingSource} source @param {T} thing in the place of what was held @returns {T} */
  put(source, thing) {
    this.free();
    this.#key = key(source);
    this.#thing = thing;
    return thing;
  }

  free() {
    this.#thing?.free();
    this.#thing = null;
  }
}
