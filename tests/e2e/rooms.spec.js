// The rooms: the address says which one is open, each is loaded when it is first opened, and work in one
// continues while another is open.
import {
  SHIPPED,
  TINY,
  chooseModel,
  complains,
  drop,
  dropOn,
  expect,
  modelIs,
  open,
  reaches,
  rebuildSample,
  room,
  saved,
  smallPhoto,
  test,
  value,
  violations,
  withTiny,
} from './app.js';
import { fill, more, press, ready, tuning } from './panel.js';

/** @typedef {import('@playwright/test').Page} Page */

test.beforeEach(({ page }) => withTiny(page));

/** @param {Page} page @param {'rebuild' | 'edit' | 'sample' | 'compare' | 'tune'} id */
async function shows(page, id) {
  await expect(page.locator(`.room[data-room=${id}]`)).toBeVisible();
  await expect(page.locator('.room:visible')).toHaveCount(1);
  await expect(page.locator('#rooms [aria-current=page]')).toHaveAttribute('data-room', id);
}

/** @param {Page} page @param {string} id */
const work = (page, id) => page.locator(`#rooms a[data-room=${id}] .room-work`);

test('a room is loaded when it is first opened, once, and its link names it', async ({ page }) => {
  /** @type {string[]} */ const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname.replace(/^\/r\/[^/]+\//, '')));
  const of = (/** @type {string} */ id) => asked.filter((path) => path.startsWith(`rooms/${id}/`) && !path.endsWith('.svg')).sort();
  await open(page);
  await shows(page, 'rebuild');
  expect(of('tune')).toEqual([]);
  await expect(page).toHaveTitle('Rebuild · Tesserae');
  await room(page, 'tune');
  await shows(page, 'tune');
  await expect(page).toHaveTitle('Fine-tune · Tesserae');
  expect(page.url()).toContain('room=tune');
  expect(page.url()).toContain('device=cpu');
  const once = of('tune');
  expect(once).toEqual(expect.arrayContaining(['rooms/tune/room.js', 'rooms/tune/style.css']));
  await room(page, 'rebuild');
  expect(page.url()).not.toContain('room=');
  await room(page, 'tune');
  expect(of('tune')).toEqual(once);
  expect(new Set(once).size).toBe(once.length);
});

test('back and forward go from room to room, and keep what was chosen meanwhile', async ({ page }) => {
  await open(page);
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await room(page, 'tune');
  await more(page);
  await fill(page, '#tune-steps', '7');
  await chooseModel(page, SHIPPED[2].name);
  await modelIs(page, SHIPPED[2].name);
  await reaches(page, 'done');
  await page.goBack();
  await shows(page, 'rebuild');
  await modelIs(page, SHIPPED[2].name);
  expect(page.url()).toContain(`model=${SHIPPED[2].name}`);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await page.selectOption('#size', '512');
  await reaches(page, 'done');
  await page.goForward();
  await shows(page, 'tune');
  await expect(page.locator('#tune-steps')).toHaveValue('7');
  expect(page.url()).toContain('size=512');
  await reaches(page, 'done');
});

test('a link opens its room, with its settings, and an unknown room opens the first', async ({ page }) => {
  await open(page, 'room=tune&device=cpu&size=512');
  await shows(page, 'tune');
  await expect(page.locator('#rebuild')).toHaveCount(0);
  await page.evaluate(() => (location.hash = 'room=rebuild&device=cpu&size=1024'));
  await shows(page, 'rebuild');
  await expect(page.locator('#size')).toHaveValue('1024');
  await page.goto('about:blank');
  await open(page, 'room=cellar&device=cpu');
  await shows(page, 'rebuild');
  expect(await page.locator('#rooms a[data-room=tune]').evaluate((link) => /** @type {HTMLAnchorElement} */ (link).hash)).toContain(
    'room=tune',
  );
});

test('a tuning continues while another room is open, and its link shows the progress', async ({ page }) => {
  await ready(page, { steps: 100_000 });
  await expect(work(page, 'tune')).toBeHidden();
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(2);
  await room(page, 'rebuild');
  await expect(work(page, 'tune')).toBeVisible();
  await expect(work(page, 'tune')).toHaveText(/^in progress \d+ %$/);
  const at = await value(page, 'tune-at');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(at + 5);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await room(page, 'tune');
  await tuning(page, 'running');
  await press(page, '#tune-stop');
  await tuning(page, 'ended');
  await room(page, 'rebuild');
  await expect(work(page, 'tune')).toBeHidden();
});

test('a picture that is rebuilt while another room is open is there afterwards', async ({ page }) => {
  await open(page, `device=cpu&model=${SHIPPED[0].name}`);
  await page.click('#samples button[data-sample=chelsea]');
  await reaches(page, 'working');
  await room(page, 'tune');
  await expect(work(page, 'rebuild')).toBeVisible();
  await reaches(page, 'done');
  await expect(work(page, 'rebuild')).toBeHidden();
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(1);
  await room(page, 'rebuild');
  await expect(page.locator('#save-picture')).toBeEnabled();
});

test('pictures dropped in the room are tuned on, even without a rebuilt one; tokens go to the room that decodes them', async ({ page }) => {
  await open(page);
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  const tokens = await saved(page, '#save-tokens');
  await page.goto('about:blank');
  await open(page, 'room=tune&device=cpu');
  await expect(page.locator('#tune-run')).toBeDisabled();
  const { buffer, mimeType } = await smallPhoto(page);
  await dropOn(page, 'main', { name: 'one.png', mimeType, buffer }, { name: 'two.png', mimeType, buffer });
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);
  await more(page);
  await fill(page, '#tune-steps', '2');
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(2);
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await dropOn(page, 'main', tokens);
  await shows(page, 'rebuild');
  await reaches(page, 'done');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
});

