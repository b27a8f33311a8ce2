// Tokens and their patches in the picture, which find each other.
import { REBUILT, drop, expect, modelIs, open, reaches, rebuildSample, saved, test, violations, withTiny } from './app.js';
import { checkpoint } from './checkpoint.js';
import { MARK, VIEW, at, box, ctrlWheel, look, mosaic, scale, seen, under } from './look.js';

test.beforeEach(async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await withTiny(page);
});

/** @typedef {import('@playwright/test').Page} Page */

/** The patch as it is outlined, in pixels of the picture. @param {Page} page */
async function outlined(page) {
  const now = await scale(page);
  const [mark, picture] = [await box(page, MARK), await box(page, REBUILT)];
  return [(mark.x - picture.x) / now, (mark.y - picture.y) / now, mark.width / now, mark.height / now];
}
const near = (/** @type {number[]} */ numbers) => numbers.map((n) => expect.closeTo(n, 2));

/** Clicks one token. @param {Page} page @param {number} grid @param {number} column @param {number} row @param {[number, number]} of so many columns and rows */
async function clickToken(page, grid, column, row, [columns, rows]) {
  const tokens = await box(page, `#tokens figure:nth-child(${grid + 1}) canvas:not(.tokens-twins)`);
  await page.mouse.click(tokens.x + (tokens.width * (column + 0.5)) / columns, tokens.y + (tokens.height * (row + 0.5)) / rows);
}

test('a token outlines exactly its pixels at every zoom, those at cropped edges too', async ({ page }) => {
  // The tiny model has 4 by 4 pixels per token; the last column has one pixel, the last row too.
  await look(page, 61, 45);
  const grid = /** @type {[number, number]} */ ([16, 12]);
  const readout = page.locator('#token-readout');
  for (const [column, row, patch] of /** @type {[number, number, number[]][]} */ ([
    [0, 0, [0, 0, 4, 4]],
    [7, 5, [28, 20, 4, 4]],
    [15, 3, [60, 12, 1, 4]],
    [6, 11, [24, 44, 4, 1]],
    [15, 11, [60, 44, 1, 1]],
  ])) {
    await page.locator(VIEW).focus();
    await page.keyboard.press('0');
    await clickToken(page, 0, column, row, grid);
    await expect(readout).toHaveText(
      new RegExp(`^Token ${row * 16 + column + 1} at row ${row + 1}, column ${column + 1}: code \\d+, used .*, selected$`),
    );
    await expect(page.locator(MARK)).toHaveAttribute('data-lasting');
    for (const key of ['0', '+', '+', '+', '1']) {
      await page.locator(VIEW).focus();
      await page.keyboard.press(key);
      expect(await outlined(page)).toEqual(near(patch));
    }
  }
  // Selecting a token whose patch is out of view brings it into view.
  await page.keyboard.press('0');
  await ctrlWheel(page, await at(page, 0.05, 0.05), -5);
  const frame = await box(page, VIEW);
  await clickToken(page, 0, 15, 11, grid);
  await clickToken(page, 0, 14, 10, grid);
  const mark = await box(page, MARK);
  expect(await outlined(page)).toEqual(near([56, 40, 4, 4]));
  for (const [low, high, from, to] of [
    [mark.x, mark.x + mark.width, frame.x, frame.x + frame.width],
    [mark.y, mark.y + mark.height, frame.y, frame.y + frame.height],
  ]) {
    expect(low).toBeGreaterThanOrEqual(from);
    expect(high).toBeLessThanOrEqual(to);
  }
  // The outline is around the pixels, which all stay visible.
  const { colour: marked } = await seen(page);
  const { colour: bare } = await seen(page, ['.compare-mark']);
  const [left, top, right, bottom] = [mark.x, mark.y, mark.x + mark.width, mark.y + mark.height].map(Math.round);
  let inside = 0;
  for (let x = left + 1; x < right - 1; x += 3) {
    for (let y = top + 1; y < bottom - 1; y += 3, inside += 1) expect(marked(x, y)).toEqual(bare(x, y));
    for (const y of [top - 2, bottom + 1]) expect(marked(x, y)).toEqual([237, 194, 90]);
  }
  expect(inside).toBeGreaterThan(100);
});

test('a click in the picture selects the token there, and a second one deselects it', async ({ page }) => {
  await look(page, 61, 45);
  const readout = page.locator('#token-readout');
  const chosen = page.locator('#tokens .tokens-chosen');
  /** Clicks the middle of one pixel of the picture. @param {number} x @param {number} y */
  const click = async (x, y) => {
    const now = await scale(page);
    const picture = await box(page, REBUILT);
    await page.mouse.click(picture.x + (x + 0.5) * now, picture.y + (y + 0.5) * now);
  };
  for (const [x, y, column, row] of [
    [0, 0, 0, 0],
    [30, 21, 7, 5],
    // Under the divider's handle.
    [31, 23, 7, 5],
    [60, 44, 15, 11],
    [59, 43, 14, 10],
  ]) {
    await click(x, y);
    const again = x === 31;
    if (again) {
      await expect(chosen).toBeHidden();
      await expect(page.locator(MARK)).toBeHidden();
      await expect(readout).toContainText('Point at a token');
      continue;
    }
    await expect(readout).toContainText(`Token ${row * 16 + column + 1} at row ${row + 1}, column ${column + 1}: code `);
    const [frame, tokens] = [await box(page, '#tokens .tokens-chosen'), await box(page, '#tokens .tokens-box')];
    expect([((frame.x - tokens.x) / tokens.width) * 16, ((frame.y - tokens.y) / tokens.height) * 12]).toEqual([
      expect.closeTo(column, 1),
      expect.closeTo(row, 1),
    ]);
    expect((await outlined(page)).slice(0, 2)).toEqual(near([column * 4, row * 4]));
  }
  // Zoomed in, and by the keyboard: the token in the middle.
  await ctrlWheel(page, await at(page, 0.2, 0.8), -3);
  const middle = await under(page, await at(page, 0.5, 0.5));
  await page.locator(VIEW).focus();
  await page.keyboard.press('Enter');
  expect((await outlined(page)).slice(0, 2)).toEqual(near([Math.floor(middle.x / 4) * 4, Math.floor(middle.y / 4) * 4]));

  // Escape ends it from anywhere on the page.
  await page.locator('#size').focus();
  await page.keyboard.press('Escape');
  await expect(page.locator(MARK)).toBeHidden();
  await expect(chosen).toBeHidden();
  await expect(readout).toContainText('Point at a token');

  // In the mosaic the arrow keys and Enter do it.
  const cells = page.locator('#tokens [role=application]');
  await cells.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(readout).toContainText(', selected');
  await page.keyboard.press('ArrowRight');
  await expect(readout).not.toContainText('selected');
  await cells.blur();
  await expect(readout).toContainText(', selected');
});

