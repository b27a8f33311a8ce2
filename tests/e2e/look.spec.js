// The picture area is for looking: both pictures zoomed and moved in step, the original while the
// picture is held, and tokens and their patches, which find each other.
import AxeBuilder from '@axe-core/playwright';
import { ORIGINAL, REBUILT, decoded, drop, expect, modelIs, open, pixels, reaches, rebuildSample, saved, test, withTiny } from './app.js';
import { checkpoint } from './checkpoint.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

const VIEW = '#compare .compare-view';
const MARK = '#compare .compare-mark';

test.beforeEach(async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await withTiny(page);
});

/** @param {Page} page @param {string} selector @returns {Promise<Box>} to fractions of a pixel */
const box = (page, selector) =>
  page.locator(selector).evaluate((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y, width, height };
  });

/** The page with a picture of so many pixels, each of a colour of its own, under a slider. @param {Page} page @param {number} width @param {number} height */
async function look(page, width, height) {
  await open(page);
  await drop(page, await mosaic(page, width, height));
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
}

/** @param {Page} page @param {number} width @param {number} height */
async function mosaic(page, width, height) {
  const base64 = await page.evaluate(
    async ([across, down]) => {
      const canvas = new OffscreenCanvas(across, down);
      const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
      const image = new ImageData(across, down);
      for (let i = 0; i < across * down; i += 1) image.data.set([(i * 53) % 256, (i * 17) % 256, Math.floor(i / across) * 5, 255], i * 4);
      context.putImageData(image, 0, 0);
      const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
      return btoa(String.fromCharCode(...bytes));
    },
    [width, height],
  );
  return { name: 'mosaic.png', mimeType: 'image/png', buffer: Buffer.from(base64, 'base64') };
}

/** CSS pixels a pixel of the picture takes, once both pictures have been found to lie in one place. @param {Page} page */
async function scale(page) {
  const [original, rebuilt] = [await box(page, ORIGINAL), await box(page, REBUILT)];
  expect(rebuilt).toEqual(original);
  const { width, height } = await page
    .locator(ORIGINAL)
    .evaluate((e) => ({ width: /** @type {any} */ (e).width, height: /** @type {any} */ (e).height }));
  expect(original.width / width).toBeCloseTo(original.height / height, 4);
  const now = original.width / width;
  await expect(page.locator('#compare output')).toHaveText(`${Math.round(now * 100)} %`);
  return now;
}

/** The pixel of the picture under a point of the page, in fractions. @param {Page} page @param {{x: number, y: number}} at */
async function under(page, { x, y }) {
  const now = await scale(page);
  const picture = await box(page, REBUILT);
  return { x: (x - picture.x) / now, y: (y - picture.y) / now };
}

/** A point of the frame, in parts of it, where a mouse can be. @param {Page} page @param {number} x @param {number} y */
async function at(page, x, y) {
  const frame = await box(page, VIEW);
  return { x: Math.round(frame.x + frame.width * x), y: Math.round(frame.y + frame.height * y) };
}

/** Turns the wheel with Ctrl, as a trackpad's pinch does. @param {Page} page @param {{x: number, y: number}} point @param {number} notches less than none zooms in */
async function ctrlWheel(page, { x, y }, notches) {
  await page.mouse.move(x, y);
  await page.keyboard.down('Control');
  for (let i = 0; i < Math.abs(notches); i += 1) await page.mouse.wheel(0, 100 * Math.sign(notches));
  await page.keyboard.up('Control');
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}

/**
 * What is drawn in the frame but for its rounded corners, without what lies over the pictures.
 * @param {Page} page @param {string[]} [besides] what else is left out
 */