test('weights dropped in any room become the model in use', async ({ page }) => {
  await open(page, 'room=tune&device=cpu');
  await page.setInputFiles('#model-file', TINY);
  await modelIs(page, 'tiny.safetensors');
  await reaches(page, 'ready');
  await shows(page, 'tune');
  await page.click('#model');
  await expect(page.locator('#models [data-own] .card-name')).toHaveText(['tiny.safetensors']);
  await expect(page.locator('#models [aria-pressed=true] .card-name')).toHaveText(['tiny.safetensors']);
});

test('a room that fails to load says so, the others still work, and it is loaded again', async ({ page }) => {
  await page.route('**/rooms/tune/style.css', (route) => route.abort());
  await open(page);
  await page.click('#rooms a[data-room=tune]');
  await complains(page, 'download_failed', /^This room could not be loaded\./);
  await page.click('#rooms a[data-room=rebuild]');
  await shows(page, 'rebuild');
  await rebuildSample(page, 'coffee');
  await page.click('#rooms a[data-room=tune]');
  await complains(page, 'download_failed', /^This room could not be loaded\./);
  await page.unroute('**/rooms/tune/style.css');
  await page.click('#rooms a[data-room=tune]');
  await shows(page, 'tune');
});

test('the skip link leads into the room, and leaves the address alone', async ({ page }) => {
  await open(page, 'room=tune&device=cpu');
  const url = page.url();
  await page.keyboard.press('Tab');
  await expect(page.locator('#skip')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  expect(page.url()).toBe(url);
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('[data-room]')?.id)).toBe('tune');
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`every room fits a narrow page, and axe finds nothing, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page);
    for (const id of /** @type {const} */ (['edit', 'sample', 'compare', 'tune', 'rebuild'])) {
      await room(page, id);
      if (id === 'sample') await expect(page.locator('#sampling')).toHaveAttribute('data-sampling', 'done');
      if (id === 'compare') await expect(page.locator('#comparing')).toHaveAttribute('data-comparing', 'done');
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      expect(await violations(page)).toEqual([]);
    }
  });
}
