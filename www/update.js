// @ts-check
// The page's release: stored for visits without a network, and replaced by a newer one on reload, never
// in between.
import { PageCode, TesseraeError } from './engine/protocol.js';
import { RELEASE } from './engine/release.js';
import { registerServiceWorker } from './engine/start.js';

const HOME = new URL('./', document.baseURI);
const SENTENCE = 'The server has a newer version of this page, and no longer has the files that this one needs.';
// The longest that the visitor waits for a server that does not answer.
const PATIENCE_MS = 10_000;
const RELOADED = 'tesserae-reloaded';

// While this page is open, the service worker keeps its release: sw.js uses the same name.
// Where the browser stores nothing for this site, there are no locks either.
navigator.locks?.request(`tesserae-release ${HOME.pathname} ${RELEASE}`, { mode: 'shared' }, () => new Promise(() => {})).catch(() => {});

/** Stores this release for visits without a network. @returns {Promise<boolean>} whether a complete one is stored */
export async function keepOffline() {
  // The source tree, served as it is, has no list of its files.
  if (RELEASE === 'source' || !('serviceWorker' in navigator)) return false;
  await registerServiceWorker().catch(() => null);
  await navigator.serviceWorker.ready;
  return true;
}

/** Calls back when a newer release is stored completely, for the next load. @param {() => void} then */
export function onNewer(then) {
  navigator.serviceWorker?.addEventListener('message', ({ data }) => data?.release && data.release !== RELEASE && then());
}

/** @returns {Promise<boolean>} whether the server has another release by now */
export async function outdated() {
  if (RELEASE === 'source') return false;
  try {
    const response = await fetch(new URL('release.json', HOME), { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
    const { release } = await response.json();
    return typeof release === 'string' && release !== RELEASE;
  } catch {
    return false;
  }
}

export const outdatedError = () => new TesseraeError(PageCode.RELEASE_CHANGED, SENTENCE);

/** Loads the newest release, which the service worker fetches first where there is one. */
export async function reload() {
  await Promise.race([renewed(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]).catch(() => {});
  location.reload();
}

/** Like `reload`, but only once per release: a host that serves the old one would serve it again. */
export function reloadOnce() {
  try {
    if (sessionStorage.getItem(RELOADED) === RELEASE) return;
    sessionStorage.setItem(RELOADED, RELEASE);
  } catch {
    return;
  }
  reload();
}

async function renewed() {
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.update();
  const coming = registration?.installing ?? registration?.waiting;
  if (!coming) return;
  await new Promise((resolve) => {
    const look = () => (coming.state === 'activated' || coming.state === 'redundant') && resolve(null);
    coming.addEventListener('statechange', look);
    look();
  });
}
