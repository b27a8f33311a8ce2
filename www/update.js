// @ts-check
// The release that this page is of: kept for visits without a network, and left for a newer one by a
// reload, never in the middle.
import { PageCode, TesseraeError } from './engine/protocol.js';
import { RELEASE } from './engine/release.js';
import { registerServiceWorker } from './engine/start.js';

const HOME = new URL('./', document.baseURI);
const SENTENCE = 'The server has a newer version of this page, and no longer has the files that this one needs.';
// A server that does not answer does not keep the visitor waiting for longer.
const PATIENCE_MS = 10_000;
const RELOADED = 'tesserae-reloaded';

// As long as this page is open, the service worker keeps its release: sw.js has the same name.
// Where the browser keeps nothing for this site, there are no locks either.
navigator.locks?.request(`tesserae-release ${HOME.pathname} ${RELEASE}`, { mode: 'shared' }, () => new Promise(() => {})).catch(() => {});

/** Keeps this release for visits without a network. @returns {Promise<boolean>} whether there is one that is kept whole */
export async function keepOffline() {
  // The source tree, served as it is, has no list of its files.
  if (RELEASE === 'source' || !('serviceWorker' in navigator)) return false;
  await registerServiceWorker().catch(() => null);
  await navigator.serviceWorker.ready;
  return true;
}

/** Calls back when a newer release has come, whole, and waits for the next load. @param {() => void} then */
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

/** As `reload`, but not a second time for the same release: a host that hands out the old one goes on doing so. */
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
