// @ts-check
// The results of a run, as they arrive: the original, then the tokens, then the rebuilt picture. Also
// saves them.
import { save } from '../../files.js';
import { on } from '../../ui/h.js';

/** @typedef {import('../../engine/protocol.js').Loaded} Loaded */
/** @typedef {import('../../ui/view.js').Region} Region */
/** @typedef {import('../../ui/view.js').Point} Point */

export class Result {
  #panel;
  /** @type {Uint8Array<ArrayBuffer> | null} */ #png = null;
  /** @type {Uint8Array<ArrayBuffer> | null} */ #tokens = null;
  #stem = 'picture';
  /** A sentence about the picture that is shown. */ words = '';
  /** The input that was rebuilt. @type {import('../../session/session.js').Item | null} */ #input = null;

  /** @param {import('./panel.js').Panel} panel */
  constructor(panel) {
    this.#panel = panel;
    const { savePicture, saveTokens, tokens, compare } = panel;
    savePicture.addEventListener('click', () => this.#png && save(this.#png, `${this.#stem}.tesserae.png`, 'image/png'));
    saveTokens.addEventListener('click', () => this.#tokens && save(this.#tokens, `${this.#stem}.tokens`, 'application/octet-stream'));
    on(tokens, 'cell', (/** @type {{patch: Region, selected: boolean} | null} */ cell) =>
      compare.mark(cell?.patch ?? null, cell?.selected),
    );
    on(compare, 'pick', (/** @type {Point} */ at) => tokens.pick(at));
    on(tokens, 'chosen', (/** @type {Region} */ patch) => compare.reveal(patch));
  }

  /**
   * @param {import('../../engine/protocol.js').Part} part
   * @param {import('../../session/session.js').Item} input that is rebuilt
   * @param {Loaded} loaded the model that rebuilds it
   */
  part({ original, tokens }, input, { model: { grids }, palettes }) {
    const panel = this.#panel;
    panel.element.dataset.view = 'result';
    panel.numbers.clear(grids.length > 0);
    panel.tokens.hidden = panel.saveTokens.hidden = !grids.length;
    panel.noTokens.hidden = grids.length > 0;
    this.#png = this.#tokens = null;
    this.#stem = input.stem;
    if (original) {
      if (grids.length) panel.result.dataset.stale = '';
      panel.tokens.clear();
      panel.compare.showOriginal(original, input === this.#input);
    }
    this.#input = input;
    if (tokens) {
      const { facts, indices, file } = tokens;
      delete panel.result.dataset.stale;
      this.#tokens = file;
      panel.tokens.show(
        facts,
        facts.grids.map((grid, i) => ({ ...grid, indices: indices[i], side: grids[i] })),
        palettes,
      );
      panel.numbers.showTokens(tokens);
    }
    this.#buttons();
  }

  /** @param {import('../../engine/protocol.js').Result} result */
  done(result) {
    this.#panel.compare.showRebuilt(result.rebuilt, !result.quality);
    this.#put(result);
  }

  /** The same tokens, decoded by other weights. @param {import('../../engine/protocol.js').Result} result */
  replace(result) {
    this.#panel.compare.replaceRebuilt(result.rebuilt);
    this.#put(result);
  }

  /** @param {import('../../engine/protocol.js').Result} result */
  #put({ png, quality, seconds }) {
    this.#png = png;
    this.#panel.numbers.showResult(quality, seconds);
    this.words = quality ? `Rebuilt: ${this.#panel.numbers.words}.` : 'Rebuilt from its tokens alone.';
    this.#buttons();
  }

  #buttons() {
    this.#panel.savePicture.disabled = !this.#png;
    this.#panel.saveTokens.disabled = !this.#tokens;
  }
}