async function shot(page, besides = []) {
  const over = ['.compare-handle', '.compare-tag', ...besides].map((name) => `#compare ${name}`).join();
  const show = (/** @type {string} */ display) =>
    page.evaluate(
      ([selector, value]) => {
        for (const e of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(selector))) e.style.display = value;
      },
      [over, display],
    );
  const frame = await box(page, VIEW);
  const [x, y] = [frame.x, frame.y].map((v) => Math.ceil(v) + 4);
  const clip = { x, y, width: Math.floor(frame.width) - 9, height: Math.floor(frame.height) - 9 };
  await show('none');
  const png = await page.screenshot({ clip });
  await show('');
  return { png, clip };
}

/** What `shot` sees, as the colour at a point of the page. @param {Page} page @param {string[]} [besides] */
async function seen(page, besides) {
  const { png, clip } = await shot(page, besides);
  const rgba = await decoded(page, png);
  const colour = (/** @type {number} */ px, /** @type {number} */ py) => {
    const start = ((py - clip.y) * clip.width + px - clip.x) * 4;
    return [...rgba.subarray(start, start + 3)];
  };
  return { clip, colour };
}

/** The colours of one picture, by pixel. @param {Page} page @param {string} canvas */
async function colours(page, canvas) {
  const { width, rgba } = await pixels(page, canvas);
  return (/** @type {number} */ x, /** @type {number} */ y) => [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
}

test('at every zoom both pictures lie in one place, and the pixels drawn are theirs', async ({ page }) => {
  await look(page, 64, 48);
  const original = await colours(page, ORIGINAL);
  const rebuilt = await colours(page, REBUILT);
  const range = page.locator('#compare input[type=range]');
  let count = 0;
  for (const [notches, x, y] of [
    [0, 0.5, 0.5],
    [-1, 0.3, 0.2],
    [-2, 0.8, 0.9],
    [-2, 0.1, 0.6],
    [3, 0.5, 0.5],
  ]) {
    const point = await at(page, x, y);
    const before = await under(page, point);
    await ctrlWheel(page, point, notches);
    const now = await scale(page);
    const after = await under(page, point);
    expect(Math.hypot(after.x - before.x, after.y - before.y)).toBeLessThan(0.01);
    // Smaller ones are drawn smooth.
    if (notches === 0) continue;
    for (const part of [20, 50, 80]) {
      await range.fill(String(part));
      const { clip, colour } = await seen(page);
      const [frame, picture] = [await box(page, VIEW), await box(page, ORIGINAL)];
      const divider = frame.x + (frame.width * part) / 100;
      for (let px = clip.x; px < clip.x + clip.width; px += 37) {
        for (let py = clip.y; py < clip.y + clip.height; py += 29) {
          const [u, v] = [(px + 0.5 - picture.x) / now, (py + 0.5 - picture.y) / now];
          // Where a pixel of the screen lies within one of the picture, and on one side of the divider.
          const inside = [u, v].every((c) => c % 1 > 1 / now && c % 1 < 1 - 1 / now);
          if (!inside || Math.abs(px - divider) < 2) continue;
          expect(colour(px, py)).toEqual((px < divider ? original : rebuilt)(Math.floor(u), Math.floor(v)));
          count += 1;
        }
      }
    }
  }
  expect(count).toBeGreaterThan(500);
});

test('with one picture in both places the divider cannot be seen', async ({ page }) => {
  await look(page, 61, 45);
  await page.evaluate(() => {
    const slider = /** @type {any} */ (document.querySelector('#compare'));
    const pixels = slider.rebuilt;
    slider.showOriginal(pixels, true);
    slider.showRebuilt(pixels);
  });
  const range = page.locator('#compare input[type=range]');
  for (const notches of [0, -1, -1, -2, 2]) {
    await ctrlWheel(page, await at(page, 0.37, 0.61), notches);
    await range.fill('0');
    const { png } = await shot(page);
    for (const part of ['33', '71.5', '100']) {
      await range.fill(part);
      expect((await shot(page)).png.equals(png)).toBe(true);
    }
  }
});

test('zoom has limits, and the picture cannot be lost', async ({ page }) => {
  await look(page, 64, 48);
  const fitted = await scale(page);
  const frame = await box(page, VIEW);
  await ctrlWheel(page, await at(page, 0.5, 0.5), -30);
  expect(await scale(page)).toBeCloseTo(Math.max(32, 8 * fitted), 3);
  await expect(page.locator('#compare .compare-frame')).toHaveAttribute('data-crisp');
  const { x, y } = await at(page, 0.9, 0.9);
  for (const [toX, toY] of [
    [4000, 3000],
    [-4000, -3000],
  ]) {
    for (let i = 0; i < 6; i += 1) {
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x + toX, y + toY, { steps: 2 });
      await page.mouse.up();
    }
    const picture = await box(page, REBUILT);
    expect(picture.x).toBeLessThanOrEqual(frame.x + 0.01);
    expect(picture.y).toBeLessThanOrEqual(frame.y + 0.01);
    expect(picture.x + picture.width).toBeGreaterThanOrEqual(frame.x + frame.width - 0.01);
    expect(picture.y + picture.height).toBeGreaterThanOrEqual(frame.y + frame.height - 0.01);
    // At the very edge that it was pulled to.
    if (toX > 0) expect([picture.x, picture.y]).toEqual([expect.closeTo(frame.x, 2), expect.closeTo(frame.y, 2)]);
    else expect(picture.x + picture.width).toBeCloseTo(frame.x + frame.width, 2);
  }
  await ctrlWheel(page, await at(page, 0.5, 0.5), 40);
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  await expect(page.locator('#compare .compare-frame')).not.toHaveAttribute('data-crisp');
  const picture = await box(page, REBUILT);
  expect([picture.x, picture.y, picture.width]).toEqual([frame.x, frame.y, frame.width].map((v) => expect.closeTo(v, 1)));
});

