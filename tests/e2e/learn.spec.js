// The mode of the room Compare in which each of the five ways is trained in front of the visitor.
import { chooseDevice, complains, expect, pixels, reaches, room, saved, test, value, violations, withTiny } from './app.js';
import { WAYS, chip } from './comparing.js';

/** @typedef {import('@playwright/test').Page} Page */

/** @param {Page} page @param {RegExp | string} state */
const learning = (page, state) => expect(page.locator('.learn-view')).toHaveAttribute('data-learn', state);
/** Waits for more steps. @param {Page} page @param {number} steps */
const stepped = (page, steps) => expect.poll(() => value(page, 'learn-step'), { intervals: [100] }).toBeGreaterThanOrEqual(steps);
/** A number over a curve. @param {Page} page @param {string} id */
const number = async (page, id) => Number(await page.locator(`.learn-curve[data-curve=${id}] .learn-value`).innerText());
/** How many points a curve has. @param {Page} page @param {string} id */
const points = async (page, id) => Number(await page.locator(`.learn-curve[data-curve=${id}] loss-curve`).getAttribute('data-count'));
/** @param {Page} page @param {string} way */
const choose = (page, way) => page.locator(`#learn-ways label:has(input[value=${way}])`).click();

/** The second picture of each class: drawn or rebuilt. @param {Page} page @returns {Promise<string[]>} */
async function pictures(page) {
  const all = [];
  for (let i = 1; i <= 10; i += 1) {
    const { width, height, rgba } = await pixels(page, `.learn-cell:nth-child(${i}) canvas:last-child`);
    expect([width, height]).toEqual([28, 28]);
    all.push(rgba.toString('base64'));
  }
  return all;
}

/** @param {Page} page @param {string} [more] of the link */
async function open(page, more = '') {
  await withTiny(page);
  await page.goto(`/#room=compare&device=cpu&mode=learn${more}`);
  await learning(page, 'idle');
}

/** The curves of each way. @type {Record<string, string[]>} */
const CURVES = {
  vae: ['reconstruction', 'divergence'],
  gan: ['generator', 'discriminator'],
  vqvae: ['mse', 'used', 'perplexity'],
  // The other two begin when the discriminator joins.
  vqgan: ['mse', 'used'],
  diffusion: ['denoising'],
};

test('all five learn: curves, and pictures that change', async ({ page }) => {
  /** @type {string[]} */ const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await open(page, '&seed=5');
  const sheets = () => asked.filter((url) => url.endsWith('digits.png')).length;
  expect(sheets()).toBe(0);
  await expect(page.locator('.learn-seen')).toBeHidden();
  for (const way of WAYS) {
    await choose(page, way);
    await learning(page, 'idle');
    await page.click('#learn-run');
    await learning(page, 'running');
    const first = await pictures(page);
    if (['vqvae', 'vqgan'].includes(way)) expect((await pixels(page, '.learn-cell canvas')).rgba.some((sample) => sample > 200)).toBe(true);
    await stepped(page, 4);
    for (const curve of CURVES[way]) await expect.poll(() => points(page, curve)).toBeGreaterThan(0);
    await expect.poll(() => pictures(page).then((now) => now.filter((picture, i) => picture !== first[i]).length)).toBeGreaterThan(5);
    expect(await value(page, 'learn-speed')).toBeGreaterThan(0);
    expect(page.url()).toContain(`mode=learn&way=${way}&seed=5`);
  }
  // The last one took the place of those before.
  await expect(page.locator('.learn-curve')).toHaveCount(1);
  await choose(page, 'gan');
  await learning(page, 'gone');
  await expect(page.locator('#learn-end')).toHaveText(/^It was stopped after \d+ steps?\.$/);
  await choose(page, 'diffusion');
  await learning(page, 'paused');
  expect(sheets()).toBe(1);
});

test('it pauses, goes on, starts over, and waits while another room is open', async ({ page }) => {
  await open(page, '&seed=2');
  await page.click('#learn-run');
  await stepped(page, 3);
  await expect(page.locator('#learn-run')).toHaveText('Pause');
  await page.click('#learn-run');
  await learning(page, 'paused');
  const done = await value(page, 'learn-step');
  const seen = await pictures(page);
  await page.waitForTimeout(500);
  expect(await value(page, 'learn-step')).toBe(done);
  await expect(page.locator('#learn-run')).toHaveText('Go on');
  await page.click('#learn-run');
  await stepped(page, done + 5);

  // The engine is free for other work meanwhile.
  await room(page, 'rebuild');
  await page.click('#samples button[data-sample=chelsea]');
  await reaches(page, 'done');
  await room(page, 'compare');
  await learning(page, 'paused');
  const later = await value(page, 'learn-step');
  await page.click('#learn-run');
  await stepped(page, later + 3);
  await expect.poll(() => pictures(page)).not.toEqual(seen);
  await chip(page, 'mode', 'walk');
  await chip(page, 'mode', 'learn');
  await learning(page, /paused|pausing/);

  await learning(page, 'paused');
  await page.click('#learn-over');
  await learning(page, 'running');
  expect(await value(page, 'learn-step')).toBeLessThan(later);
  await stepped(page, 1);
});

