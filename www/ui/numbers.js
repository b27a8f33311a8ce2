// @ts-check
// <result-numbers>: the numbers next to the picture.
import { Rows } from './rows.js';

// Rows about tokens, which not every model has.
const OF_TOKENS = new Set(['count', 'bpp', 'usage']);

const ROWS = [
  ['psnr', 'PSNR', 'Peak signal-to-noise ratio over 8-bit RGB; higher is closer.'],
  ['ssim', 'SSIM', 'Structural similarity of the luma; 1 is the same picture.'],
  ['count', 'Tokens', 'How many code numbers the picture became.'],
  ['bpp', 'Bits per pixel', 'Bits of all tokens divided by the number of pixels; an uncompressed picture has 24.'],
  ['usage', 'Codebook', 'How many of the codes are used. Perplexity is how many equally frequent codes would carry as much information.'],
  ['time', 'Time', 'Encoding and decoding, without reading the file.'],
];

export class ResultNumbers extends HTMLElement {
  #rows = new Rows(ROWS);

  connectedCallback() {
    if (this.firstChild) return;
    this.append(this.#rows.list);
    this.clear(true);
  }

  /** @param {boolean} tokens whether numbers about tokens will follow */
  clear(tokens) {
    for (const [id] of ROWS) {
      this.#rows.put(id, '–', '');
      this.#rows.show(id, tokens || !OF_TOKENS.has(id));
    }
  }

  /** @param {import('../engine/protocol.js').TokenPart} tokens */
  showTokens({ facts, indices }) {
    const grids = facts.grids.map((g) => `${g.columns} × ${g.rows}`).join(' + ');
    this.#rows.put('count', facts.count.toLocaleString('en'), facts.count, grids);
    this.#rows.put('bpp', facts.bitsPerPixel.toFixed(3), facts.bitsPerPixel, `${bytes(facts.bytes)} in total`);
    const size = facts.codebookSize.toLocaleString('en');
    if (indices.length === 1) {
      this.#rows.put('usage', `${facts.used.toLocaleString('en')} of ${size}`, facts.used, `perplexity ${facts.perplexity.toFixed(1)}`);
      return;
    }
    // Each grid has its own codebook, so its codes are counted separately.
    const used = indices.map((codes) => new Set(codes).size);
    const sum = used.reduce((a, b) => a + b);
    this.#rows.put('usage', used.map((n) => n.toLocaleString('en')).join(' + '), sum, `of ${size} in each codebook`);
  }

  /** @param {import('../engine/protocol.js').Quality | null} quality @param {{encode: number | null, decode: number}} seconds */
  showResult(quality, seconds) {
    this.#rows.put('psnr', quality ? decibels(quality.psnr) : '–', quality?.psnr ?? '', quality ? '' : 'needs the original');
    this.#rows.put('ssim', quality ? quality.ssim.toFixed(4) : '–', quality?.ssim ?? '', quality ? '' : 'needs the original');
    const total = (seconds.encode ?? 0) + seconds.decode;
    const parts = seconds.encode === null ? 'decode only' : `encode ${seconds.encode.toFixed(2)}, decode ${seconds.decode.toFixed(2)}`;
    this.#rows.put('time', `${total.toFixed(2)} s`, total, parts);
  }

  /** The quality of the rebuilt picture, in words. */
  get words() {
    return `PSNR ${this.#rows.text('psnr')}, SSIM ${this.#rows.text('ssim')}`;
  }
}

/** @param {number} value */
export function decibels(value) {
  return Number.isFinite(value) ? `${value.toFixed(2)} dB` : 'identical';
}

/** @param {number} n */
function bytes(n) {
  return n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1000).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

customElements.define('result-numbers', ResultNumbers);
