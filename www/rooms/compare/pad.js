// @ts-check
// Draw your own: what each model makes of a drawing, while it is drawn. Those that take long wait until the pen rests.
import { Code, failure } from '../../engine/protocol.js';
import { h } from '../../ui/h.js';
import { LatentLook } from './pad-look.js';
import { NoiseLook } from './pad-noise.js';
import { Sheet } from './pad-sheet.js';
import { TokensLook } from './pad-tokens.js';
import { tuningNote } from './tuning-note.js';
import { generatorOf } from './ways.js';

/** How long the pen rests before what is slow begins, in milliseconds. */
const REST = 800;
const EMPTY = 'Nothing is drawn yet. Draw a digit on the pad, and see what each model makes of it.';

/** @typedef {import('./pad-look.js').Look} Look */

export class PadMode {
  id = /** @type {const} */ ('pad');
  title = 'Draw your own';
  lead = 'Draw a digit, and see how each model sees it: as a few numbers, as codes of a codebook, or as something to be cleared of noise.';
  go = '';
  typed = {};
  from = '';
  what = 'What it is meant to be';
  seeds = null;
  fields = null;
  /** It draws by itself. @type {import('./mode.js').Task[]} */ tasks = [];
  #session;
  #busy;
  #sheet;
  /** @type {Look[]} */ #looks;
  #words = h('p', { id: 'comparing-empty', class: 'pad-empty' }, EMPTY);
  /** What each has looked at. @type {Map<Look, number>} */ #seen = new Map();
  /** Those that could not, and are not tried again before the pen rests. @type {Set<Look>} */ #failed = new Set();
  /** The number of the newest drawing. */ #newest = 0;
  /** When it was drawn. */ #drawnAt = -Infinity;
  #kind = 0;
  /** Whether this mode is chosen. */ #open = false;
  /** Whether the visitor has asked for something here, which pauses a tuning. */ #asked = false;
  /** The one that is looking. @type {Look | null} */ #looking = null;
  /** Whether it can be interrupted by now, */ #begun = false;
  /** and has been. */ #interrupted = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  view;