test('the selection ends with the picture; the view stays for another model of the same picture', async ({ page }) => {
  await look(page, 61, 45);
  const fitted = await scale(page);
  await ctrlWheel(page, await at(page, 0.7, 0.3), -3);
  const zoomed = await scale(page);
  const place = await box(page, REBUILT);
  await page.mouse.click((await at(page, 0.8, 0.4)).x, (await at(page, 0.8, 0.4)).y);
  await expect(page.locator(MARK)).toBeVisible();
  await drop(page, checkpoint('vqvae2').weights);
  await modelIs(page, 'vqvae2.safetensors');
  await reaches(page, 'done');
  await expect(page.locator(MARK)).toBeHidden();
  await expect(page.locator('#token-readout')).toContainText('Point at a token');
  expect(await scale(page)).toBeCloseTo(zoomed, 4);
  expect(await box(page, REBUILT)).toEqual(place);

  await page.mouse.click((await at(page, 0.8, 0.4)).x, (await at(page, 0.8, 0.4)).y);
  await expect(page.locator(MARK)).toBeVisible();
  const tokens = await saved(page, '#save-tokens');
  // Another picture of the same size.
  await drop(page, await mosaic(page, 61, 45));
  await expect(page.locator(MARK)).toBeHidden();
  await reaches(page, 'done');
  expect(await scale(page)).toBeCloseTo(fitted, 4);
  await expect(page.locator('#tokens .tokens-chosen:visible')).toHaveCount(0);

  // Tokens without their original have patches in the rebuilt picture.
  await drop(page, tokens);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  await page.mouse.click((await at(page, 0.1, 0.1)).x, (await at(page, 0.1, 0.1)).y);
  await expect(page.locator(MARK)).toBeVisible();
  // There is no original to show on hold, so a slow click is a click.
  await page.mouse.down();
  await page.waitForTimeout(900);
  await expect(page.locator('#compare .compare-frame')).not.toHaveAttribute('data-held');
  await page.mouse.up();
  await expect(page.locator(MARK)).toBeHidden();
});

test('two grids: a token of the coarse one covers a larger patch', async ({ page }) => {
  await open(page);
  await drop(page, checkpoint('vqvae2').weights);
  await modelIs(page, 'vqvae2.safetensors');
  await drop(page, await mosaic(page, 57, 45));
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
  await expect(page.locator('#tokens figcaption')).toHaveText(['Top: 8 × 6', 'Bottom: 16 × 12']);
  const readout = page.locator('#token-readout');
  const { x, y } = await at(page, 0.6, 0.6);
  // The finer grid is used first, then the one that was used last.
  await page.mouse.click(x, y);
  await expect(readout).toHaveText(/^Bottom token 105 at row 7, column 9: code \d+/);
  expect(await outlined(page)).toEqual(near([32, 24, 4, 4]));
  await clickToken(page, 0, 7, 5, [8, 6]);
  await expect(readout).toHaveText(/^Top token 48 at row 6, column 8: code \d+/);
  expect(await outlined(page)).toEqual(near([56, 40, 1, 5]));
  await expect(page.locator('.tokens-chosen:visible')).toHaveCount(1);
  await page.mouse.click(x, y);
  await expect(readout).toHaveText(/^Top token 29 at row 4, column 5: code \d+/);
  expect(await outlined(page)).toEqual(near([32, 24, 8, 8]));
  await ctrlWheel(page, { x, y }, -2);
  expect(await outlined(page)).toEqual(near([32, 24, 8, 8]));
  // A token in the padding has no pixels.
  await clickToken(page, 1, 15, 0, [16, 12]);
  await expect(readout).toHaveText(/^Bottom token 16 at row 1, column 16: code \d+, used .*, outside the picture, selected$/);
  await expect(page.locator(MARK)).toBeHidden();
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe finds nothing in a zoomed picture with a token selected, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page);
    await rebuildSample(page, 'coffee');
    const point = await at(page, 0.8, 0.4);
    await page.mouse.click(point.x, point.y);
    await ctrlWheel(page, point, -3);
    await expect(page.locator(MARK)).toBeVisible();
    for (const focus of [VIEW, '#compare input[type=range]', '#tokens [role=application]']) {
      await page.locator(focus).focus();
      expect(await violations(page)).toEqual([]);
    }
  });
}
