// Full-size models on the CPU: how much of the browser's memory the engine uses, and that it uses no more
// when models are swapped.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REBUILT, chooseModel, commandLine, drop, engines, expect, open, pixels, reaches, smallPhoto, test, value } from './app.js';

/** Peak over the weights in f32. */
const AT_MOST = 1.6;
/** Peak over the files of a prior and its tokenizer, both in f16, which is how the CPU keeps them. */
const PRIOR_AT_MOST = 1.5;
const SWAPS = 5;
/** @type {[name: string, preset: string, dtype: string][]} */
const MODELS = [
  ['imagenet-f16.safetensors', 'imagenet-f16-16384', 'f16'],
  ['imagenet-f32.safetensors', 'imagenet-f16-16384', 'f32'],
  ['ldm-f16.safetensors', 'ldm-vq-f8', 'f16'],
];

const TOKENIZER = 'tokenizer.safetensors';
const PRIORS = ['llamagen-b-256', 'halton-base-256'];

let folder = '';
test.beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tesserae-'));
  for (const [name, preset, dtype] of MODELS) commandLine('init', preset, join(folder, name), '--dtype', dtype);
  commandLine('init', 'imagenet-f16-16384', join(folder, TOKENIZER), '--dtype', 'f16');
  for (const preset of PRIORS) commandLine('init', preset, join(folder, `${preset}.safetensors`), '--dtype', 'f16');
});
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @param {import('@playwright/test').Page} page @param {string} name */
async function load(page, name) {
  await page.setInputFiles('#file', join(folder, name));
  await expect(page.locator('#model')).toHaveAttribute('data-value', name, { timeout: 300_000 });
  await expect(page.locator('html')).not.toHaveAttribute('data-state', 'working', { timeout: 300_000 });
}

/** @param {import('@playwright/test').Page} page */
async function rebuildSmall(page) {
  await drop(page, await smallPhoto(page));
  await reaches(page, 'working');
  await expect(page.locator('html')).toHaveAttribute('data-state', 'done', { timeout: 300_000 });
  const { width, height } = await pixels(page, REBUILT);
  expect([width, height]).toEqual([64, 64]);
}

const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

for (const [name, preset, dtype] of MODELS) {
  test(`${preset} in ${dtype} loads and rebuilds within ${AT_MOST} × its weights @slow`, async ({ page }) => {
    test.setTimeout(900_000);
    await open(page);
    await load(page, name);
    const loaded = await value(page, 'memory');
    const weights = /** @type {RegExpExecArray} */ (
      /([\d.]+) million weights/.exec(String(await page.locator('#model-facts').textContent()))
    );
    const f32 = Number(weights[1]) * 4e6;
    await rebuildSmall(page);
    const rebuilt = await value(page, 'memory');
    const file = statSync(join(folder, name)).size;
    console.log(
      `${preset} in ${dtype}: file ${megabytes(file)}, weights in f32 ${megabytes(f32)}, engine ${megabytes(loaded)} after loading (${(loaded / f32).toFixed(2)} ×) and ${megabytes(rebuilt)} after 64 × 64 (${(rebuilt / f32).toFixed(2)} ×)`,
    );
    expect(f32).toBeGreaterThan(200e6);
    expect(rebuilt).toBeLessThanOrEqual(AT_MOST * f32);
  });
}

test('swapping two models again and again takes no more memory than swapping them once @slow', async ({ page }) => {
  test.setTimeout(1_800_000);
  await open(page);
  const [[first], , [second]] = MODELS;
  await load(page, first);
  await load(page, second);
  const [worker] = await engines(page);
  /** @type {number[]} */ const seen = [];
  for (let i = 0; i < SWAPS; i += 1) {
    for (const name of [first, second]) {
      await chooseModel(page, name);
      await reaches(page, 'loading');
      await expect(page.locator('html')).toHaveAttribute('data-state', 'ready', { timeout: 300_000 });
      seen.push(await value(page, 'memory'));
    }
  }
  console.log(`swapping: ${seen.map(megabytes).join(', ')}`);
  // A worker that had crashed and been replaced would start with little memory again.
  expect(await engines(page)).toEqual([worker]);
  // In the first round a model may still find no room where another has been.
  expect(Math.max(...seen)).toBeLessThanOrEqual(Math.max(...seen.slice(0, 2)));
});

for (const preset of PRIORS) {
  test(`${preset} samples with its tokenizer within ${PRIOR_AT_MOST} × their files, is stopped and swapped @slow`, async ({ page }) => {
    test.setTimeout(1_800_000);
    const files = [`${preset}.safetensors`, TOKENIZER].map((name) => join(folder, name));
    const stored = files.reduce((sum, name) => sum + statSync(name).size, 0);
    await page.goto('/#room=sample&device=cpu&count=1&steps=8');
    const settled = { timeout: 600_000 };
    const is = (/** @type {string} */ state) => expect(page.locator('#sampling')).toHaveAttribute('data-sampling', state, settled);
    await is('done');
    const shipped = page.locator('#sampling-prior');
    const first = await shipped.inputValue();
    await page.setInputFiles('#sampling-own-file', files);
    const own = `${preset} (yours)`;
    await expect(shipped.locator('option', { hasText: own })).toHaveCount(1, settled);
    await is('working');
    await page.click('#sampling-stop', settled);
    await is('idle');
    await page.click('#sampling-run');
    await is('working');
    await is('done');
    const memory = await value(page, 'memory');
    console.log(`${preset}: files ${megabytes(stored)}, engine ${megabytes(memory)} (${(memory / stored).toFixed(2)} ×)`);
    expect(memory).toBeLessThanOrEqual(PRIOR_AT_MOST * stored);

    await page.click('#sampling-more summary');
    await shipped.selectOption(first);
    await is('done');
    await shipped.selectOption({ label: own });
    await is('working');
    await page.click('#sampling-stop', settled);
    await is('idle');
    expect(await value(page, 'memory')).toBeLessThanOrEqual(memory * 1.05);
  });
}
