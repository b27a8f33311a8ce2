// @ts-check
// A model trained in two stages, as VQ-GANs are: encoder, codebook and a first decoder by reconstruction,
// then a second decoder against a discriminator. Both decode the same tokens, and so does every decoder
// whose weights lie between theirs: the slider says which one made the picture on the stage.
import { megabytes } from '../../session/shelf.js';
import { FAITHFUL, LIFELIKE } from './slider.js';

/** @typedef {import('../../session/shelf.js').Pair} Pair */
/** @typedef {import('../../engine/protocol.js').Pixels} Pixels */
/** @typedef {import('../../engine/protocol.js').TokenPart} TokenPart */
/** @typedef {import('../../engine/protocol.js').Result} Result */
/** @typedef {import('../../session/session.js').Item} Item */
/** @typedef {{at: number, ask: Parameters<import('../../engine/client.js').EngineClient['decode']>}} Due a position, and what to ask for it */

export class Stages {
  #slider;
  #result;
  /** @type {Pair | null} its `own` is in use */ #pair = null;
  /** @type {Pixels | null} */ #original = null;
  /** @type {TokenPart | null} */ #tokens = null;
  /** What the model in use decoded by itself. @type {Result | null} */ #own = null;
  /** The position of the picture on the stage. */ #shown = FAITHFUL;
  /** The name of the other model, once it has been downloaded. */ #fetched = '';

  /** @param {import('./panel.js').Panel} panel @param {import('./result.js').Result} result */
  constructor({ stages }, result) {
    this.#slider = stages;
    this.#result = result;
  }

  /**
   * A result is in progress.
   * @param {import('../../engine/protocol.js').Part} part @param {Item} item its input @param {Pair | null} pair
   */
  part({ original, tokens }, item, pair) {
    if (original || item.kind === 'tokens') this.#original = original ?? null;
    this.#tokens = tokens ?? null;
    this.#own = null;
    const before = this.#pair?.own.name;
    this.#pair = pair;
    this.#slider.hidden = !pair;
    if (!pair) return;
    // A position means the same for the next photo, but another model begins at its own end.
    if (pair.own.name !== before) {
      this.#fetched = '';
      this.#slider.value = this.#home;
    }
    this.#shown = this.#home;
    this.#settle();
  }

  /** Whether the model of this name is the other stage, which decodes the tokens on the stage. @param {string} name */
  readBy(name) {
    return this.#pair?.other.name === name;
  }

  /** The model of this name is in use; if the current picture is not its own, there is nothing to slide between. @param {string} name */
  leave(name) {
    if (!this.#pair || this.#pair.own.name === name) return;
    this.#pair = null;
    this.#slider.hidden = true;
  }

  /** @param {Result} result */
  done(result) {
    this.#own = result;
    this.#settle();
  }

  /** The position of the model in use by itself. */
  get #home() {
    return this.#pair?.own.stage === 'vqvae' ? FAITHFUL : LIFELIKE;
  }

  /** What has yet to be decoded for the picture to match the slider. @returns {Due | null} */
  get due() {
    const at = this.#slider.value;
    if (!this.#pair || !this.#tokens || !this.#own || at === this.#shown) return null;
    const share = Math.abs(at - this.#home) / (LIFELIKE - FAITHFUL);
    return { at, ask: [this.#pair.source, share, this.#tokens.file, this.#original] };
  }

  /** Whether the other model has been downloaded. */
  get fetched() {
    return this.#pair?.other.name === this.#fetched;
  }

  /** The slider has moved. The picture of the model in use is known, so it is shown at once. @returns {boolean} whether it was */
  moved() {
    const home = this.#own !== null && this.#slider.value === this.#home && this.#shown !== this.#home;
    if (home) {
      this.#shown = this.#home;
      this.#result.replace(/** @type {Result} */ (this.#own));
    }
    this.#settle();
    return home;
  }

  /**
   * A picture has been decoded. It is shown only if it is nearer to where the slider is by now than the current one.
   * @param {Due} due @param {Result} result
   */
  show({ at }, { seconds: { decode }, ...result }) {
    const own = /** @type {Result} */ (this.#own);
    this.#fetched = /** @type {Pair} */ (this.#pair).other.name;
    const { value } = this.#slider;
    if (Math.abs(at - value) < Math.abs(this.#shown - value)) {
      this.#shown = at;
      this.#result.replace({ ...result, seconds: { ...own.seconds, decode } });
    }
    this.#settle();
  }

  /** Moves the slider back to the current picture. @returns {() => void} moves it to where it was */
  back() {
    const { value } = this.#slider;
    this.#slider.value = this.#shown;
    this.#settle();
    return () => this.#slider.move(value);
  }

  #settle() {
    this.#slider.busy = this.due !== null;
    this.#slider.offer =
      this.#pair && !this.fetched
        ? `The first move downloads ${megabytes(this.#pair.other.bytes)} MB, unless this browser already has them.`
        : '';
  }
}
