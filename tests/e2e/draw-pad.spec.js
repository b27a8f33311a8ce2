// The pad of the room Compare: what each model makes of a drawing, and the table of what was measured.
import { GENERATORS, PRIORS, SHIPPED, expect, patchWorker, pixels, test, violations, withTiny } from './app.js';
import { LOOKS, chip, compared, comparing, digit, looked, slow, stroke } from './comparing.js';

/** @typedef {import('@playwright/test').Page} Page */

const EMPTY = 'Nothing is drawn yet. Draw a digit on the pad, and see what each model makes of it.';
const PAD = '#comparing-pad canvas';
/** A one. @type {[x: number, y: number][]} */
const ONE = [
  [0.52, 0.2],
  [0.48, 0.8],
];
/** A seven. @type {[x: number, y: number][]} */
const SEVEN = [
  [0.3, 0.25],
  [0.7, 0.25],
  [0.45, 0.8],
];

/** @param {Page} page @param {string} [settings] */
async function openPad(page, settings = '') {
  await withTiny(page);
  await page.goto(`/#room=compare&device=cpu&mode=pad${settings}`);
  await looked(page, 'empty');
}

/** @param {Page} page */
const ink = async (page) => [...(await pixels(page, PAD)).rgba].filter((_, i) => i % 4 === 0);
/** @param {Page} page @param {string} id */
const picture = (page, id) => digit(page, `.look[data-look=${id}] .look-picture`);
/** @param {Page} page */
const bars = (page) => page.locator('.look[data-look=vae] .look-bars span');
/** @param {Page} page */
const codes = (page) => page.locator('.look-codes li');