test('keys and buttons zoom, fit and move', async ({ page }) => {
  await look(page, 64, 48);
  const fitted = await scale(page);
  const press = async (/** @type {string} */ key) => {
    await page.keyboard.press(key);
    return scale(page);
  };
  const pressed = (/** @type {string} */ name) => page.locator(`#compare button:text-is("${name}")`).getAttribute('aria-pressed');
  const before = await page.evaluate(() => scrollY);
  await page.locator(VIEW).focus();
  const frame = await box(page, VIEW);
  const middle = await at(page, 0.5, 0.5);
  const centre = await under(page, middle);
  expect(await press('+')).toBeCloseTo(fitted * Math.SQRT2, 3);
  expect(await press('=')).toBeCloseTo(fitted * 2, 3);
  expect(await under(page, middle)).toEqual({ x: expect.closeTo(centre.x, 1), y: expect.closeTo(centre.y, 1) });
  // An arrow key moves the view, not the page, to the side that it names.
  for (const [key, dx, dy] of /** @type {[string, number, number][]} */ ([
    ['ArrowRight', -1, 0],
    ['ArrowDown', 0, -1],
    ['ArrowLeft', 1, 0],
    ['ArrowUp', 0, 1],
  ])) {
    const from = await box(page, REBUILT);
    await press(key);
    const to = await box(page, REBUILT);
    expect([to.x - from.x, to.y - from.y]).toEqual([expect.closeTo(dx * 0.1 * frame.width, 2), expect.closeTo(dy * 0.1 * frame.height, 2)]);
  }
  expect(await press('-')).toBeCloseTo(fitted * Math.SQRT2, 3);
  expect(await press('1')).toBeCloseTo(1, 6);
  expect(await pressed('1:1')).toBe('true');
  expect(await press('0')).toBeCloseTo(fitted, 3);
  expect(await pressed('Fit')).toBe('true');
  expect(await pressed('1:1')).toBe('false');
  expect(await page.evaluate(() => scrollY)).toBe(before);
  // With the browser's own zoom these keys have nothing to do.
  await page.keyboard.press('Control+1');
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  // From the divider they work too; its arrow keys are its own.
  const range = page.locator('#compare input[type=range]');
  await range.focus();
  expect(await press('+')).toBeCloseTo(fitted * Math.SQRT2, 3);
  const still = await box(page, REBUILT);
  await page.keyboard.press('ArrowRight');
  await expect(range).toHaveValue('50.5');
  expect(await box(page, REBUILT)).toEqual(still);

  await page.getByRole('button', { name: 'Zoom in' }).click();
  expect(await scale(page)).toBeCloseTo(fitted * 2, 3);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  expect(await scale(page)).toBeCloseTo(fitted * Math.SQRT2, 3);
  await page.getByRole('button', { name: '1:1' }).click();
  expect(await scale(page)).toBeCloseTo(1, 6);
  await page.getByRole('button', { name: 'Fit' }).click();
  expect(await scale(page)).toBeCloseTo(fitted, 3);
});

