// @ts-check
// Stores one complete release of the page, for visits without a network or with a stalled one. The build
// puts the release's id and its files, with their checksums, here (scripts/server/release.js); the
// source tree has none and is not stored. Weights are not stored here but in the store.
const RELEASE = 'source';
/** @type {Record<string, string>} */
const FILES = {};

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const HOME = new URL('./', location.href);
// Other pages on this origin store their own releases. An open page holds a lock named like its cache.
const PREFIX = `tesserae-release ${HOME.pathname} `;
const CACHE = PREFIX + RELEASE;

// All files with the right checksums, or none: otherwise this release is never activated, and the
// previous one stays in use.
worker.addEventListener('install', (event) => {
  // no-cache revalidates, so files that the page has just fetched cost no second download.
  const requests = Object.entries(FILES).map(([path, integrity]) => new Request(path, { integrity, cache: 'no-cache', redirect: 'error' }));
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(requests))
      .catch((error) =>
        caches.delete(CACHE).then(() => {
          throw error;
        }),
      )
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim().then(sweep).then(tellPages));
});

// Pages of other releases keep theirs; the next load uses this one.
async function tellPages() {
  for (const page of await worker.clients.matchAll()) page.postMessage({ release: RELEASE });
}

/** Removes the releases that no open page uses, except one that is being installed, which no page uses yet. */
async function sweep() {
  const coming = () => worker.registration.installing || worker.registration.waiting;
  for (const name of await caches.keys()) {
    // The name of the cache before releases had ids.
    if (name.startsWith('tesserae-shell-')) await caches.delete(name);
    else if (name.startsWith(PREFIX) && name !== CACHE) {
      await navigator.locks.request(name, { ifAvailable: true }, (lock) => lock && !coming() && caches.delete(name));
    }
  }
}

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || !url.href.startsWith(HOME.href)) return;
  const path = url.pathname.slice(HOME.pathname.length);
  const versioned = /^r\/([^/]+)\//.exec(path);
  if (request.mode === 'navigate' && (path === '' || path === 'index.html')) {
    event.respondWith(own(request, './'));
    event.waitUntil(sweep());
  } else if (versioned && versioned[1] !== RELEASE) event.respondWith(other(request, PREFIX + versioned[1], path));
  else if (Object.hasOwn(FILES, path)) event.respondWith(own(request, path));
});

/** A file of this release, from the cache whatever the state of the network. @param {Request} request @param {string} path */
async function own(request, path) {
  const cache = await caches.open(CACHE);
  const key = new URL(path, HOME).href;
  const kept = await cache.match(key, { ignoreVary: true });
  if (kept) return kept;
  // The browser has evicted it: it is stored again if the server still has the same file.
  const again = await fetch(key, { integrity: FILES[path], cache: 'no-cache', redirect: 'error' }).catch(() => null);
  if (again?.ok) {
    await cache.put(key, again.clone()).catch(() => {});
    return again;
  }
  const fresh = await fetch(request);
  // The server answers but no longer has it: the rest of this release must not open another page.
  await cache.delete(HOME.href);
  return fresh;
}

/** A file of an earlier release that an open page still uses. @param {Request} request @param {string} name of its cache @param {string} path */
async function other(request, name, path) {
  const cache = (await caches.has(name)) ? await caches.open(name) : null;
  return (await cache?.match(new URL(path, HOME).href, { ignoreVary: true })) ?? fetch(request);
}