test('each model looks at what is drawn with the mouse', async ({ page }) => {
  await openPad(page, '&class=1');
  await expect(page.locator('#comparing-empty')).toHaveText(EMPTY);
  await expect(page.locator('.look[data-drawn=yes]')).toHaveCount(0);
  await stroke(page, ...ONE);
  await looked(page);
  await expect(page.locator('#comparing-empty')).toBeHidden();
  await expect(page.locator('.look[data-drawn=yes]')).toHaveCount(LOOKS.length);
  // A smooth edge as a handwritten digit has.
  const drawn = await ink(page);
  expect(Math.max(...drawn)).toBe(255);
  expect(drawn.filter((value) => value > 20 && value < 235).length).toBeGreaterThan(10);

  const vae = await picture(page, 'vae');
  await expect(bars(page)).toHaveCount(16);
  await expect(page.locator('.look[data-look=gan] .look-bars span')).toHaveCount(32);
  const first = await page.locator('.look[data-look=vae] .look-bars').getAttribute('aria-label');
  for (const id of ['vqvae', 'gan']) await picture(page, id);
  expect(await pixels(page, '.look-code')).toMatchObject({ width: 4, height: 4 });
  await expect(codes(page)).toHaveCount(8);
  const distances = (await codes(page).locator('.look-number').allTextContents()).map(Number);
  expect(distances).toEqual([...distances].sort((a, b) => a - b));
  // The pen was there last.
  await expect(page.locator('.look-of')).toHaveText(/row 6, column 4/);
  const board = page.locator('#comparing-tokens');
  await board.press('ArrowUp');
  await board.press('ArrowLeft');
  await expect(page.locator('.look-of')).toHaveText(/row 5, column 3/);
  const box = /** @type {{x: number, y: number}} */ (await board.boundingBox());
  await page.mouse.move(box.x + 3, box.y + 3);
  await expect(page.locator('.look-of')).toHaveText(/row 1, column 1/);

  const fours = '.look[data-look=diffusion] .forming canvas';
  await expect(page.locator(fours)).toHaveCount(4);
  const before = await digit(page, fours);
  await page.click('#comparing-again');
  await looked(page, 'working');
  await looked(page);
  const other = await digit(page, fours);
  expect(other).not.toBe(before);
  await page.locator('#comparing-strength').fill('0');
  await looked(page);
  // Without noise it is the drawing itself.
  const { rgba } = await pixels(page, fours);
  drawn.forEach((value, i) => expect(Math.abs(rgba[4 * i] - value)).toBeLessThan(40));
  expect(await picture(page, 'vae')).toBe(vae);

  // Meant to be something else.
  await chip(page, 'classes', '7');
  await looked(page, 'working');
  await looked(page);
  expect(await page.locator('.look[data-look=vae] .look-bars').getAttribute('aria-label')).not.toBe(first);
  expect(page.url()).toMatch(/mode=pad&class=7$/);
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

test('the keyboard paints and erases, and clear empties the pad', async ({ page }) => {
  await openPad(page);
  const pad = page.locator('#comparing-pad');
  await pad.focus();
  for (let i = 0; i < 6; i += 1) await pad.press('ArrowUp');
  await page.keyboard.down(' ');
  for (let i = 0; i < 12; i += 1) await page.keyboard.press('ArrowDown');
  await page.keyboard.up(' ');
  await pad.press('ArrowRight');
  const line = await ink(page);
  const rows = new Set(line.flatMap((value, i) => (value > 200 ? [Math.floor(i / 28)] : [])));
  expect(rows.size).toBeGreaterThanOrEqual(12);
  await looked(page);
  await picture(page, 'vae');
  await pad.press('Delete');
  expect((await ink(page)).filter((value) => value > 200).length).toBeLessThan(line.filter((value) => value > 200).length);
  await page.click('#comparing-clear');
  await looked(page, 'empty');
  expect(Math.max(...(await ink(page)))).toBe(0);
  await expect(page.locator('#comparing-empty')).toHaveText(EMPTY);
  await pad.press('ArrowRight');
  await expect(page.locator('.pad-board output')).toHaveText(/^Row \d+, column \d+$/);
  await expect(codes(page)).toHaveCount(0);
  await expect(bars(page)).toHaveCount(0);
  await expect(page.locator('.look[data-drawn=yes]')).toHaveCount(0);
});

test('the newest drawing counts, a model that is missing leaves the others, and the other modes go on', async ({ page }) => {
  const gan = GENERATORS.find(({ kind }) => kind === 'gan');
  await page.route(`**/models/${gan.file}`, (route) => route.fulfill({ status: 404, body: 'gone' }));
  await patchWorker(page, slow(300));
  await openPad(page);
  await stroke(page, ...ONE);
  const at = page.locator('.look[data-look=diffusion] .way-at');
  await expect(at).toHaveText(/^Step \d+ of \d+$/);
  await expect(page.locator('.look[data-look=gan] .way-at')).toContainText('404');
  await stroke(page, ...SEVEN);
  await expect(at).toHaveText('Waits until the pen rests.');
  await expect(at).toHaveText(/^Step [12] of \d+$/);
  // Another mode takes the engine, and gives it back.
  await chip(page, 'mode', 'draw');
  await expect(page.locator('#comparing-at')).toHaveText(/^VAE|^GAN|^VQ-VAE/);
  await chip(page, 'mode', 'pad');
  await looked(page);
  await expect(page.locator('.look[data-drawn=yes]')).toHaveCount(LOOKS.length - 1);
  await expect(page.locator('.look[data-look=gan] .way-at')).toContainText('404');
  await comparing(page, 'idle');
});

test('the table has a row for each way that was measured', async ({ page }) => {
  const numbers = { class_right: 0.987, frechet: 12.34, precision: 0.812, recall: 0.7, nearest: 5.43 };
  const floor = { class_right_held_out: 0.995, frechet_held_out: 3.2, nearest_held_out: 5.8 };
  const vae = GENERATORS.find(({ kind }) => kind === 'vae');
  const maskgit = PRIORS.find(({ name }) => name === 'digits-maskgit');
  const all = [...PRIORS, ...GENERATORS].map((entry) => {
    const quality = { ...entry.quality };
    for (const name of Object.keys({ ...numbers, ...floor })) delete quality[name];
    if (entry === vae || entry === maskgit) Object.assign(quality, numbers, floor);
    return { ...entry, quality, ...(entry === maskgit && { sampling: { steps: 5, guidance: 1.5, temperature: 1 } }) };
  });
  const digits = SHIPPED.filter(({ name }) => name.startsWith('digits'));
  await page.route('**/models/index.json', (route) => route.fulfill({ json: { models: [...digits, ...all] } }));
  await page.goto('/#room=compare&device=cpu');
  await compared(page, 1);
  const rows = page.locator('.measured tbody tr');
  await expect(rows).toHaveCount(3);
  await expect(rows.first()).toHaveText(/^VAE.*98\.7 %12\.30\.810\.705\.43$/);
  await expect(rows.nth(1).locator('small')).toHaveText('5 steps, guidance 1.5');
  await expect(rows.last()).toHaveText('Digits that people wrote99.5 %3.2––5.80');
  // The settings that it was measured with are those that it draws with.
  await expect(page.locator('.way[data-way=vqgan] .way-at')).toHaveText('5 steps');
});

test('320 pixels are wide enough for the pad, and axe finds nothing', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await openPad(page);
  await stroke(page, ...SEVEN);
  await looked(page);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  for (const target of await page.locator('#comparing :is(button, input[type=range], .kind):visible').all()) {
    expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(40);
  }
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
});
