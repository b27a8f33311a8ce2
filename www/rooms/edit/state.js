// @ts-check
// The states that a picture goes through, so that each can be undone. A state is never changed, except that its
// pixels come when it is decoded.

/** Pictures of states further away are forgotten; they are decoded again when they are needed. */
const NEAR = 16;
/** States that can be undone. */
const MOST = 500;

/** @typedef {import('../../engine/protocol.js').Drawn} Drawn */
/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */
/**
 * @typedef {object} State
 * @property {string} stem the file's name
 * @property {string} model the name of a model with its codebook
 * @property {string} codebook hash
 * @property {number} side in pixels of a token
 * @property {Pixels | null} original what the tokens were made of, while none has been changed
 * @property {Uint8Array<ArrayBuffer>} tokens a token file of a picture of this size
 * @property {Uint32Array} indices of this picture
 * @property {{width: number, height: number, rows: number, columns: number}} size
 * @property {Drawn | null} drawn what it decodes to, once that is known
 * @property {string} by hash of the decoder that made it
 */

/** What has become of a state. @param {State} base @param {Drawn} drawn @param {string} by hash of the decoder @returns {State} */
export const madeOf = (base, drawn, by) => ({
  ...base,
  original: null,
  tokens: drawn.file,
  indices: drawn.indices,
  size: sizeOf(drawn.facts),
  drawn,
  by,
});

/** A state with other tokens, which has yet to be decoded. @param {State} base @param {Uint32Array} indices @returns {State} */
export const changedTo = (base, indices) => ({ ...base, original: null, indices, drawn: null, by: '' });

/** @param {import('../../engine/protocol.js').TokenFacts} facts @returns {State['size']} */
export const sizeOf = ({ width, height, grids: [{ rows, columns }] }) => ({ width, height, rows, columns });

/** Whether two states have the same tokens. @param {State | null} a @param {State | null} b */
export function sameTokens(a, b) {
  if (!a || !b) return a === b;
  const alike = a.codebook === b.codebook && a.size.columns === b.size.columns && a.indices.length === b.indices.length;
  return alike && a.indices.every((code, i) => code === b.indices[i]);
}

export class History {
  /** @type {State[]} */ #states = [];
  #at = -1;

  get current() {
    return this.#states[this.#at] ?? null;
  }

  get undoes() {
    return this.#at > 0;
  }

  get redoes() {
    return this.#at + 1 < this.#states.length;
  }

  /** @param {State} state */
  push(state) {
    this.#states.splice(this.#at + 1, Infinity, state);
    if (this.#states.length > MOST) this.#states.shift();
    this.#to(this.#states.length - 1);
  }

  /** Puts a state in the place of the current one. @param {State} state */
  swap(state) {
    this.#states.splice(this.#at, Infinity, state);
  }

  undo() {
    if (this.undoes) this.#to(this.#at - 1);
  }

  redo() {
    if (this.redoes) this.#to(this.#at + 1);
  }

  /** @param {number} at */
  #to(at) {
    this.#at = at;
    this.#states.forEach((state, i) => {
      if (Math.abs(i - at) > NEAR) state.drawn = null;
    });
  }
}
