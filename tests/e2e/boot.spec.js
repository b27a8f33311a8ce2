// A page whose modules do not start says so, and modules that the first picture does not need cannot stop it.
import { complains, expect, reaches, rebuildSample, test as watched, withTiny } from './app.js';
import { test as base } from '@playwright/test';
import { press, ready, tuning } from './panel.js';

/** @typedef {import('@playwright/test').Page} Page */

/** @param {Page} page @param {RegExp} sentence */
async function stops(page, sentence) {
  await expect(page.locator('#boot')).toContainText(sentence);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'error');
  await page.unroute('**/*.js');
  await page.click('#boot button');
  await reaches(page, 'ready');
  await expect(page.locator('#boot')).toBeHidden();
}

/** @param {Page} page @param {string} path @param {(route: import('@playwright/test').Route) => Promise<void>} answer */
const breaks = (page, path, answer) =>
  page.route('**/*.js', (route) => (new URL(route.request().url()).pathname.endsWith(path) ? answer(route) : route.continue()));

/** @type {[string, string, (route: import('@playwright/test').Route) => Promise<void>, RegExp][]} */
const BROKEN = [
  ['cannot be had', '/ui/samples.js', (route) => route.abort(), /could not be loaded/],
  ['is missing on the server', '/bar.js', (route) => route.fulfill({ status: 404, body: 'gone' }), /could not be loaded/],
  [
    'throws',
    '/ui/tokens.js',
    (route) => route.fulfill({ body: 'throw new RangeError("invalid language tag: C")', contentType: 'text/javascript' }),
    /could not start/,
  ],
  ['does not parse', '/ui/drop.js', (route) => route.fulfill({ body: 'class {', contentType: 'text/javascript' }), /could not start/],
  [
    'lacks what another imports',
    '/files.js',
    (route) => route.fulfill({ body: 'export {}', contentType: 'text/javascript' }),
    /could not start/,
  ],
  [
    'is the page itself and throws',
    '/main.js',
    (route) => route.fulfill({ body: 'null.page', contentType: 'text/javascript' }),
    /could not start/,
  ],
];

// Exceptions are the point here, so these pages are not watched for them.
for (const [what, path, answer, sentence] of BROKEN) {
  base(`a module that ${what} leaves a sentence and a way on`, async ({ page }) => {
    await breaks(page, path, answer);
    await page.goto('/#device=cpu');
    await stops(page, sentence);
  });
}

base('a page without any of its scripts says so, with a way on', async ({ page }) => {
  // As where a new release takes the place of the one that the page is of, before its scripts are fetched.
  await page.route('**/*.js', (route) => route.fulfill({ status: 404, body: 'gone' }));
  await page.goto('/');
  await expect(page.locator('#unstarted')).toBeVisible();
  await page.unroute('**/*.js');
  await page.click('#unstarted a');
  await expect(page.locator('html')).toHaveAttribute('data-boot', '');
  await expect(page.locator('#unstarted')).toBeHidden();
});

base('a start that fails after the modules came up says so too', async ({ page }) => {
  await breaks(page, '/main.js', async (route) => {
    const source = await (await route.fetch()).text();
    await route.fulfill({
      body: source.replace(/^start\(\);$/m, 'Promise.reject(new Error("not today"));'),
      contentType: 'text/javascript',
    });
  });
  await page.goto('/#device=cpu');
  await stops(page, /could not start/);
});

watched('modules that do not arrive are waited for with a sentence, which goes when they do', async ({ page }) => {
  await page.clock.install();
  /** @type {() => void} */ let arrive = () => {};
  const arrived = new Promise((resolve) => (arrive = () => resolve(null)));
  await breaks(page, '/engine/client.js', async (route) => {
    await arrived;
    await route.continue();
  });
  await page.goto('/#device=cpu', { waitUntil: 'commit' });
  await expect(page.locator('#boot')).toBeAttached();
  await expect(page.locator('#boot')).toBeHidden();
  await page.clock.runFor(21_000);
  await expect(page.locator('#boot')).toContainText('slow to load');
  arrive();
  await page.clock.resume();
  await reaches(page, 'ready');
  await expect(page.locator('#boot')).toBeHidden();
});

watched('a page that comes up shows nothing of it, nor when a download fails', async ({ page }) => {
  await page.route('**/*.safetensors', (route) => route.fulfill({ status: 404, body: 'gone' }));
  await page.goto('/#device=cpu');
  await complains(page, 'download_failed', /404/);
  await expect(page.locator('#boot')).toBeHidden();
});

watched('without the library of its curve the page rebuilds pictures and tunes', async ({ page }) => {
  await withTiny(page);
  await breaks(page, '/vendor/uPlot.esm.js', (route) =>
    route.fulfill({ body: 'throw new RangeError("invalid language tag: C")', contentType: 'text/javascript' }),
  );
  await ready(page, { steps: 2 });
  await rebuildSample(page, 'chelsea');
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  await expect(page.locator('#tune-curve')).toContainText('cannot be drawn');
  await expect(page.locator('#tune-loss')).toHaveAttribute('data-value', /\d/);
});
