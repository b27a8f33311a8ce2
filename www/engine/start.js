// @ts-check
// The two scripts that this page starts by their addresses: the engine's worker and the service
// worker. With Trusted Types the browser takes no other string for the address of a script.

const SERVICE_WORKER = new URL('sw.js', document.baseURI).href;
const ENGINE = new URL('worker.js', import.meta.url).href;
// A worker obeys the policy that its own script was sent with, which is none where the host sends no
// headers. One that starts from a blob obeys the page's, whatever the host does; the policy allows blobs
// as workers for this alone, and such a worker may do no more than the page may.
// Firefox asks the service worker for what such a worker imports while it runs, not for what it begins
// with; messages that come before the engine does wait for it.
const BOOT = URL.createObjectURL(new Blob([`
  const early = [];
  const wait = (event) => early.push(event.data);
  addEventListener('message', wait);
  import(${JSON.stringify(ENGINE)}).then(
    () => {
      removeEventListener('message', wait);
      for (const data of early) dispatchEvent(new MessageEvent('message', { data }));
    },
    (error) => setTimeout(() => { throw error; }),
  );
`], { type: 'text/javascript' }));

const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('tesserae', {
  createScriptURL(/** @type {string} */ url) {
    if (url !== SERVICE_WORKER && url !== BOOT) throw new TypeError(`${url} is no script of this page.`);
    return url;
  },
});
/** @param {string} url @returns {string} in the browser's eyes a TrustedScriptURL, where it has them */
const script = (url) => policy?.createScriptURL(url) ?? url;

/** @returns {Worker} */
export const startEngine = () => new Worker(script(BOOT), { type: 'module', name: 'tesserae' });

/** @returns {Promise<ServiceWorkerRegistration>} */
export const registerServiceWorker = () => navigator.serviceWorker.register(script(SERVICE_WORKER), { updateViaCache: 'none' });
