// The page on a host of the test's own, and helpers for the tests of releases.
import { expect, reaches, test as base, watch } from './app.js';
import { Host } from './host.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {import('@playwright/test').PlaywrightTestArgs & import('@playwright/test').PlaywrightTestOptions} Args */
/** @typedef {import('@playwright/test').PlaywrightWorkerArgs & import('@playwright/test').PlaywrightWorkerOptions} WorkerArgs */

/** A change that a visitor would not see, in a file of code. */
export const NEXT = { 'engine/worker.js': (/** @type {string} */ text) => `${text}\n// Another release.\n` };

export const test = base.extend(
  /** @type {import('@playwright/test').Fixtures<{host: Host}, {}, Args, WorkerArgs>} */ ({
    host: async ({}, use) => {
      const host = new Host();
      await use(host);
      await host.close();
    },
    baseURL: async ({ host }, use) => use(await host.open()),
    page: async ({ page, baseURL }, use) => {
      const wrong = watch(page, new URL(String(baseURL)).origin);
      await page.addInitScript(() => {
        globalThis.Worker = class extends Worker {
          /** @param {string | URL} script @param {WorkerOptions} [options] */
          constructor(script, options) {
            super(script, options);
            this.addEventListener('message', ({ data }) => {
              if (data.tell === 'hello') /** @type {any} */ (globalThis).engineRelease = data.release;
            });
          }
        };
      });
      await use(page);
      expect(wrong).toEqual([]);
    },
  }),
);

/** The release of the page's own code. @param {Page} page @returns {Promise<string>} */
export const releaseOf = async (page) =>
  String((await page.locator('script[type=module][src*="main.js"]').getAttribute('src'))?.split('/')[1]);

/** The release that the engine last reported. @param {Page} page @returns {Promise<string>} */
export const engineOf = (page) => page.evaluate(() => /** @type {any} */ (globalThis).engineRelease);

/** @param {Page} page */
export async function visit(page) {
  await page.goto('/#device=cpu');
  await reaches(page, 'ready');
}
