// Tuning the shipped model on the CPU: it gains as much as natively, by the same curve, and its memory
// stays within bounds however long it runs.
import { join } from 'node:path';
import { commandLine, drop, expect, inFolder, open, reaches, rebuildSample, smallPhoto, test, value } from './app.js';
import { fill, press } from './panel.js';

/** @typedef {import('@playwright/test').Page} Page */

const STEPS = 50;
/** The least gain of fifty steps, in decibels. */
const GAIN = 1.5;
/** Sums in another order diverge from step to step: the largest difference between the page's loss and the native one. */
const APART = 0.001;
const MOST_BYTES = 1e9;

/** @param {Page} page @param {string} state @param {number} [timeout] */
const tuning = (page, state, timeout = 1_200_000) => expect(page.locator('#tune')).toHaveAttribute('data-tuning', state, { timeout });
/** @param {Page} page @param {'before' | 'now'} stage */
const psnr = async (page, stage) =>
  Number(await page.locator(`#tune-view figure[data-stage=${stage}] .figure-psnr`).getAttribute('data-value'));
/** @param {Page} page @returns {Promise<number[]>} */
const losses = (page) => page.locator('#tune-view').evaluate((view) => /** @type {any} */ (view).losses);

/** @param {Page} page @param {number} steps */
async function tune(page, steps) {
  await page.locator('.tune-more').evaluate((more) => {
    /** @type {HTMLDetailsElement} */ (more).open = true;
  });
  await fill(page, '#tune-steps', String(steps));
  await press(page, '#tune-run');
}

/** @param {Page} page */
async function undo(page) {
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
}

const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

test('fifty steps gain as much as natively, by the same curve, within a gigabyte @slow', async ({ page }) => {
  test.setTimeout(2_400_000);
  await open(page, 'device=cpu&square=1');
  await rebuildSample(page, 'astronaut');
  const untuned = await value(page, 'memory');
  await tune(page, STEPS);
  await tuning(page, 'ended');
  const [before, now, speed, memory] = [
    await psnr(page, 'before'),
    await psnr(page, 'now'),
    await value(page, 'tune-speed'),
    await value(page, 'memory'),
  ];
  const curve = await losses(page);

  const native = inFolder((folder) =>
    commandLine(
      'tune',
      'www/samples/astronaut.png',
      '--size',
      '256',
      '--square',
      '--steps',
      String(STEPS),
      '--out',
      join(folder, 'tuned.safetensors'),
    ),
  );
  const apart = curve.map((loss, i) => Math.abs(loss / native.losses[i].mse - 1));
  const numbers = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ rate) =>
    `${a.toFixed(2)} to ${b.toFixed(2)} dB at ${rate.toFixed(2)} steps/s`;
  console.log(
    `${STEPS} steps of photos-f8 at 256 × 256: ${numbers(before, now, speed)} on the page, ${numbers(native.psnr_before, native.psnr_after, native.steps_per_second)} natively`,
  );
  console.log(`losses at most ${(Math.max(...apart) * 100).toFixed(5)} % apart, ${(apart[0] * 100).toFixed(5)} % at the first step`);
  console.log(`engine ${megabytes(untuned)} before, ${megabytes(memory)} after`);
  expect(curve).toHaveLength(STEPS);
  expect(Math.max(...apart)).toBeLessThanOrEqual(APART);
  expect(now - before).toBeGreaterThanOrEqual(GAIN);
  expect(memory).toBeLessThanOrEqual(MOST_BYTES);

  // Wasm returns no memory to the browser: what the first tuning used serves the next.
  await undo(page);
  await tune(page, 5);
  await tuning(page, 'ended');
  const again = await value(page, 'memory');
  console.log(`engine ${megabytes(again)} after undo and another tuning`);
  expect(again).toBeLessThanOrEqual(memory);
});

test('five hundred steps take no more memory than fifty @slow', async ({ page }) => {
  test.setTimeout(2_400_000);
  await open(page, 'device=cpu');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await tune(page, 500);
  await expect.poll(() => value(page, 'tune-at'), { timeout: 600_000 }).toBeGreaterThanOrEqual(50);
  await press(page, '#tune-run');
  await tuning(page, 'paused');
  const [at, early] = [await value(page, 'tune-at'), await value(page, 'memory')];
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  const late = await value(page, 'memory');
  console.log(`engine ${megabytes(early)} at step ${at}, ${megabytes(late)} at step ${await value(page, 'tune-at')}`);
  expect(await value(page, 'tune-at')).toBe(500);
  expect(late).toBeLessThanOrEqual(early * 1.02);
});
