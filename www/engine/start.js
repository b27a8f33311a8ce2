// @ts-check
// The scripts that are started by their addresses: the engine's worker and the service worker by the
// page, the decoder's worker by the engine. With Trusted Types the browser takes no other string for the
// address of a script.

const SERVICE_WORKER = 'document' in globalThis ? new URL('sw.js', document.baseURI).href : null;
/** @type {Map<string, string>} of a worker's script, the address that starts it */ const boots = new Map();

/**
 * A worker obeys the policy that its own script was sent with, which is none where the host sends no
 * headers. One that starts from a blob obeys its starter's, whatever the host does; the policy allows
 * blobs as workers for this alone, and such a worker may do no more than the page may.
 * Firefox asks the service worker for what such a worker imports while it runs, not for what it begins
 * with; messages that come before the script does wait for it.
 * @param {string} file beside this one
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
/** @param {string} url @returns {string} in the browser's eyes a TrustedScriptURL, where it has them */
const script = (url) => policy?.createScriptURL(url) ?? url;

/** @returns {Worker} */
export const startEngine = () => new Worker(script(boot('worker.js')), { type: 'module', name: 'tesserae' });

/** @returns {Worker} */
export const startDecoder = () => new Worker(script(boot('decoder.js')), { type: 'module', name: 'tesserae-decoder' });

/** @returns {Promise<ServiceWorkerRegistration>} */
export const registerServiceWorker = () => navigator.serviceWorker.register(script(SERVICE_WORKER ?? ''), { updateViaCache: 'none' });
