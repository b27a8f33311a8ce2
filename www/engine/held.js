// @ts-check
// What was built from weights in the worker, and stays loaded until other weights take its place.

/** What tells weights from others. @param {import('./protocol.js').LastingSource} source */
const key = (source) => (source.from === 'shipped' ? source.sha256 : source.key);

/** @template {{free(): void}} T */
export class Held {
  #most;
  /** In the order in which they were last asked for. @type {Map<string, T>} */ #things = new Map();

  /** @param {number} [most] things at the same time */
  constructor(most = 1) {
    this.#most = most;
  }

  /** What was built from these weights, if it is here. @param {import('./protocol.js').LastingSource} source @returns {T | null} */
  of(source) {
    const thing = this.#things.get(key(source));
    if (!thing) return null;
    this.#things.delete(key(source));
    this.#things.set(key(source), thing);
    return thing;
  }

  /** Frees what was not asked for the longest, so that one more fits. */
  makeRoom() {
    for (const [old, thing] of this.#things) {
      if (this.#things.size < this.#most) return;
      this.#things.delete(old);
      thing.free();
    }
  }

  /** @param {import('./protocol.js').LastingSource} source @param {T} thing @returns {T} */
  put(source, thing) {
    this.#things.get(key(source))?.free();
    this.#things.delete(key(source));
    this.makeRoom();
    this.#things.set(key(source), thing);
    return thing;
  }

  free() {
    for (const thing of this.#things.values()) thing.free();
    this.#things.clear();
  }
}
