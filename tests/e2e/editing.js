// Shared by the tests of the room where pictures are edited.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHIPPED, commandLine, drop, expect, inFolder, open, reaches, room, saved } from './app.js';
import { PRIOR, TOKENIZER, sampledTokens } from './sampling.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {'fill' | 'extend' | 'vary' | 'paint' | 'blend'} Tool */

export const PICTURE = '#edit-picture canvas.board-picture';
const [PHOTOS] = SHIPPED;

/** A masked prior with random weights and no classes, for the tokens of a model with so many codes. @param {number} codes */
export function masked(codes) {
  const config = { kind: 'maskgit', codes, rows: 8, columns: 8, classes: 0, width: 32, layers: 1, heads: 2, hidden: 64 };
  const body = inFolder((folder) => {
    const [json, weights] = ['config.json', 'untrained.safetensors'].map((name) => join(folder, name));
    writeFileSync(json, JSON.stringify(config));
    commandLine('init', json, weights);
    return readFileSync(weights);
  });
  return { config, body };
}

/** One for the tokens of photos, which have more of them than its window. */
export const UNTRAINED = (() => {
  const { config, body } = masked(PHOTOS.config.n_embed);
  const entry = {
    ...PRIOR,
    name: 'untrained',
    file: 'untrained.safetensors',
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    config,
    classes: undefined,
    needs: [{ name: PHOTOS.name, hash: PHOTOS.codebook }],
  };
  return { body, entry };
})();

/** The tokens in a file. @param {Page} page @param {Buffer} bytes @returns {Promise<{width: number, height: number, rows: number, columns: number, indices: number[]}>} */
export const tokensIn = (page, bytes) =>
  page.evaluate(async (base64) => {
    const { src } = /** @type {HTMLScriptElement} */ (document.querySelector('script[type=module]'));
    const wasm = await import(new URL('pkg/tesserae.js', src).href);
    await wasm.default();
    const tokens = wasm.Tokens.parse(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
    const { width, height, grids } = tokens.facts;
    return { width, height, ...grids[0], indices: [...tokens.indices(0)] };
  }, bytes.toString('base64'));

/** The tokens of the picture that is edited. @param {Page} page */
export const tokensNow = async (page) => tokensIn(page, (await saved(page, '#edit-save-tokens')).buffer);

/** A drawn digit in the room, and its token file. @param {Page} page */
export async function digit(page) {
  const buffer = sampledTokens(3, 1);
  await open(page, `device=cpu&model=${TOKENIZER}`);
  await drop(page, { name: 'three.tokens', buffer });
  await reaches(page, 'done');
  await room(page, 'edit');
  await expect(page.locator('#edit-picture')).toBeVisible();
  return buffer;
}

/** @param {Page} page @param {Tool} name */
export async function tool(page, name) {
  await page.locator(`#edit-tools label:has(input[value=${name}])`).click();
  await expect(page.locator('#edit')).toHaveAttribute('data-tool', name);
}

/** Chooses a chip of a tool. @param {Page} page @param {string} group @param {string} value */
export const way = (page, group, value) => page.locator(`${group} label:has(input[value=${value}])`).click();

/** The middle of a cell on the screen. @param {Page} page @param {number} row @param {number} column */
export async function at(page, row, column, side = 4) {
  await page.locator('#edit-picture').scrollIntoViewIfNeeded();
  return page.locator(PICTURE).evaluate(
    (canvas, [r, c, pixels]) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const picture = /** @type {HTMLCanvasElement} */ (canvas);
      return { x: left + ((c + 0.5) * pixels * width) / picture.width, y: top + ((r + 0.5) * pixels * height) / picture.height };
    },
    [row, column, side],
  );
}

/** A stroke of the mouse from cell to cell. @param {Page} page @param {[row: number, column: number][]} cells @param {number} [side] */
export async function stroke(page, cells, side) {
  const points = [];
  for (const [row, column] of cells) points.push(await at(page, row, column, side));
  await page.mouse.move(points[0].x, points[0].y);
  await page.mouse.down();
  for (const { x, y } of points.slice(1)) await page.mouse.move(x, y, { steps: 3 });
  await page.mouse.up();
}

/** Waits until the picture shows its tokens. @param {Page} page */
export const settled = (page) => expect(page.locator('#edit')).not.toHaveAttribute('data-busy');

/** Has the prior draw, and waits for its proposals. @param {Page} page @param {string} [button] */
export async function draws(page, button = '#edit-run') {
  await page.click(button);
  await expect(page.locator('#edit-at')).toHaveText(/^\d+ proposals? in [\d.]+ s\.$/);
  await expect(page.locator('#edit-form')).toHaveAttribute('data-state', 'done');
}

/** @param {Page} page @param {number} index */
export const choose = (page, index) => page.locator('#edit-proposals label').nth(index).click();
