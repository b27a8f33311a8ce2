// @ts-check
// The scripts that are started by address: the engine's worker and the service worker by the page, the
// decoder's worker by the engine. With Trusted Types the browser accepts no other string as the address
// of a script.

const SERVICE_WORKER = 'document' in globalThis ? new URL('sw.js', document.baseURI).href : null;
/** @type {Map<string, string>} by a worker's script, the address that starts it */ const boots = new Map();

/**
 * A worker obeys the policy that its own script was sent with, which is none where the host sends no
 * headers. A worker started from a blob obeys its creator's policy, whatever the host does; the policy
 * allows blob workers only for this, and such a worker may do no more than the page.
 * Firefox routes such a worker's dynamic imports through the service worker, but not its static ones;
 * messages that arrive before the script has loaded wait for it.
 * @param {string} file next to this one
 */
function boot(file) {
  const script = new URL(file, import.meta.url).href;
  const url =
    boots.get(script) ??
    URL.createObjectURL(
      new Blob(
        [
          `
    const early = [];
    const wait = (event) => early.push(event.data);
    addEventListener('message', wait);
    import(${JSON.stringify(script)}).then(
      () => {
        removeEventListener('message', wait);
        for (const data of early) dispatchEvent(new MessageEvent('message', { data }));
      },
      (error) => setTimeout(() => { throw error; }),
    );
  `,
        ],
        { type: 'text/javascript' },
      ),
    );
  boots.set(script, url);
  return url;
}

const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy('tesserae', {
  createScriptURL(/** @type {string} */ url) {
    if (url !== SERVICE_WORKER && ![...boots.values()].includes(url)) throw new TypeError(`${url} is not a script of this page.`);
    return url;
  },
});
/** @param {string} url @returns {string} a TrustedScriptURL where the browser has them */
const script = (url) => policy?.createScriptURL(url) ?? url;

/** @returns {Worker} */
export const startEngine = () => new Worker(script(boot('worker.js')), { type: 'module', name: 'tesserae' });

/** @returns {Worker} */
export const startDecoder = () => new Worker(script(boot('decoder.js')), { type: 'module', name: 'tesserae-decoder' });

/** @returns {Promise<ServiceWorkerRegistration>} */
export const registerServiceWorker = () => navigator.serviceWorker.register(script(SERVICE_WORKER ?? ''), { updateViaCache: 'none' });
