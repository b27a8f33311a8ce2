// Invalid weight files, from tests/bad: each gets its code and its message, and the model in use then
// decodes the same tokens to the same picture. One page goes through all of them in turn.
import { REBUILT, drop, expect, file, modelIs, open, pixels, reaches, saved, test as base, watch, withTiny } from './app.js';

/** @typedef {{name: string, file: string, config?: string, code: string, page?: string, says: string}} Case */

/** @type {Case[]} */ const CASES = JSON.parse(file('tests/bad/index.json').toString());
const CUTS = 12;

/** @param {string} path within tests/bad */
const bad = (path) => ({ name: path.replace(/^.*\//, ''), buffer: file(`tests/bad/${path}`) });
const GOOD = bad('good.safetensors');
const PICTURE = { name: 'inks.jpg', mimeType: 'image/jpeg', buffer: file('tests/pictures/progressive.jpg') };

/** @type {import('@playwright/test').Page} */ let page;
/** @type {string[]} */ let wrong;
/** @type {{name: string, buffer: Buffer}} */ let tokens;
/** @type {Buffer} */ let rebuilt;

base.describe.configure({ mode: 'default' });

base.beforeAll(async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL, serviceWorkers: 'block' });
  page = await context.newPage();
  wrong = watch(page, new URL(String(baseURL)).origin);
  // The page's own model is only a start.
  await withTiny(page);
  await open(page);
  await drop(page, GOOD);
  await modelIs(page, GOOD.name);
  await drop(page, PICTURE);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
  tokens = await saved(page, '#save-tokens');
  rebuilt = await decoded();
});

base.afterAll(async () => {
  expect(wrong).toEqual([]);
  await page?.context().close();
});

/** The picture that the model in use decodes from the tokens. */
async function decoded() {
  // The picture that is compared has to be painted anew.
  await page.evaluate((css) => {
    const canvas = /** @type {HTMLCanvasElement | null} */ (document.querySelector(css));
    canvas?.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
  }, REBUILT);
  await drop(page, tokens);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  await modelIs(page, GOOD.name);
  return (await pixels(page, REBUILT)).rgba;
}

/**
 * Drops files that must be refused, then uses the current model.
 * @param {string} code @param {string} says @param {{name: string, buffer: Buffer}[]} dropped
 */
async function refused(code, says, ...dropped) {
  await drop(page, ...dropped);
  await expect(page.locator('#alert')).toHaveAttribute('data-code', code);
  // Text between backticks is shown as code.
  await expect(page.locator('#alert p')).toContainText(says.replaceAll('`', ''));
  await reaches(page, 'error');
  expect((await decoded()).equals(rebuilt)).toBe(true);
}

for (const { name, file: weights, config, code, page: there, says } of CASES) {
  base(name, async () => {
    const dropped = [weights, config].filter((path) => path !== undefined).map(bad);
    // A different code has a different message.
    await refused(there ?? code, there ? '' : says, ...dropped);
  });
}

base('a file cut short', async () => {
  for (let i = 0; i < CUTS; i += 1) {
    const buffer = GOOD.buffer.subarray(0, Math.floor((i * (GOOD.buffer.length - 1)) / (CUTS - 1)));
    await refused('weights_corrupt', 'weight file is damaged', { name: `cut-${i}.safetensors`, buffer });
  }
});

base('the model in use still makes tokens', async () => {
  await drop(page, PICTURE);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
  expect((await saved(page, '#save-tokens')).buffer.equals(tokens.buffer)).toBe(true);
});
