// @ts-check
// The page's rooms: which one is open, their links, and the work in progress in the others.
import { Code, PageCode, TesseraeError } from './engine/protocol.js';
import { choose, purpose } from './files.js';
import { reload } from './update.js';
import { h, on, styled } from './ui/h.js';

/** @typedef {import('./rooms/index.js').Room} Room */
/** @typedef {import('./rooms/index.js').Entry} Entry */

const part = (/** @type {Entry} */ { id }, /** @type {string} */ file) => new URL(`rooms/${id}/${file}`, import.meta.url).href;

export class Rooms {
  #session;
  #main;
  #entries;
  /** @type {Map<string, HTMLAnchorElement>} */ #links = new Map();
  /** @type {Map<string, Promise<Room>>} */ #rooms = new Map();
  /** Each room's scroll position when it was left. @type {Map<string, number>} */ #scrolled = new Map();
  /** @type {string | null} the visible one */ #shown = null;

  /**
   * @param {import('./session/session.js').Session} session @param {Entry[]} entries
   * @param {{nav: HTMLElement, main: HTMLElement}} places
   */
  constructor(session, entries, { nav, main }) {
    this.#session = session;
    this.#entries = entries;
    this.#main = main;
    for (const entry of entries) this.#links.set(entry.id, this.#link(entry));
    nav.append(...this.#links.values());
    session.address.addEventListener('room', () => this.#open().catch((error) => this.#missing(error)));
    on(session, 'work', (/** @type {import('./session/session.js').Work} */ work) => this.#mark(work));
    on(session.models, 'prior', async (/** @type {import('./engine/protocol.js').Dropped} */ { name, blob, config }) => {
      const files = [new File([blob], name), ...(config ? [new File([config], 'config.json')] : [])];
      (await this.go('sample'))?.take(files);
    });
    // Each room has its own scroll position, which the browser does not know.
    history.scrollRestoration = 'manual';
  }

  /** The open room, once it is loaded; null if it failed to load. @returns {Promise<Room | null>} */
  get current() {
    return this.#room(this.#session.address.room).catch(() => null);
  }

  /** Opens the room that the address names. */
  start() {
    return this.#open();
  }

  /** A room, which need not be open. @param {string} id @returns {Promise<Room | null>} */
  get(id) {
    return this.#room(id).catch((error) => (this.#missing(error), null));
  }

  /** Goes to another room. @param {string} id @returns {Promise<Room | null>} */
  go(id) {
    // A room that failed to load is tried again.
    if (id === this.#session.address.room) this.#open().catch((error) => this.#missing(error));
    else this.#session.address.go(id);
    return this.current;
  }

  /**
   * Weights are a model for all rooms, unless the open one has its own use for them; other files are for that one.
   * @param {File[]} files @param {boolean} [model] whether weights must be a model
   */
  async take(files, model = false) {
    const { file, config } = choose(files);
    if (!file) return;
    const kind = purpose(file.name);
    if (kind === 'weights' && !model) {
      const open = await this.current;
      if (open?.weights) return open.take(files);
    }
    if (kind === 'weights') return void this.#session.models.use({ from: 'file', name: file.name, blob: file, config });
    if (kind === 'shards') {
      const words = 'These weights are split into several files, which this page cannot read.';
      return this.#session.complain(new TesseraeError(Code.WEIGHTS_SHARDED, words));
    }
    if (kind === 'config')
      return this.#session.complain(new TesseraeError(Code.CONFIG_INVALID, 'A config file cannot be used on its own.'));
    const open = await this.current;
    const room = kind === 'tokens' && !open?.tokens ? await this.go(this.#entries[0].id) : open;
    room?.take(files);
  }

  async #open() {
    const { address } = this.#session;
    const id = address.room;
    this.#update();
    const { element } = await this.#room(id);
    // Another room may have been opened meanwhile.
    if (address.room !== id || this.#shown === id) return;
    if (this.#shown) this.#scrolled.set(this.#shown, scrollY);
    this.#shown = id;
    for (const room of this.#main.children) /** @type {HTMLElement} */ (room).hidden = room !== element;
    scrollTo(0, this.#scrolled.get(id) ?? 0);
  }

  /** @param {string} id @returns {Promise<Room>} */
  #room(id) {
    const known = this.#rooms.get(id);
    if (known) return known;
    const entry = this.#entries.find((one) => one.id === id) ?? this.#entries[0];
    const room = Promise.all([entry.load(), styled(part(entry, 'style.css'))]).then(([{ create }]) => {
      const made = create(this.#session, this);
      made.element.dataset.room = id;
      made.element.hidden = true;
      this.#main.append(made.element);
      return made;
    });
    this.#rooms.set(id, room);
    // A room that failed to load is tried again.
    room.catch(() => this.#rooms.delete(id));
    return room;
  }

  /** @param {Entry} entry */
  #link(entry) {
    const mark = h('span', { class: 'room-work', hidden: true });
    const link = h('a', { class: 'room-link', href: '', 'data-room': entry.id }, h('span', { class: 'room-icon' }), entry.title, mark);
    link.style.setProperty('--icon', `url("${part(entry, 'icon.svg')}")`);
    link.addEventListener('click', (event) => {
      // Opening a new tab is left to the browser.
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.go(entry.id);
    });
    // The link carries the current settings.
    const address = () => (link.href = this.#session.address.link(entry.id));
    for (const type of ['pointerenter', 'focus']) link.addEventListener(type, address);
    address();
    return link;
  }

  #update() {
    const { room } = this.#session.address;
    for (const [id, link] of this.#links) {
      if (id === room) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    const entry = this.#entries.find(({ id }) => id === room);
    document.title = `${entry?.title} · Tesserae`;
  }

  /** @param {import('./session/session.js').Work} work */
  #mark({ room, done }) {
    const mark = /** @type {HTMLElement} */ (this.#links.get(room)?.querySelector('.room-work'));
    mark.hidden = done === -1;
    mark.replaceChildren(
      h('span', { class: 'visually-hidden' }, 'in progress '),
      done === null || done < 0 ? '' : `${Math.floor(done * 100)} %`,
    );
  }

  /** @param {unknown} error */
  #missing(error) {
    console.error(error);
    const trouble = new TesseraeError(PageCode.DOWNLOAD_FAILED, 'This room could not be loaded.');
    // Browsers remember that a module failed, so only a reload helps.
    this.#session.complain(trouble, { label: 'Reload', run: reload });
  }
}
