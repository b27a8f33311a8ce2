// @ts-check
// All models, shipped and the visitor's own, and the one in use.
import { keptModels, removeModel } from '../engine/kept.js';
import { Code, PageCode, TesseraeError, failure } from '../engine/protocol.js';
import { Shelf } from './shelf.js';

/** @typedef {import('../engine/protocol.js').WeightSource} WeightSource */
/** @typedef {import('../engine/protocol.js').Dropped} Dropped */
/** @typedef {import('../engine/protocol.js').Loaded} Loaded */

/** @type {ReadonlySet<string>} */
const DOWNLOADS = new Set([PageCode.DOWNLOAD_FAILED, PageCode.DOWNLOAD_LENGTH, PageCode.DOWNLOAD_HASH]);

/**
 * Events: `list` when the list or the model in use changes; `model` (Loaded, or null) when the engine's model
 * changes; `use` when requested weights are in use and nothing newer was requested, with what to do with
 * them, if anything, in `event.detail`; `unused` when they could not be loaded; `prior` with the Dropped one that the
 * visitor wants to draw with.
 */
export class Models extends EventTarget {
  #session;
  shelf = new Shelf();
  /** Weight files of the visitor. @type {Map<string, Dropped>} */ #own = new Map();
  /** The names of those that this browser keeps. @type {Set<string>} */ #kept = new Set();
  /** What was chosen last, by hand. */ #chosen = '';
  /** How many loads are in progress. */ #loading = 0;

  /** @param {import('./session.js').Session} session */
  constructor(session) {
    super();
    this.#session = session;
  }

  /** The model in use, as the engine has it. @returns {Loaded | null} */
  get inUse() {
    return this.#session.client.model;
  }

  get loading() {
    return this.#loading > 0;
  }

  /** Those of the visitor. @returns {{name: string, bytes: number, kept: boolean}[]} */
  get own() {
    return Array.from(this.#own.values(), ({ name, blob }) => ({ name, bytes: blob.size, kept: this.#kept.has(name) }));
  }

  /** @param {string} name */
  taken(name) {
    return this.shelf.has(name) || this.#own.has(name);
  }

  /** @param {string} name @returns {string | null} the shipped model that this one comes from, if it is known */
  base(name) {
    return this.shelf.has(name) ? name : (this.#own.get(name)?.base ?? null);
  }

  /** @param {string} name @returns {WeightSource | null} */
  source(name) {
    return this.shelf.has(name) ? this.shelf.source(name) : (this.#own.get(name) ?? null);
  }

  /**
   * Makes other weights the model in use.
   * @param {WeightSource | null} asked null for those named in the address
   * @param {import('./session.js').Item | null} [next] what to rebuild with them, by default the picture on the stage
   * @returns {Promise<boolean>} whether they are in use and nothing newer was requested
   */
  async use(asked, next = this.#session.pictureOnStage) {
    const { bar, client } = this.#session;
    const newest = this.#session.begin('loading');
    this.#loading += 1;
    let wanted = asked;
    try {
      wanted ??= await this.#asked();
      bar.begin('start', `Loading ${wanted.name}`);
      await client.load(wanted);
      if (wanted.from === 'file') this.#own.set(wanted.name, wanted);
      if (newest()) this.dispatchEvent(new CustomEvent('use', { detail: next }));
      return newest();
    } catch (error) {
      const needed = DOWNLOADS.has(failure(error).code) || !this.inUse;
      const source = wanted;
      const draw = {
        label: 'Draw pictures with it in Sample',
        run: () => this.dispatchEvent(new CustomEvent('prior', { detail: source })),
      };
      const other = failure(error).prior ? draw : undefined;
      const again = (/** @type {() => unknown} */ run) => (needed && !other ? { label: 'Try again', run } : other);
      this.dispatchEvent(new CustomEvent('unused'));
      if (newest()) {
        this.#session.stop(
          error,
          again(() => this.use(source?.from === 'shipped' ? source : null, next)),
        );
      } else {
        // Newer work continues with the model in use, so the visitor must know which one that is.
        this.#session.complain(
          failure(error),
          again(() => this.use(source)),
        );
      }
      return false;
    } finally {
      this.#loading -= 1;
      if (!this.#loading) this.#name();
      this.#listed();
    }
  }

  /** @param {string} name @param {import('./session.js').Item} [next] */
  choose(name, next) {
    this.#chosen = name;
    return this.use(this.source(name), next);
  }

  /** A tuned model that the browser has saved. @param {string} name @param {Uint8Array<ArrayBuffer>} weights @param {string | null} base */
  keep(name, weights, base) {
    this.#kept.add(name);
    return this.use({ from: 'file', name, blob: new Blob([weights]), config: null, base });
  }

  /** @param {string} name */
  async remove(name) {
    await removeModel(name).catch(() => {});
    this.#kept.delete(name);
    this.#own.delete(name);
    this.#listed();
    if (this.inUse?.name === name) await this.use(null);
  }

  /** Lists the models saved in this browser, which needs no network. */
  async relist() {
    for (const own of await keptModels().catch(() => [])) {
      this.#kept.add(own.name);
      this.#own.set(own.name, own);
    }
    this.#listed();
  }

  /** The engine's weights have changed, or there are none. @param {Loaded | null} loaded */
  came(loaded) {
    this.#name();
    this.dispatchEvent(new CustomEvent('model', { detail: loaded }));
    this.#listed();
  }

  /** The model that the address asks for, or the first. */
  async #asked() {
    const asked = this.#session.address.settings.model;
    await this.relist();
    try {
      await this.shelf.load();
    } catch (error) {
      const { code, message } = failure(error);
      throw new TesseraeError(code, message + (this.#own.size ? ' Yours are under “Model”.' : ''));
    }
    this.#listed();
    const wanted = this.shelf.source(asked);
    if (asked && wanted.name !== asked) {
      this.#session.complain({
        code: Code.MODEL_UNKNOWN,
        message: `There is no model called “${asked}”, so ${wanted.name} is in use.`,
      });
    }
    return wanted;
  }

  /** The address names the model in use, whatever was chosen, if it is a shipped one. */
  #name() {
    const name = this.inUse?.name ?? '';
    const { address } = this.#session;
    const named = () => this.shelf.source(address.settings.model).name === name;
    if (this.shelf.has(name) && (name === this.#chosen || !named())) address.set({ model: name });
  }

  #listed() {
    this.dispatchEvent(new CustomEvent('list'));
  }
}
