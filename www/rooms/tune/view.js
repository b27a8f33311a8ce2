// @ts-check
// <tune-view>: a tuning in progress: the picture, its reconstruction before the tuning and now, and the codes in use.
import { figure } from '../../ui/figure.js';
import { TrainingView } from './training-view.js';

/** @typedef {import('../../engine/protocol.js').Preview} Preview */

export class TuneView extends TrainingView {
  #codes = 0;

  constructor() {
    super('tune', 'Loss', [['codes', 'Codes in use']]);
  }

  /**
   * @param {import('../../engine/protocol.js').Begun} begun @param {number} steps in all
   * @param {number[]} losses of the steps done
   * @param {number} codes of all grids together, 0 for a model without a codebook
   */
  begin({ seen, damaged, before, now }, steps, losses, codes) {
    this.#codes = codes;
    this.rows.show('tune-codes', codes > 0);
    const title = damaged ? 'Damaged' : 'Picture';
    const label = damaged ? 'The picture, damaged, as the model sees it' : 'The picture';
    this.row.replaceChildren(
      figure({ id: 'seen', title, label, pixels: seen, quality: damaged }),
      side('before', 'Before', 'Rebuilt before the tuning', before),
    );
    this.preview(now);
    this.start(steps, losses);
  }

  /** @param {Preview} now */
  preview(now) {
    this.row.querySelector('[data-stage=now]')?.remove();
    this.row.append(side('now', 'Now', 'Rebuilt by the model as tuned so far', now));
    const { used, perplexity } = now.usage ?? { used: 0, perplexity: 0 };
    const count = (/** @type {number} */ codes) => codes.toLocaleString('en');
    this.rows.put(
      'tune-codes',
      used ? `${count(used)} of ${count(this.#codes)}, perplexity ${perplexity.toFixed(perplexity < 100 ? 1 : 0)}` : '–',
      used || '',
    );
  }
}

/** @param {string} id @param {string} title @param {string} label @param {Preview} preview */
const side = (id, title, label, { rebuilt, quality }) => figure({ id, title, label, pixels: rebuilt, quality });

customElements.define('tune-view', TuneView);