test('a double click shows the picture one to one where it was made, and fits it again', async ({ page }) => {
  await open(page);
  // More pixels than the frame has, so that 1:1 is nearer.
  await drop(page, await mosaic(page, 1024, 700));
  await page.selectOption('#size', '0');
  await reaches(page, 'done');
  await expect.poll(() => page.locator(ORIGINAL).evaluate((e) => /** @type {any} */ (e).width)).toBe(1024);
  await reaches(page, 'done');
  const fitted = await scale(page);
  expect(fitted).toBeLessThan(1);
  const point = await at(page, 0.75, 0.3);
  const before = await under(page, point);
  await page.mouse.dblclick(point.x, point.y);
  expect(await scale(page)).toBeCloseTo(1, 6);
  expect(await under(page, point)).toEqual({ x: expect.closeTo(before.x, 1), y: expect.closeTo(before.y, 1) });
  // Its two clicks have selected a token and let go of it.
  await expect(page.locator(MARK)).toBeHidden();
  await page.mouse.dblclick(point.x, point.y);
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  await page.mouse.dblclick(point.x, point.y);
  // The window becomes narrower: the scale stays, the frame stays full.
  await page.setViewportSize({ width: 500, height: 720 });
  expect(await scale(page)).toBeCloseTo(1, 6);
  const frame = await box(page, VIEW);
  const picture = await box(page, REBUILT);
  expect(picture.x).toBeLessThanOrEqual(frame.x + 0.01);
  expect(picture.x + picture.width).toBeGreaterThanOrEqual(frame.x + frame.width - 0.01);
});

test('the bare wheel scrolls the page unless the picture has been turned to', async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 500 });
  await look(page, 64, 48);
  const fitted = await scale(page);
  const scrolled = () => page.evaluate(() => scrollY);
  // A wheel that rests for a while begins anew.
  const rest = () => page.waitForTimeout(400);
  const turn = async (/** @type {number} */ by) => {
    await page.mouse.wheel(0, by);
    await rest();
  };
  const { x, y } = await at(page, 0.5, 0.5);
  await page.mouse.move(x, y);
  await turn(60);
  expect(await scrolled()).toBe(60);
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  await turn(-60);
  expect(await scrolled()).toBe(0);

  await page.locator(VIEW).focus();
  await turn(-100);
  const zoomed = await scale(page);
  expect(zoomed).toBeGreaterThan(fitted * 1.05);
  expect(await scrolled()).toBe(0);
  // Zoomed is enough. Out again to where it fits, and the same turn of the wheel does not go on into the page.
  await page.locator(VIEW).blur();
  const home = await scrolled();
  await page.mouse.wheel(0, 100);
  await page.mouse.wheel(0, 100);
  await rest();
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  expect(await scrolled()).toBe(home);
  // The next one does, though the picture has the focus: there is nothing to zoom out of.
  await page.locator(VIEW).focus();
  await turn(60);
  expect(await scrolled()).toBe(home + 60);

  // A turn that began elsewhere is the page's, whatever comes under the pointer.
  await page.evaluate(() => scrollTo(0, 0));
  await page.mouse.move(5, y);
  await page.mouse.wheel(0, 20);
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -20);
  await rest();
  expect(await scale(page)).toBeCloseTo(fitted, 3);
});

