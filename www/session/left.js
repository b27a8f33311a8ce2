// @ts-check
// An unfinished tuning, left by an earlier visit, a worker or another tab.
import { PATIENCE_MS, discardTuning, leftTuning } from '../engine/kept.js';

/** It emits `change`. */
export class Left extends EventTarget {
  /** @type {import('../engine/kept.js').Left | null} */ #found = null;
  #looks = 0;
  #tuning = false;

  /** The one to offer; none while another is running here. */
  get offered() {
    return this.#tuning ? null : this.#found;
  }

  /** @param {boolean} tuning whether one is running in this page */
  set tuning(tuning) {
    this.#tuning = tuning;
    this.#changed();
  }

  /** Offers it once it is free: another tab may still be running it. */
  async look() {
    const mine = ++this.#looks;
    this.clear();
    const found = await leftTuning(Infinity);
    if (mine !== this.#looks) return;
    this.#found = found;
    this.#changed();
  }

  /** There is no longer one to offer. */
  clear() {
    this.#found = null;
    this.#changed();
  }

  /** The unfinished one, if it is free now or within a moment. */
  take() {
    return leftTuning(PATIENCE_MS);
  }

  async discard() {
    await discardTuning();
    await this.look();
  }

  #changed() {
    this.dispatchEvent(new CustomEvent('change'));
  }
}

/** How far it was, in words. @param {import('../engine/protocol.js').Training} tuning */
export const howFar = ({ config, losses }) => `stopped at step ${losses.length} of ${config.steps}`;

/** What it is, in words. @param {import('../engine/protocol.js').Training} tuning */
export const whatLeft = (tuning) => ('goal' in tuning ? `The training of ${tuning.name} on your pictures` : `A tuning of ${tuning.model}`);
