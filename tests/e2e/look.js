// Shared by the tests of the picture area: pictures in which every pixel is known, their position, and what is drawn.
import { ORIGINAL, REBUILT, decoded, drop, expect, open, pixels, reaches } from './app.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {{x: number, y: number, width: number, height: number}} Box */

export const VIEW = '#compare .compare-view';
export const MARK = '#compare .compare-mark';

/** @param {Page} page @param {string} selector @returns {Promise<Box>} to fractions of a pixel */
export const box = (page, selector) =>
  page.locator(selector).evaluate((element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y, width, height };
  });

/** The page with a picture of this size under a slider, each pixel with its own colour. @param {Page} page @param {number} width @param {number} height */
export async function look(page, width, height) {
  await open(page);
  await drop(page, await mosaic(page, width, height));
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
}

/** @param {Page} page @param {number} width @param {number} height */
export async function mosaic(page, width, height) {
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

/** CSS pixels per pixel of the picture, after checking that both pictures are in the same place. @param {Page} page */
export async function scale(page) {
  const { original, rebuilt, size } = await page.evaluate(
    (selectors) => {
      const [first, second] = selectors.map((selector) => /** @type {HTMLCanvasElement} */ (document.querySelector(selector)));
      const place = (/** @type {Element} */ e) => e.getBoundingClientRect().toJSON();
      return { original: place(first), rebuilt: place(second), size: { width: first.width, height: first.height } };
    },
    [ORIGINAL, REBUILT],
  );
  expect(rebuilt).toEqual(original);
  const now = original.width / size.width;
  expect(now).toBeCloseTo(original.height / size.height, 4);
  await expect(page.locator('#compare output')).toHaveText(`${Math.round(now * 100)} %`);
  return now;
}

/** The pixel of the picture under a point of the page, in fractions. @param {Page} page @param {{x: number, y: number}} at */
export async function under(page, { x, y }) {
  const now = await scale(page);
  const picture = await box(page, REBUILT);
  return { x: (x - picture.x) / now, y: (y - picture.y) / now };
}

/** A point of the frame, given as fractions of it, in page coordinates. @param {Page} page @param {number} x @param {number} y */
export async function at(page, x, y) {
  const frame = await box(page, VIEW);
  return { x: Math.round(frame.x + frame.width * x), y: Math.round(frame.y + frame.height * y) };
}

/** Turns the wheel with Ctrl, as a trackpad's pinch does. @param {Page} page @param {{x: number, y: number}} point @param {number} notches negative zooms in */
export async function ctrlWheel(page, { x, y }, notches) {
  await page.mouse.move(x, y);
  await page.keyboard.down('Control');
  for (let i = 0; i < Math.abs(notches); i += 1) await page.mouse.wheel(0, 100 * Math.sign(notches));
  await page.keyboard.up('Control');
  await settled(page);
}

/** Waits until changes are laid out and drawn. @param {Page} page */
export const settled = (page) => page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));

/**
 * What is drawn in the frame except for its rounded corners, without what is drawn over the pictures.
 * @param {Page} page @param {string[]} [besides] selectors of what else is left out
 */
export async function shot(page, besides = []) {
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
export async function seen(page, besides) {
  const { png, clip } = await shot(page, besides);
  const rgba = await decoded(page, png);
  const colour = (/** @type {number} */ px, /** @type {number} */ py) => {
    const start = ((py - clip.y) * clip.width + px - clip.x) * 4;
    return [...rgba.subarray(start, start + 3)];
  };
  return { clip, colour };
}

/** The colours of one picture, by pixel. @param {Page} page @param {string} canvas */
export async function colours(page, canvas) {
  const { width, rgba } = await pixels(page, canvas);
  return (/** @type {number} */ x, /** @type {number} */ y) => [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
}