test('a drag moves the divider, or a zoomed picture but at the divider; a hold shows the original', async ({ page }) => {
  await look(page, 64, 48);
  const range = page.locator('#compare input[type=range]');
  const drag = async (/** @type {number} */ from, /** @type {number} */ to, y = 0.5) => {
    const [a, b] = [await at(page, from, y), await at(page, to, y)];
    await page.mouse.move(a.x, a.y);
    await page.mouse.down();
    await page.mouse.move(b.x, b.y, { steps: 4 });
    await page.mouse.up();
    return b.x - a.x;
  };
  await drag(0.5, 0.25);
  expect(Number(await range.inputValue())).toBeCloseTo(25, 0);
  await drag(0.7, 0.8, 0.2);
  expect(Number(await range.inputValue())).toBeCloseTo(80, 0);
  await expect(page.locator(MARK)).toBeHidden();

  await ctrlWheel(page, await at(page, 0.5, 0.5), -2);
  const before = await box(page, REBUILT);
  const moved = await drag(0.3, 0.4, 0.3);
  const after = await box(page, REBUILT);
  expect(after.x - before.x).toBeCloseTo(moved, 1);
  expect(Number(await range.inputValue())).toBeCloseTo(80, 0);
  await drag(0.8, 0.6, 0.3);
  expect(Number(await range.inputValue())).toBeCloseTo(60, 0);
  expect(await box(page, REBUILT)).toEqual(after);

  const mixed = (await shot(page)).png;
  await range.fill('100');
  const whole = (await shot(page)).png;
  await range.fill('60');
  const { x, y } = await at(page, 0.9, 0.5);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await expect(page.locator('#compare .compare-frame')).toHaveAttribute('data-held');
  expect((await shot(page)).png.equals(whole)).toBe(true);
  await page.mouse.up();
  await expect(page.locator('#compare .compare-frame')).not.toHaveAttribute('data-held');
  expect((await shot(page)).png.equals(mixed)).toBe(true);
  // It was no click on a token.
  await expect(page.locator(MARK)).toBeHidden();

  await page.locator(VIEW).focus();
  await page.keyboard.down('Space');
  expect((await shot(page)).png.equals(whole)).toBe(true);
  await page.keyboard.up('Space');
  expect((await shot(page)).png.equals(mixed)).toBe(true);
});

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
  // The tiny model has 4 by 4 pixels a token; the last column has one pixel, the last row too.
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
  // Far out of sight, a token that is chosen brings its patch there.
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
  // The outline lies around the pixels, which all stay to be seen.
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

test('a click in the picture selects the token of that place, and a second one lets go', async ({ page }) => {
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
  // Of the same size, but another.
  await drop(page, await mosaic(page, 61, 45));
  await expect(page.locator(MARK)).toBeHidden();
  await reaches(page, 'done');
  expect(await scale(page)).toBeCloseTo(fitted, 4);
  await expect(page.locator('#tokens .tokens-chosen:visible')).toHaveCount(0);

  // Tokens without their picture have patches in what is rebuilt from them.
  await drop(page, tokens);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  await page.mouse.click((await at(page, 0.1, 0.1)).x, (await at(page, 0.1, 0.1)).y);
  await expect(page.locator(MARK)).toBeVisible();
  // There is no original to hold the picture for, so a slow click is a click.
  await page.mouse.down();
  await page.waitForTimeout(600);
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
  // The finer grid is looked up first, then the one that was used last.
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
  // A token of the padding has no pixels.
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
      const found = await new AxeBuilder({ page }).analyze();
      expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`)).toEqual([]);
    }
  });
}
