// The room where five ways to make a picture are compared, and where one walks between two pictures.
import { GENERATORS, complains, expect, modelIs, patchWorker, pixels, room, test, violations, withTiny } from './app.js';
import { LOOKS, WALKS, WAYS, chip, compared, comparing, digit, digits, looked, slow, stroke } from './comparing.js';
import { press, ready, tuning } from './panel.js';

const at = '#comparing-at';

test('the room opens with five digits; another seed gives others, and a link the same', async ({ page, context }) => {
  await withTiny(page);
  await page.goto('/#room=compare&device=cpu');
  await compared(page, 1);
  await expect(page.locator(at)).toHaveText('7 in 5 ways, seed 1.');
  for (const part of ['room=compare', 'class=7', 'seed=1', 'count=1']) expect(page.url()).toContain(part);
  const first = await digits(page);
  expect(new Set(first).size).toBe(WAYS.length);
  for (const way of WAYS) await expect(page.locator(`.way[data-way=${way}] dd`).last()).toHaveText(/^[\d.]+ m?s$/);

  await expect(page.locator('#comparing-run')).toHaveText('Again');
  await page.click('#comparing-run');
  await compared(page, 2);
  const second = await digits(page);
  second.forEach((text, i) => expect(text).not.toBe(first[i]));
  await chip(page, 'classes', '3');
  await expect(page.locator(at)).toHaveText('3 in 5 ways, seed 2.');
  await chip(page, 'count', '4');
  await expect(page.locator(at)).toHaveText('3 in 5 ways, seeds 2 to 5.');
  await expect(page.locator('.way canvas')).toHaveCount(4 * WAYS.length);
  const fours = await digits(page);

  // In another page, and what is wrong in a link is ignored.
  const other = await context.newPage();
  await withTiny(other);
  await other.goto(`${page.url()}&mode=fly&path=7`);
  await compared(other, 2);
  expect(await digits(other)).toEqual(fours);
  await other.close();
  // What has been loaded is not loaded again.
  /** @type {string[]} */ const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.evaluate(() => (location.hash = 'room=compare&device=cpu&class=7&seed=1&count=1'));
  await compared(page, 1);
  expect(await digits(page)).toEqual(first);
  expect(asked.filter((url) => url.endsWith('.safetensors'))).toEqual([]);
});

test('each forms in its own way, stop leaves what is there, and the newest choice counts', async ({ page }) => {
  await withTiny(page);
  await patchWorker(page, slow(120));
  await page.goto('/#room=compare&device=cpu');
  await expect(page.locator(at)).toHaveText(/^VQ-VAE and prior: step \d+ of 49$/);
  const tokens = '.way[data-way=vqvae] canvas';
  await expect.poll(() => page.locator(tokens).evaluate((c) => /** @type {HTMLCanvasElement} */ (c).width)).toBe(28);
  const { rgba } = await pixels(page, tokens);
  // What is not drawn yet is faded.
  expect(new Set([...rgba].filter((_, i) => i % 4 === 3))).toEqual(new Set([64, 255]));
  await room(page, 'rebuild');
  await expect(page.locator('#rooms a[data-room=compare] .room-work')).toHaveText(/^in progress \d+ %$/);
  await room(page, 'compare');
  await expect(page.locator(at)).toHaveText(/^Diffusion: step \d of 20$/);
  const noise = '.way[data-way=diffusion] canvas';
  await expect.poll(() => page.locator(noise).evaluate((c) => /** @type {HTMLCanvasElement} */ (c).width)).toBe(28);
  const early = await pixels(page, noise);
  await expect.poll(async () => (await pixels(page, noise)).rgba.equals(early.rgba)).toBe(false);

  await page.click('#comparing-stop');
  await comparing(page, 'idle');
  await expect(page.locator(at)).toHaveText('Stopped.');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  await expect(page.locator('.way[data-drawn=yes]')).toHaveCount(4);
  await digits(page, WAYS.slice(0, 4));
  await modelIs(page, 'tiny');
  for (const value of ['1', '2', '4']) await chip(page, 'classes', value);
  await expect(page.locator(at)).toHaveText('4 in 5 ways, seed 1.');
  await digits(page);
});

