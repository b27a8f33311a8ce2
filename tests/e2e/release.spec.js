// Releases are never mixed: what an open page does when its host has another one.
import { chooseDevice, complains, expect, reaches, rebuildSample } from './app.js';
import { Host } from './host.js';
import { NEXT, engineOf, releaseOf, test, visit } from './deployed.js';

for (const fallback of [false, true]) {
  test(`a deploy under an open page: at the next start of the engine it says so, and asks before it reloads${fallback ? ', also where every address has an answer' : ''}`, async ({
    page,
    host,
  }) => {
    host.fallback = fallback;
    await visit(page);
    await rebuildSample(page, 'chelsea');
    const old = host.id;
    host.deploy(NEXT);
    expect(host.id).not.toBe(old);
    await chooseDevice(page, 'auto');
    await complains(page, 'release_changed', /newer version/);
    await page.click('#alert button:has-text("Reload")');
    await expect.poll(() => releaseOf(page)).toBe(host.id);
    await reaches(page, 'ready');
    await rebuildSample(page, 'chelsea');
  });
}

test('a deploy under a page with nothing to lose: it reloads by itself', async ({ page, host }) => {
  await visit(page);
  host.deploy(NEXT);
  await chooseDevice(page, 'auto');
  await expect.poll(() => releaseOf(page)).toBe(host.id);
  await reaches(page, 'ready');
});

test('a worker of another release is not used', async ({ page, host }) => {
  await visit(page);
  await rebuildSample(page, 'chelsea');
  // A host that answers old addresses with new files.
  await page.route('**/engine/release.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(host.id, '0123456789abcdef') });
  });
  await chooseDevice(page, 'auto');
  await complains(page, 'release_changed', /different releases/);
  expect(page.workers()).toHaveLength(0);
});

test('a page that is served with a worker of another release reloads once, then says so', async ({ page, host }) => {
  await page.addInitScript(() => sessionStorage.setItem('loads', String(Number(sessionStorage.getItem('loads')) + 1)));
  await page.route('**/engine/worker.js', (route) =>
    route.fulfill({
      contentType: 'text/javascript',
      body: "self.postMessage({ tell: 'hello', release: 'another' });",
    }),
  );
  await page.goto('/#device=cpu');
  await complains(page, 'release_changed', /different releases/);
  expect(await page.evaluate(() => sessionStorage.getItem('loads'))).toBe('2');
  expect(await releaseOf(page)).toBe(host.id);
});

test('a host that lets browsers cache everything for an hour never mixes two releases', async ({ page, host }) => {
  host.maxAge = 3600;
  await visit(page);
  const old = host.id;
  host.deploy(NEXT);
  // As by a link: the browser uses its cache and requests the rest.
  await page.goto('about:blank');
  await visit(page);
  expect([old, host.id]).toContain(await releaseOf(page));
  expect(await engineOf(page)).toBe(await releaseOf(page));
  await rebuildSample(page, 'chelsea');
  // The page itself is requested, and everything else may come from the cache.
  await page.reload();
  await reaches(page, 'ready');
  expect(await releaseOf(page)).toBe(host.id);
  expect(await engineOf(page)).toBe(host.id);
  await rebuildSample(page, 'coffee');
});

test('the source tree can be served as it is, and has no release', async ({ browser }) => {
  const host = new Host({ plain: true });
  const page = await browser.newPage({ serviceWorkers: 'allow', baseURL: await host.open() });
  await visit(page);
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  await rebuildSample(page, 'chelsea');
  await chooseDevice(page, 'auto');
  await reaches(page, 'done');
  await page.close();
  await host.close();
});