  /**
   * @param {import('../../session/session.js').Session} session
   * @param {() => boolean} busy whether the room is drawing in another mode
   */
  constructor(session, busy) {
    this.#session = session;
    this.#busy = busy;
    /** @type {TokensLook | null} */ const tokens = tokensLook(session.models.shelf);
    this.#sheet = new Sheet((at) => {
      if (at) tokens?.follow(at);
      this.#drawnAt = performance.now();
      this.#asked = true;
      this.#changed();
    });
    this.#looks = this.#all(tokens);
    const tuning = tuningNote(session, 'A tuning is running. Drawing pauses it.', () => this.#go());
    session.address.addEventListener('room', () => (this.#shown ? this.#go() : this.#rest()));
    this.view = h(
      'div',
      { class: 'pad-view', 'data-pad': 'empty' },
      this.#sheet.element,
      h('div', { class: 'looks' }, this.#words, tuning, ...this.#looks.map(({ element }) => element)),
    );
  }

  /** Whether there is anything that looks. */
  get any() {
    return this.#looks.length > 0;
  }

  fill() {}

  again() {
    return {};
  }

  /** It is shown, or the class has changed. @param {import('../../session/comparing.js').Comparing} asked */
  live({ class: kind }) {
    const other = kind !== this.#kind;
    this.#kind = kind;
    this.#open = true;
    if (other) this.#changed();
    else this.#go();
  }

  leave() {
    if (!this.#open) return;
    this.#open = false;
    this.#rest();
  }

  /** Nobody sees it. */
  #rest() {
    this.#asked = false;
    clearTimeout(this.#timer);
    this.#interrupt();
  }

  get #shown() {
    return this.#open && this.#session.address.room === 'compare';
  }

  /** Whether it may begin anything. */
  get #free() {
    return this.#shown && !this.#busy() && (this.#asked || !this.#session.client.tuning);
  }

  /** @param {TokensLook | null} tokens @returns {Look[]} in the order in which they look, so that the slow ones are last */
  #all(tokens) {
    const { shelf } = this.#session.models;
    const [vae, gan, diffusion] = ['digits-vae', 'digits-gan', 'digits-diffusion'].map((name) => generatorOf(shelf, name));
    const noise = diffusion && new NoiseLook(diffusion, () => noise && this.#anew(noise));
    const packs = 'Its encoder packs the drawing into a few numbers, and its decoder draws what they stand for.';
    const searches = 'It has no encoder. So its numbers are searched for, until what it draws of them is most like the drawing.';
    return [
      ...(vae ? [new LatentLook('vae', 'VAE', packs, vae, false)] : []),
      ...(tokens ? [tokens] : []),
      ...(gan ? [new LatentLook('gan', 'GAN', searches, gan, true)] : []),
      ...(noise ? [noise] : []),
    ];
  }

  /** There is another drawing, or it is meant to be something else. */
  #changed() {
    this.#newest += 1;
    const { inked } = this.#sheet;
    this.#session.holds('compare', inked);
    for (const look of this.#looks) {
      if (!inked) look.clear();
      else if (look.slow) look.wait();
    }
    this.#interrupt();
    this.#go();
  }

  /** Other pictures of the same drawing are wanted. @param {Look} look */
  #anew(look) {
    this.#asked = true;
    this.#seen.delete(look);
    if (this.#looking === look) this.#interrupt();
    this.#go();
  }

  /** Ends what is slow and has begun, for a newer drawing. */
  #interrupt() {
    if (!this.#begun) return;
    this.#begun = false;
    this.#interrupted = true;
    this.#session.client.cancelGenerate();
  }

  get #rested() {
    return !this.#sheet.down && performance.now() - this.#drawnAt >= REST;
  }

  /** Whose turn it is. */
  get #next() {
    if (!this.#free || !this.#sheet.inked) return undefined;
    return this.#looks.find((look) => this.#late(look) && ((!look.slow && !this.#failed.has(look)) || this.#rested));
  }

  /** @param {Look} look */
  #late(look) {
    return this.#seen.get(look) !== this.#newest;
  }

  async #go() {
    this.#state();
    clearTimeout(this.#timer);
    if (this.#looking) return;
    for (let look = this.#next; look; look = this.#next) await this.#take(look);
    this.#state();
    const waits = this.#free && this.#sheet.inked && this.#looks.some((look) => this.#late(look));
    if (waits) this.#timer = setTimeout(() => this.#go(), REST);
  }

  /** @param {Look} look */
  async #take(look) {
    const { client, bar } = this.#session;
    const drawing = { picture: this.#sheet.pixels, class: this.#kind };
    const newest = this.#newest;
    this.#looking = look;
    this.#seen.set(look, newest);
    try {
      const hear = () => {
        if (bar.kind === 'sample') bar.rest();
        this.#begun = true;
        if (!this.#shown) this.#interrupt();
      };
      await look.look(client, drawing, hear, () => this.#free);
      this.#failed.delete(look);
    } catch (error) {
      const { code, message } = failure(error);
      if (this.#interrupted || (code === Code.CANCELLED && !this.#free)) this.#seen.delete(look);
      else {
        this.#failed.add(look);
        look.fail(code === Code.CANCELLED ? 'Stopped.' : message);
      }
    } finally {
      this.#looking = null;
      this.#begun = this.#interrupted = false;
      if (bar.kind === 'sample') bar.rest();
    }
    // The pad was cleared, or more was drawn meanwhile.
    if (!this.#sheet.inked) look.clear();
    else if (look.slow && this.#late(look)) look.wait();
  }

  #state() {
    const { inked } = this.#sheet;
    const done = inked && !this.#looking && !this.#looks.some((look) => this.#late(look));
    this.#words.hidden = inked;
    this.view.dataset.pad = !inked ? 'empty' : done ? 'done' : 'working';
  }
}

/** @param {import('../../session/shelf.js').Shelf} shelf */
function tokensLook(shelf) {
  const [plain, sharp] = ['digits', 'digits-vqgan'].map((name) => shelf.entries.find((entry) => entry.name === name));
  if (!plain) return null;
  const same = sharp && sharp.codebook === plain.codebook;
  return new TokensLook(shelf.source(plain.name), same ? shelf.source(sharp.name) : null);
}
