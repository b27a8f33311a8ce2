// @ts-check
// <result-numbers>: the numbers next to the picture. Each value's element has the bare number in
// `data-value`, for programs that read the page.

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
  /** @type {Record<string, HTMLElement>} */ #values = {};

  connectedCallback() {
    if (this.firstChild) return;
    const list = document.createElement('dl');
    for (const [id, label, title] of ROWS) {
      const row = document.createElement('div');
      row.title = title;
      const term = document.createElement('dt');
      term.textContent = label;
      const value = document.createElement('dd');
      value.id = id;
      this.#values[id] = value;
      row.append(term, value);
      list.append(row);
    }
    this.append(list);
    this.clear(true);
  }

  /** @param {boolean} tokens whether numbers about tokens will follow */
  clear(tokens) {
    for (const [id] of ROWS) {
      this.#put(id, '–', '');
      /** @type {HTMLElement} */ (this.#values[id].parentElement).hidden = !tokens && OF_TOKENS.has(id);
    }
  }

  /** @param {import('../engine/protocol.js').TokenPart} tokens */
  showTokens({ facts, indices }) {
    const grids = facts.grids.map((g) => `${g.columns} × ${g.rows}`).join(' + ');
    this.#put('count', facts.count.toLocaleString('en'), facts.count, grids);
    this.#put('bpp', facts.bitsPerPixel.toFixed(3), facts.bitsPerPixel, `${bytes(facts.bytes)} in total`);
    const size = facts.codebookSize.toLocaleString('en');
    if (indices.length === 1) {
      this.#put('usage', `${facts.used.toLocaleString('en')} of ${size}`, facts.used, `perplexity ${facts.perplexity.toFixed(1)}`);
      return;
    }
    // Each grid has its own codebook, so its codes are counted separately.
    const used = indices.map((codes) => new Set(codes).size);
    const sum = used.reduce((a, b) => a + b);
    this.#put('usage', used.map((n) => n.toLocaleString('en')).join(' + '), sum, `of ${size} in each codebook`);
  }

  /** @param {import('../engine/protocol.js').Quality | null} quality @param {{encode: number | null, decode: number}} seconds */
  showResult(quality, seconds) {
    this.#put('psnr', quality ? decibels(quality.psnr) : '–', quality?.psnr ?? '', quality ? '' : 'needs the original');
    this.#put('ssim', quality ? quality.ssim.toFixed(4) : '–', quality?.ssim ?? '', quality ? '' : 'needs the original');
    const total = (seconds.encode ?? 0) + seconds.decode;
    const parts = seconds.encode === null ? 'decode only' : `encode ${seconds.encode.toFixed(2)}, decode ${seconds.decode.toFixed(2)}`;
    this.#put('time', `${total.toFixed(2)} s`, total, parts);
  }

  /** The quality of the rebuilt picture, in words. */
  get words() {
    return `PSNR ${this.#values.psnr.textContent}, SSIM ${this.#values.ssim.textContent}`;
  }

  /** @param {string} id @param {string} text @param {number | ''} value */
  #put(id, text, value, note = '') {
    const dd = this.#values[id];
    dd.textContent = text;
    dd.dataset.value = String(value);
    if (note) {
      const small = document.createElement('small');
      small.textContent = note;
      dd.append(' ', small);
    }
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
