// What the service worker stores: one complete release, for visits while the host is down, slow or newer.
import { chooseDevice, expect, reaches, rebuildSample } from './app.js';
import { NEXT, engineOf, releaseOf, test, visit } from './deployed.js';

/** @typedef {import('@playwright/test').Page} Page */

test.use({ serviceWorkers: 'allow' });

/** @param {Page} page */
async function keeps(page) {
  await visit(page);
  await expect(page.locator('html')).toHaveAttribute('data-offline', 'ready');
}

/** The releases that the browser has stored. @param {Page} page @returns {Promise<string[]>} */
const kept = (page) =>
  page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('tesserae-release ')).map((name) => name.split(' ')[2]));

test('the second visit works offline', async ({ page, host, baseURL }) => {
  await keeps(page);
  await host.close();
  await expect(fetch(String(baseURL))).rejects.toThrow();
  await page.reload();
  await reaches(page, 'ready');
  await rebuildSample(page, 'chelsea');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  // The digits to learn from as well.
  expect(await page.evaluate(() => fetch('samples/digits.png').then(({ ok }) => ok))).toBe(true);
});

test('a network that never answers does not keep a stored page from opening', async ({ page, host }) => {
  await keeps(page);
  host.hangs = () => true;
  await page.goto('about:blank');
  await page.goto('/#device=cpu', { timeout: 20_000 });
  await reaches(page, 'ready');
  await rebuildSample(page, 'chelsea');
});

test('a page that is open during a deploy keeps its release, and the next load is all new', async ({ page, host }) => {
  await keeps(page);
  const old = host.id;
  await rebuildSample(page, 'chelsea');
  host.deploy(NEXT);
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await expect(page.locator('#update')).toBeVisible();
  expect((await kept(page)).sort()).toEqual([old, host.id].sort());
  // The server has none of the old release, and the engine restarts.
  await chooseDevice(page, 'auto');
  await reaches(page, 'done');
  expect(await engineOf(page)).toBe(old);
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  await page.click('#update-reload');
  await expect.poll(() => releaseOf(page)).toBe(host.id);
  await reaches(page, 'ready');
  expect(await engineOf(page)).toBe(host.id);
  await rebuildSample(page, 'chelsea');
  // The old one is no longer in use.
  await page.reload();
  await expect.poll(() => kept(page)).toEqual([host.id]);
});

test('a release that is being installed is stored completely, although the page is opened again meanwhile', async ({ page, host }) => {
  await keeps(page);
  host.deploy(NEXT);
  /** @type {(value: null) => void} */ let arrive = () => {};
  const arrived = new Promise((resolve) => (arrive = resolve));
  const isLast = (/** @type {string} */ path) => path.includes(host.id) && path.endsWith('/ui/mosaic.js');
  host.waits = (path) => (isLast(path) ? arrived : null);
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update());
  await expect.poll(() => host.asked.some(isLast)).toBe(true);
  await page.reload();
  await reaches(page, 'ready');
  arrive(null);
  await expect(page.locator('#update')).toBeVisible();
  await host.close();
  await page.reload();
  await reaches(page, 'ready');
  expect(await releaseOf(page)).toBe(host.id);
});

test('an incomplete release is not stored, and the previous one stays in use', async ({ page, host }) => {
  await keeps(page);
  const old = host.id;
  host.deploy(NEXT);
  host.lacks = (path) => path.endsWith('/ui/mosaic.js');
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.update().catch(() => {}));
  await expect.poll(() => host.asked.some((path) => path.includes(host.id) && path.endsWith('/ui/mosaic.js'))).toBe(true);
  await expect.poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.installing)).toBeFalsy();
  expect(await kept(page)).toEqual([old]);
  await page.reload();
  await reaches(page, 'ready');
  expect(await releaseOf(page)).toBe(old);
  expect(await engineOf(page)).toBe(old);
  await rebuildSample(page, 'chelsea');
});

test('a file of another release under an address of this one is not stored', async ({ page, host }) => {
  host.changes = (path) => path.endsWith('/ui/mosaic.js');
  await visit(page);
  // Requested by the page, then by the service worker.
  await expect.poll(() => host.asked.filter((path) => path.endsWith('/ui/mosaic.js')).length).toBeGreaterThan(1);
  await expect
    .poll(() =>
      page.evaluate(async () => {
        const registration = await navigator.serviceWorker.getRegistration();
        return Boolean(registration?.active || registration?.installing || registration?.waiting);
      }),
    )
    .toBe(false);
  expect(await kept(page)).toEqual([]);
  await expect(page.locator('html')).not.toHaveAttribute('data-offline', 'ready');
});

test('a file that the browser has evicted is stored again, and a release that is gone everywhere opens no page', async ({ page, host }) => {
  await keeps(page);
  const lose = (/** @type {string} */ ending) =>
    page.evaluate(async (end) => {
      const [name] = (await caches.keys()).filter((each) => each.startsWith('tesserae-release '));
      const cache = await caches.open(name);
      for (const request of await cache.keys()) if (request.url.endsWith(end)) await cache.delete(request);
      return (await cache.keys()).length;
    }, ending);
  const left = await lose('/ui/mosaic.js');
  await page.reload();
  await reaches(page, 'ready');
  expect(await lose('no such file')).toBe(left + 1);

  // The new release cannot be stored, the server no longer has the old one, and the cache lacks a file of it.
  await lose('/engine/worker.js');
  host.deploy(NEXT);
  host.lacks = (path) => path.endsWith('/sw.js');
  await page.reload();
  await expect.poll(() => releaseOf(page)).toBe(host.id);
  await reaches(page, 'ready');
  expect(await engineOf(page)).toBe(host.id);
});