test('a model that is missing leaves the others, and is tried again', async ({ page }) => {
  await withTiny(page);
  const gan = GENERATORS.find(({ kind }) => kind === 'gan');
  await page.route(`**/models/${gan.file}`, (route) => route.fulfill({ status: 404, body: 'gone' }));
  await page.goto('/#room=compare&device=cpu');
  await compared(page, 1);
  await complains(page, 'download_failed', /404/);
  await expect(page.locator(at)).toHaveText('7 in 5 ways, seed 1. 1 could not be drawn.');
  await expect(page.locator('.way[data-way=gan] .way-at')).toContainText('404');
  const others = WAYS.filter((way) => way !== 'gan');
  const before = await digits(page, others);
  await page.unroute(`**/models/${gan.file}`);
  await page.click('#alert button:has-text("Try again")');
  await expect(page.locator('.way[data-drawn=yes]')).toHaveCount(WAYS.length);
  await comparing(page, 'done');
  await expect(page.locator(at)).toHaveText('7 in 5 ways, seed 1.');
  await digits(page, ['gan']);
  expect(await digits(page, others)).toEqual(before);
  await expect(page.locator('#progress')).toBeHidden();
});

test('the slider walks from one picture to another, on two paths', async ({ page }) => {
  await withTiny(page);
  await page.goto('/#room=compare&device=cpu&mode=walk&class=2&seed=5&to=6&path=straight');
  await compared(page, 5);
  await expect(page.locator(at)).toHaveText('2, from seed 5 to seed 6.');
  const large = (/** @type {string} */ id) => digit(page, `.walk-row[data-walk=${id}] .walk-large`);
  const stop = (/** @type {number} */ to) => page.locator('#comparing-stop-at').fill(String(to));
  const seen = async (/** @type {number} */ to) => (await stop(to), Promise.all(WALKS.map(large)));
  const [start, middle, end] = [await seen(0), await seen(4), await seen(8)];
  WALKS.forEach((_, i) => expect(new Set([start[i], middle[i], end[i]]).size).toBe(3));
  // Through latents, which know no path.
  const latents = [];
  for (const to of [0, 4, 8]) {
    await stop(to);
    latents.push(await large('vqvae'));
  }
  expect(new Set(latents).size).toBe(3);
  await page.locator('.walk-row[data-walk=gan] .forming canvas').first().click();
  await expect(page.locator('#comparing-stop-at')).toHaveValue('0');
  expect(await large('vae')).toBe(start[0]);

  // The other path has the same ends.
  await chip(page, 'path', 'spherical');
  await expect.poll(() => page.url()).toContain('path=spherical');
  await compared(page, 5);
  expect([await seen(0), await seen(8)]).toEqual([start, end]);
  (await seen(4)).forEach((text, i) => expect(text).not.toBe(middle[i]));
  expect(await large('vqvae')).toBe(latents[1]);

  // The next walk begins where this one ended.
  await page.click('#comparing-run');
  await compared(page, 6);
  expect(await seen(0)).toEqual(end);
  await page.fill('#comparing-to', '40');
  await expect(page.locator('#comparing-run')).toHaveText('Walk');
  await page.press('#comparing-to', 'Enter');
  await expect(page.locator(at)).toHaveText('2, from seed 6 to seed 40.');
  // Both modes keep what they show.
  await chip(page, 'mode', 'draw');
  await expect(page.locator(at)).toHaveText('2 in 5 ways, seed 6.');
  await chip(page, 'mode', 'walk');
  await comparing(page, 'done');
  expect(await seen(0)).toEqual(end);
});

