// The second visit works offline: the shell and the engine are kept at the first, fetched fresh
// whenever the network answers, and served from the cache when it does not. Weights are not kept
// here: the store keeps them, with their checksums.
const CACHE = 'tesserae-shell-1';
const HOME = new URL('./', location.href).href;
const SHELL = [
  './', 'style.css', 'boot.js', 'main.js', 'bar.js', 'choices.js', 'files.js', 'models.js', 'result.js', 'settings.js', 'stages.js', 'tune.js', 'manifest.webmanifest', 'models/index.json',
  'engine/protocol.js', 'engine/client.js', 'engine/worker.js', 'engine/store.js', 'engine/kept.js', 'engine/tuned.js',
  'ui/elements.css', 'ui/alert.js', 'ui/camera.js', 'ui/compare.js', 'ui/curve.js', 'ui/device.js', 'ui/drop.js', 'ui/mosaic.js', 'ui/numbers.js',
  'ui/pictures.js', 'ui/progress.js', 'ui/samples.js', 'ui/stages.js', 'ui/tokens.js', 'ui/tuning.js',
  'vendor/uPlot.esm.js', 'vendor/uPlot.min.css', 'vendor/uPlot.LICENSE',
  'art/icon.svg', 'art/frame.svg', 'art/strip.svg', 'art/photo.jpg', 'art/tokens.png', 'art/rebuilt.webp',
  'samples/astronaut.png', 'samples/chelsea.png', 'samples/coffee.png', 'samples/rocket.jpg', 'samples/LICENCES.md',
  'pkg/tesserae.js', 'pkg/tesserae_bg.wasm',
];

self.addEventListener('install', (event) => {
  // no-cache revalidates, so files that the page has just fetched cost no second download.
  const requests = SHELL.map((path) => new Request(path, { cache: 'no-cache' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const old = (name) => name.startsWith('tesserae-shell-') && name !== CACHE;
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || url.pathname.endsWith('.safetensors')) return;
  event.respondWith(answer(event, request));
});

async function answer(event, request) {
  const cache = await caches.open(CACHE);
  const key = isHome(request) ? HOME : request;
  try {
    const fresh = await fetch(request);
    if (fresh.status === 200 && fresh.type === 'basic' && !fresh.redirected) {
      event.waitUntil(cache.put(key, fresh.clone()).catch(() => {}));
    }
    return fresh;
  } catch (error) {
    const kept = await cache.match(key, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

// Settings in the query never make another page.
function isHome(request) {
  const { pathname } = new URL(request.url);
  const home = new URL(HOME).pathname;
  return request.mode === 'navigate' && (pathname === home || pathname === `${home}index.html`);
}