test('the switch makes it fail, and says how', async ({ page }) => {
  await open(page, '&seed=2&way=vae&fail=1');
  await expect(page.locator('#learn-fail')).toBeChecked();
  await expect(page.locator('#learn-why')).toContainText('posterior collapse');
  await page.click('#learn-run');
  // Enough for the divergence to have fallen.
  await stepped(page, 90);
  expect(await number(page, 'divergence')).toBeLessThan(0.5);
  await page.click('#learn-fail');
  await expect(page.locator('#learn-why')).toBeHidden();
  expect(page.url()).not.toContain('fail=');
  await learning(page, 'idle');
  await page.click('#learn-run');
  await stepped(page, 90);
  expect(await number(page, 'divergence')).toBeGreaterThan(2);
  // What failed is still to be seen.
  await page.click('#learn-fail');
  await learning(page, 'gone');
  expect(await number(page, 'divergence')).toBeLessThan(0.5);
  for (const way of ['gan', 'vqvae']) {
    await choose(page, way);
    await expect(page.locator('#learn-why')).toContainText('What to look for.');
  }
  await page.click('#learn-run');
  await stepped(page, 60);
  await expect.poll(() => number(page, 'used'), { timeout: 30_000 }).toBeLessThanOrEqual(4);
  for (const way of ['vqgan', 'diffusion']) {
    await choose(page, way);
    await expect(page.locator('#learn-fail')).toBeHidden();
  }
});

test('at the end the weights can be saved', async ({ page }) => {
  await page.route('**/learn-ways.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(/steps: \d{3,}/g, 'steps: 8') });
  });
  await open(page, '&seed=9');
  await page.click('#learn-run');
  await learning(page, 'ended');
  expect(await value(page, 'learn-step')).toBe(8);
  await expect(page.locator('#learn-end')).toContainText('legible');
  const { name, buffer } = await saved(page, '#learn-save');
  expect(name).toBe('digits-vae-9.safetensors');
  const length = Number(buffer.readBigUInt64LE());
  expect(buffer.subarray(8, 8 + length).toString()).toContain('"F16"');
  await choose(page, 'vqvae');
  await page.click('#learn-run');
  await learning(page, 'ended');
  await choose(page, 'vae');
  await expect(page.locator('#learn-save')).toBeHidden();
  await expect(page.locator('#learn-end')).toContainText('The engine no longer has this training, so its weights cannot be saved.');
  await expect(page.locator('#learn-run')).toHaveText('Start over');
});

test('without the digits there is a sentence, and a way on', async ({ page }) => {
  await page.route('**/samples/digits.png', (route) => route.fulfill({ status: 404, body: 'gone' }));
  await open(page);
  await page.click('#learn-run');
  await complains(page, 'download_failed', /^The handwritten digits to learn from could not be downloaded \(the server answered 404\)\./);
  await learning(page, 'gone');
  await expect(page.locator('#learn-end')).toHaveText('It did not start.');
  await page.unroute('**/samples/digits.png');
  // Where it is seen, wherever the visitor is by now.
  await room(page, 'rebuild');
  await page.click('#alert button:has-text("Start over")');
  await expect(page.locator('.learn-view')).toBeVisible();
  await stepped(page, 1);
});

test('a training that the engine has lost can start over, and a wrong seed only keeps it from that', async ({ page }) => {
  await open(page, '&seed=3');
  await page.click('#learn-run');
  await stepped(page, 2);
  await page.fill('#learn-seed', '');
  await page.click('#learn-run');
  await learning(page, 'paused');
  const done = await value(page, 'learn-step');
  await page.click('#learn-over');
  await learning(page, 'paused');
  await page.click('#learn-run');
  await stepped(page, done + 1);
  await page.fill('#learn-seed', '4');
  await chooseDevice(page, 'auto');
  await complains(page, 'tuning_gone', /^The engine was started anew, so this training is gone\. Start over, or choose another seed\.$/);
  await learning(page, 'gone');
  await page.click('#learn-run');
  await learning(page, 'running');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

test('320 pixels are wide enough, and axe finds nothing', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, '&way=vqvae&fail=1');
  await page.click('#learn-run');
  await stepped(page, 2);
  await page.click('#learn-run');
  await learning(page, 'paused');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  for (const target of await page.locator('.learn-view :is(button, .kind, .field-check label):visible').all()) {
    expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(40);
  }
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
});
