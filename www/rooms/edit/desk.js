// @ts-check
// The picture that is edited, and what its tools share: its states, and the loop that decodes them.
import { Code, failure } from '../../engine/protocol.js';
import { Board } from './board.js';
import { History, changedTo, madeOf, sameTokens } from './state.js';

/** @typedef {import('./state.js').State} State */

/**
 * Events: `change` when another state is shown, or the model in use is another; `drawn` when its pixels are
 * awaited, or have come.
 */
export class Desk extends EventTarget {
  board;
  /** What a code looks like, if that is known. @type {(code: number) => ArrayLike<number> | null} */ colour = () => null;
  #session;
  #history = new History();
  /** A stroke under way. @type {State | null} */ #draft = null;
  /** The newest of several outcomes, which the next one replaces. @type {{base: State, now: State} | null} */ #trial = null;
  /** What the board shows. @type {State | null} */ #shown = null;
  #decoding = false;

  /** @param {import('../../session/session.js').Session} session @param {import('./board.js').Heard} heard */
  constructor(session, heard) {
    super();
    this.#session = session;
    this.board = new Board(heard);
    session.models.addEventListener('model', () => this.refresh());
  }

  get state() {
    return this.#draft ?? this.#history.current;
  }

  get undoes() {
    return this.#history.undoes;
  }

  get redoes() {
    return this.#history.redoes;
  }

  /** Whether the model in use can decode the state. */
  get fits() {
    const model = this.#session.models.inUse?.model;
    return !!model && model.codebookHash === this.state?.codebook;
  }

  /** The state as it was decoded; null until the model in use has done so. */
  get drawn() {
    const { state } = this;
    return state?.by === this.#decoder ? state.drawn : null;
  }

  /** @param {State} state */
  put(state) {
    this.#draft = this.#trial = null;
    this.#history.push(state);
    this.refresh();
  }

  /** One of several outcomes of the same work, in the place of the one before. @param {State} base @param {State} state */
  try(base, state) {
    const again = this.#trial?.base === base && this.#trial.now === this.#history.current;
    this.#draft = null;
    if (again) this.#history.swap(state);
    else this.#history.push(state);
    this.#trial = { base, now: state };
    this.refresh();
  }

  /** What the newest outcome came from, while that is shown; otherwise the state. */
  get base() {
    const current = this.#history.current;
    return this.#trial && this.#trial.now === current ? this.#trial.base : current;
  }

  /** Tokens of a stroke under way. @param {(indices: Uint32Array) => void} change */
  draft(change) {
    const base = this.state;
    if (!base) return;
    const indices = base.indices.slice();
    change(indices);
    this.#draft = changedTo(base, indices);
    this.show();
    this.decode();
  }

  /** Ends the stroke. */
  commit() {
    const draft = this.#draft;
    this.#draft = null;
    // A stroke that has changed nothing is nothing to undo.
    if (draft && !sameTokens(draft, this.state)) this.put(draft);
    else this.show();
  }

  undo() {
    this.#draft = null;
    this.#history.undo();
    this.refresh();
  }

  redo() {
    this.#history.redo();
    this.refresh();
  }

  /** A state from what the model in use has drawn. @param {State} base @param {import('./state.js').Drawn} drawn */
  made(base, drawn) {
    return madeOf(base, drawn, this.#decoder);
  }

  /** Shows the state anew, with its tool. */
  refresh() {
    this.show();
    this.#tell('change');
    this.decode();
  }

  /** Puts the state on the board, as far as it is decoded. */
  show() {
    const { state } = this;
    if (!state) return;
    if (state.drawn) this.#shown = state;
    const shown = this.#shown;
    if (shown?.drawn) this.board.show(shown.drawn.pixels, { ...shown.size, side: shown.side });
    this.board.pend(shown && shown !== state ? this.#colours(shown, state) : null);
  }

  /** Decodes the newest state, until it is the one that is shown. */
  async decode() {
    if (this.#decoding || !this.#due) return;
    this.#decoding = true;
    this.#tell('drawn');
    const { client, bar } = this.#session;
    try {
      for (let due = this.#due; due; due = this.#due) {
        const by = this.#decoder;
        const drawn = await client.paint(due.tokens, due.indices);
        Object.assign(due, { drawn, by });
        // A stroke may have gone on meanwhile.
        if (due.size.columns === this.state?.size.columns && due.indices.length === this.state.indices.length) this.#shown = due;
        this.show();
        this.#tell('drawn');
      }
    } catch (error) {
      // Whatever took its place shows a picture of its own.
      if (failure(error).code !== Code.CANCELLED) this.#session.complain(failure(error), { label: 'Try again', run: () => this.decode() });
    } finally {
      if (bar.kind === 'edit') bar.rest();
      this.#decoding = false;
      this.#tell('drawn');
    }
  }

  /** Whether the picture is about to show its tokens. */
  get busy() {
    return this.#decoding;
  }

  get #decoder() {
    return this.#session.models.inUse?.model.decoderHash ?? '';
  }

  get #due() {
    return this.state && this.fits && !this.drawn ? this.state : null;
  }

  /** @param {'change' | 'drawn'} type */
  #tell(type) {
    this.dispatchEvent(new Event(type));
  }

  /** The colours of the codes in which two states differ: until they are decoded, those that stand for them. @param {State} from @param {State} to */
  #colours(from, to) {
    const palette = this.#session.models.inUse?.palettes[0];
    if (!palette || !this.fits || from.indices.length !== to.indices.length) return null;
    const rgba = new Uint8ClampedArray(4 * to.indices.length);
    /** @type {Map<number, ArrayLike<number>>} */ const known = new Map();
    to.indices.forEach((code, i) => {
      if (code === from.indices[i]) return;
      const rgb = known.get(code) ?? this.colour(code) ?? palette.subarray(3 * code, 3 * code + 3);
      known.set(code, rgb);
      rgba.set([rgb[0], rgb[1], rgb[2], 255], 4 * i);
    });
    return rgba;
  }
}