test('a point on the map of two numbers is drawn, by mouse and by keys', async ({ page }) => {
  await withTiny(page);
  await page.goto('/#room=compare&device=cpu&mode=walk');
  await compared(page, 1);
  await expect(page.locator('.map')).toHaveAttribute('data-drawn', 'yes');
  const plane = await pixels(page, '#comparing-map canvas');
  expect([plane.width, plane.height]).toEqual([15 * 28, 15 * 28]);
  const large = async () => (await pixels(page, '.map .walk-large')).rgba.toString('base64');
  await expect.poll(() => page.locator('.map .walk-large').evaluate((c) => /** @type {HTMLCanvasElement} */ (c).width)).toBe(28);
  const middle = await large();
  const map = page.locator('#comparing-map');
  await map.scrollIntoViewIfNeeded();
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await map.boundingBox());
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + box.height * 0.2, { steps: 12 });
  await page.mouse.up();
  await expect(page.locator('.map-where')).toHaveText(/^2\.4, 1\.8$/);
  await expect.poll(large).not.toBe(middle);
  // In the middle of a cell of the map it is that cell's picture, nearly.
  await map.press('ArrowDown');
  await expect(page.locator('.map-where')).toHaveText(/^2\.4, 1\.6$/);
  const furthest = async () => {
    const { rgba } = await pixels(page, '.map .walk-large');
    const cell = (/** @type {number} */ i) => 4 * ((3 * 28 + Math.floor(i / 28)) * plane.width + 13 * 28 + (i % 28));
    return Math.max(...Array.from({ length: 28 * 28 }, (_, i) => Math.abs(rgba[4 * i] - plane.rgba[cell(i)])));
  };
  await expect.poll(furthest).toBeLessThanOrEqual(2);
  await map.press('ArrowLeft');
  await expect(page.locator('.map-where')).toHaveText(/^2\.2, 1\.6$/);
  // What moves while the room draws is drawn afterwards, also if that is stopped.
  const before = await large();
  await page.click('#comparing-run');
  await map.press('ArrowLeft');
  await page.click('#comparing-stop');
  await comparing(page, 'idle');
  await expect(page.locator('.map')).toHaveAttribute('data-drawn', 'yes');
  await expect.poll(large).not.toBe(before);
  const stopped = await large();
  await map.press('ArrowLeft');
  await expect.poll(large).not.toBe(stopped);
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

test('a tuning is only interrupted by the visitor', async ({ page }) => {
  await withTiny(page);
  await ready(page, { steps: 100_000 });
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await room(page, 'compare');
  await expect(page.locator(at)).toHaveText('A tuning is running. Drawing pauses it.');
  await comparing(page, 'idle');
  await tuning(page, 'running');
  for (const [mode, words] of [
    ['pad', 'A tuning is running. Drawing pauses it.'],
    ['learn', 'A tuning is running. Training pauses it.'],
  ]) {
    await chip(page, 'mode', mode);
    await expect(page.locator(`.${mode}-view`).getByText(words)).toBeVisible();
    await tuning(page, 'running');
  }
  await chip(page, 'mode', 'draw');
  await compared(page, 1);
  await tuning(page, 'paused');
  // What is drawn on the pad does not interrupt a tuning that has gone on since.
  await chip(page, 'mode', 'pad');
  await stroke(page, [0.5, 0.2], [0.5, 0.8]);
  await room(page, 'tune');
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await page.waitForTimeout(1500);
  await room(page, 'compare');
  await expect(page.locator('.pad-view').getByText('Drawing pauses it.')).toBeVisible();
  await tuning(page, 'running');
  await stroke(page, [0.3, 0.2], [0.7, 0.2]);
  await tuning(page, 'paused');
  await expect(page.locator('.pad-view').getByText('Drawing pauses it.')).toBeHidden();
  await looked(page);
});

test('the pad looks after a download was cancelled that it had to wait for', async ({ page }) => {
  await withTiny(page);
  const vae = GENERATORS.find(({ name }) => name === 'digits-vae');
  let held = true;
  await page.route(`**/models/${vae.file}`, (route) => (held ? undefined : route.fallback()));
  await page.goto('/#room=compare&device=cpu');
  await expect(page.locator('#cancel')).toBeVisible();
  await chip(page, 'mode', 'pad');
  held = false;
  await page.click('#cancel');
  await stroke(page, [0.5, 0.2], [0.5, 0.8]);
  await looked(page);
  await expect(page.locator('.look[data-drawn=yes]')).toHaveCount(LOOKS.length);
});

test('320 pixels are wide enough for both modes, and axe finds nothing', async ({ page }) => {
  await withTiny(page);
  await page.setViewportSize({ width: 320, height: 640 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/#room=compare&device=cpu&count=4');
  for (const mode of ['draw', 'walk']) {
    await chip(page, 'mode', mode);
    await comparing(page, 'done');
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    // Fingers need room.
    for (const target of await page.locator('#comparing :is(button, input[type=range], .kind):visible').all()) {
      const box = await target.boundingBox();
      expect(box?.height).toBeGreaterThanOrEqual(40);
    }
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page)).toEqual([]);
    }
  }
});
