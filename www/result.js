// What a run leaves on the page, as it comes: the original, then the tokens, then the rebuilt picture.
// Also what can be saved of it.
import { save } from './files.js';

const $ = (id) => document.getElementById(id);

export class ResultView {
  #png = null;
  #tokens = null;
  #stem = 'picture';
  #geometry = null;

  constructor() {
    $('save-picture').addEventListener('click', () => save(this.#png, `${this.#stem}.tesserae.png`, 'image/png'));
    $('save-tokens').addEventListener('click', () => save(this.#tokens, `${this.#stem}.tokens`, 'application/octet-stream'));
    $('tokens').addEventListener('cell', ({ detail }) => {
      const region = detail && this.#region(detail);
      for (const id of ['compare', 'stages']) $(id).mark(region);
    });
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
      $('compare').showOriginal(original);
    }
    if (tokens) {
      const { facts, indices, file } = tokens;
      delete $('result').dataset.stale;
      this.#geometry = { facts, grids };
      this.#tokens = file;
      $('tokens').show(
        facts.grids.map((grid, i) => ({ ...grid, indices: indices[i] })),
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

  // The part of the picture that a token stands for, in 0..1; tokens in the padding are clipped.
  #region({ grid, row, column }) {
    const { facts, grids } = this.#geometry;
    const side = grids[grid];
    const x = Math.min(1, (column * side) / facts.width);
    const y = Math.min(1, (row * side) / facts.height);
    return { x, y, width: Math.min(side / facts.width, 1 - x), height: Math.min(side / facts.height, 1 - y) };
  }
}
