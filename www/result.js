// What a run leaves on the page, as it comes: the original, then the tokens, then the rebuilt picture.
// Also what can be saved of it.
import { save } from './files.js';

const $ = (id) => document.getElementById(id);

export class ResultView {
  #png = null;
  #tokens = null;
  #stem = 'picture';
  #input = null;

  constructor() {
    $('save-picture').addEventListener('click', () => save(this.#png, `${this.#stem}.tesserae.png`, 'image/png'));
    $('save-tokens').addEventListener('click', () => save(this.#tokens, `${this.#stem}.tokens`, 'application/octet-stream'));
    for (const id of ['compare', 'stages']) {
      $('tokens').addEventListener('cell', ({ detail }) => $(id).mark(detail?.patch ?? null, detail?.selected));
      $(id).addEventListener('pick', ({ detail }) => $('tokens').pick(detail));
    }
    $('tokens').addEventListener('chosen', ({ detail }) => $('compare').reveal(detail));
  }

  get complete() {
    return this.#png !== null;
  }

  /**
   * @param {import('./engine/protocol.js').Part} part
   * @param {{stem: string, sample: string | null}} input whose it is
   * @param {{grids: number[], palettes: Uint8Array[]}} model
   */
  part({ original, tokens }, input, model) {
    document.documentElement.dataset.view = 'result';
    $('samples').mark(input.sample);
    const { grids, palettes } = model;
    $('numbers').clear(grids.length > 0);
    $('tokens').hidden = $('save-tokens').hidden = !grids.length;
    $('no-tokens').hidden = grids.length > 0;
    this.#png = this.#tokens = null;
    this.#stem = input.stem;
    if (original) {
      if (grids.length) $('result').dataset.stale = '';
      $('tokens').clear();
      $('compare').showOriginal(original, input === this.#input);
    }
    this.#input = input;
    if (tokens) {
      const { facts, indices, file } = tokens;
      delete $('result').dataset.stale;
      this.#tokens = file;
      $('tokens').show(
        facts,
        facts.grids.map((grid, i) => ({ ...grid, indices: indices[i], side: grids[i] })),
        palettes,
      );
      $('numbers').showTokens(tokens);
    }
    this.#buttons();
  }

  /** @param {import('./engine/protocol.js').Result} result @returns {string} a sentence about it */
  done({ rebuilt, png, quality, seconds }) {
    this.#png = png;
    $('compare').showRebuilt(rebuilt, !quality);
    $('numbers').showResult(quality, seconds);
    this.#buttons();
    if (!quality) return 'Rebuilt from its tokens alone.';
    return `Rebuilt: PSNR ${$('psnr').textContent}, SSIM ${$('ssim').textContent}.`;
  }

  #buttons() {
    $('save-picture').disabled = !this.#png;
    $('save-tokens').disabled = !this.#tokens;
  }
}
