// What the visitor chose: in the address, so that a link carries it, and never anything about a
// picture. Only what `auto` measured on this machine is kept in local storage.

const DEFAULTS = { model: '', size: '256', device: 'auto', square: false, sample: '' };
const SIZES = ['256', '512', '1024', '0'];
const DEVICES = ['auto', 'webgpu', 'cpu'];
// What a visitor's tick of “sample” stands for; a link may say another seed.
export const SEED = '1';
const REMEMBERED = 'tesserae.auto-device';

/** Settings from the part of an address after `#`; anything unknown is the default. */
export function parse(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  const pick = (key, allowed) => (allowed.includes(query.get(key)) ? query.get(key) : DEFAULTS[key]);
  return {
    model: query.get('model') ?? DEFAULTS.model,
    size: pick('size', SIZES),
    device: pick('device', DEVICES),
    square: query.get('square') === '1',
    sample: /^\d{1,9}$/.test(query.get('sample') ?? '') ? query.get('sample') : DEFAULTS.sample,
  };
}

/** Whether the part after `#` speaks of settings at all; an anchor of the page does not. */
export function speaks(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  return Object.keys(DEFAULTS).some((key) => query.has(key));
}

/** The address that carries these settings. */
export function link(settings, base = location.href) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(settings)) {
    if (value !== DEFAULTS[key]) query.set(key, value === true ? '1' : String(value));
  }
  const url = new URL(base);
  url.hash = query.toString();
  return url.href.replace(/#$/, '');
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
