// Shared by the tests of the room where five ways to make a picture are compared.
import { expect, pixels, withPackage } from './app.js';

/** @typedef {import('@playwright/test').Page} Page */

export const WAYS = ['vae', 'gan', 'vqvae', 'vqgan', 'diffusion'];
/** What walks through noise. */
export const WALKS = ['vae', 'gan', 'diffusion'];

/** @param {Page} page @param {'idle' | 'working' | 'done'} state */
export const comparing = (page, state) => expect(page.locator('#comparing')).toHaveAttribute('data-comparing', state);

/** Waits for pictures of this seed. @param {Page} page @param {number} seed */
export async function compared(page, seed) {
  await expect(page.locator('#comparing')).toHaveAttribute('data-seed', String(seed));
  await comparing(page, 'done');
}

/** The first picture of each way, which must be a digit: white on black. @param {Page} page @param {string[]} [ways] */
export async function digits(page, ways = WAYS) {
  const all = [];
  for (const way of ways) all.push(await digit(page, `.way[data-way=${way}] canvas`));
  return all;
}

/** @param {Page} page @param {string} css */
export async function digit(page, css) {
  const { width, height, rgba } = await pixels(page, css);
  expect([width, height]).toEqual([28, 28]);
  const reds = [...rgba].filter((_, i) => i % 4 === 0);
  expect(Math.max(...reds)).toBeGreaterThan(150);
  expect(reds.filter((red) => red < 60).length).toBeGreaterThan(300);
  return rgba.toString('base64');
}

/** Chooses by a chip. @param {Page} page @param {'mode' | 'classes' | 'count' | 'path'} group @param {string} value */
export const chip = (page, group, value) => page.locator(`#comparing-${group} label:has(input[value="${value}"])`).click();

/** The models that look at a drawing. */
export const LOOKS = ['vae', 'vqvae', 'gan', 'diffusion'];

/** Draws a line on the pad with the mouse; the points are fractions of its sides. @param {Page} page @param {[x: number, y: number][]} points */
export async function stroke(page, ...points) {
  const pad = page.locator('#comparing-pad');
  await pad.scrollIntoViewIfNeeded();
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await pad.boundingBox());
  for (const [i, [x, y]] of points.entries()) {
    await page.mouse.move(box.x + x * box.width, box.y + y * box.height, { steps: i ? 6 : 1 });
    if (i === 0) await page.mouse.down();
  }
  await page.mouse.up();
}

/** Waits for what the models make of the drawing. @param {Page} page @param {'empty' | 'working' | 'done'} [state] */
export const looked = (page, state = 'done') => expect(page.locator('.pad-view')).toHaveAttribute('data-pad', state);

/** For the worker: each step takes this much longer. @param {number} ms */
export const slow = (ms) =>
  withPackage(`
  for (const { prototype } of [wasm.Sampler, wasm.PictureSampler]) {
    const { step } = prototype;
    prototype.step = async function () {
      await new Promise((resolve) => setTimeout(resolve, ${ms}));
      return step.call(this);
    };
  }`);
