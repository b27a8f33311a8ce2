// @ts-check
// What the visitor chose, in the address, so that a link carries it: the room that is open, the
// settings, and what is drawn where the open room draws; never anything about a picture. Only what
// `auto` measured on this machine is kept in local storage.
import { DEFAULTS as COMPARING, KEYS as COMPARED, readComparing, writeComparing } from './comparing.js';
import { DEFAULTS as SAMPLING, KEYS as SAMPLED, readSampling, writeSampling } from './sampling.js';

/** @typedef {import('./sampling.js').Sampling} Sampling */
/** @typedef {import('./comparing.js').Comparing} Comparing */
/**
 * @typedef {object} Settings
 * @property {string} model its name, or nothing for the first
 * @property {string} size of the longest side in pixels, 0 for the picture's own
 * @property {import('../engine/protocol.js').DeviceChoice} device
 * @property {boolean} square the centre square alone
 * @property {string} sample a seed, or nothing for the means
 */

/** @type {Settings} */
const DEFAULTS = { model: '', size: '256', device: 'auto', square: false, sample: '' };
const SIZES = ['256', '512', '1024', '0'];
/** @type {Settings['device'][]} */
const DEVICES = ['auto', 'webgpu', 'cpu'];
/** The seed when a visitor ticks “sample”; a link may set another. */
export const SEED = '1';
/** The rooms whose links carry what is drawn. */
const [SAMPLE, COMPARE] = ['sample', 'compare'];
/** What links may carry besides the room. */
const KEYS = [...Object.keys(DEFAULTS), ...SAMPLED, ...COMPARED];
const REMEMBERED = 'tesserae.auto-device';

/** @param {string} hash the part of an address after `#`; anything unknown in it is ignored in favour of the default @returns {Settings} */
function parse(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  const sample = query.get('sample') ?? '';
  return {
    model: query.get('model') ?? DEFAULTS.model,
    size: SIZES.find((size) => size === query.get('size')) ?? DEFAULTS.size,
    device: DEVICES.find((device) => device === query.get('device')) ?? DEFAULTS.device,
    square: query.get('square') === '1',
    sample: /^\d{1,9}$/.test(sample) ? sample : DEFAULTS.sample,
  };
}

/**
 * Events: `room` when another room is requested; `settings`, with the previous ones in `event.detail`,
 * when a link has changed them.
 */
export class Address extends EventTarget {
  #rooms;
  /** @type {Settings} */ settings;
  /** @type {Sampling} */ sampling = SAMPLING;
  /** @type {Comparing} */ comparing = COMPARING;
  /** @type {string} the one that is open */ room;

  /** @param {string[]} rooms their names; the first is open where the address says nothing */
  constructor(rooms) {
    super();
    this.#rooms = rooms;
    this.settings = parse(location.hash);
    this.room = this.#asked();
    this.#drawn();
    history.replaceState({ entry: true }, '');
    addEventListener('popstate', ({ state }) => this.#moved(state?.entry === true));
  }

  /** @param {Partial<Settings>} changed */
  set(changed) {
    this.settings = { ...this.settings, ...changed };
    history.replaceState({ entry: true }, '', this.link());
  }

  /** @param {Partial<Sampling>} changed */
  sample(changed) {
    this.sampling = { ...this.sampling, ...changed };
    history.replaceState({ entry: true }, '', this.link());
  }

  /** @param {Partial<Comparing>} changed */
  compare(changed) {
    this.comparing = { ...this.comparing, ...changed };
    history.replaceState({ entry: true }, '', this.link());
  }

  /** @param {string} room */
  go(room) {
    if (room === this.room) return;
    this.room = room;
    history.pushState({ entry: true }, '', this.link());
    this.dispatchEvent(new CustomEvent('room'));
  }

  /** The address that carries the settings and a room. */
  link(room = this.room) {
    const query = new URLSearchParams();
    if (room !== this.#rooms[0]) query.set('room', room);
    for (const [key, value] of Object.entries(this.settings)) {
      if (value !== DEFAULTS[/** @type {keyof Settings} */ (key)]) query.set(key, value === true ? '1' : String(value));
    }
    if (room === SAMPLE) writeSampling(query, this.sampling);
    if (room === COMPARE) writeComparing(query, this.comparing);
    const url = new URL(location.href);
    url.hash = query.toString();
    return url.href.replace(/#$/, '');
  }

  #asked() {
    const asked = new URLSearchParams(location.hash.replace(/^#/, '')).get('room');
    return this.#rooms.find((name) => name === asked) ?? this.#rooms[0];
  }

  /** Takes what is drawn from the address of a room that draws. */
  #drawn() {
    const query = new URLSearchParams(location.hash.replace(/^#/, ''));
    if (this.room === SAMPLE) this.sampling = readSampling(query);
    if (this.room === COMPARE) this.comparing = readComparing(query);
  }

  /** @param {boolean} entry whether the address is one that this page was at, and not a new link */
  #moved(entry) {
    const query = new URLSearchParams(location.hash.replace(/^#/, ''));
    // An anchor of the page says nothing of rooms or settings.
    if (!entry && !['room', ...KEYS].some((key) => query.has(key))) return;
    const before = { room: this.room, settings: this.settings };
    this.room = this.#asked();
    // Back and forward go from room to room; what was chosen meanwhile stays chosen.
    if (!entry) {
      this.settings = parse(location.hash);
      this.#drawn();
    }
    history.replaceState({ entry: true }, '', entry ? this.link() : location.href);
    if (this.room !== before.room) this.dispatchEvent(new CustomEvent('room'));
    if (!entry) this.dispatchEvent(new CustomEvent('settings', { detail: before.settings }));
  }
}

/** What `auto` found last time on this machine. */
export function remembered() {
  try {
    return localStorage.getItem(REMEMBERED) ?? undefined;
  } catch {
    return undefined;
  }
}

/** @param {string | null} kind null forgets */
export function remember(kind) {
  try {
    if (kind) localStorage.setItem(REMEMBERED, kind);
    else localStorage.removeItem(REMEMBERED);
  } catch {
    // Without storage the self-test runs again next time.
  }
}
