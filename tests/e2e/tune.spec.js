// Fine-tuning on the page: a run, its buttons and its results. Interruptions are in
// tune-faults.spec.js, WebGPU in tune-device.spec.js.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  REBUILT,
  SHIPPED,
  chooseModel,
  commandLine,
  complains,
  decoded,
  drop,
  dropOn,
  expect,
  inFolder,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  room,
  saved,
  smallPhoto,
  test,
  value,
  violations,
  withTiny,
} from './app.js';
import { BEFORE, NOW, ends, fill, more, pick, press, psnr, ready, tuning } from './panel.js';

/** @typedef {import('@playwright/test').Page} Page */

test.beforeEach(({ page }) => withTiny(page));

/**
 * The command line makes the same picture of the page's small photo, with the same weights.
 * @param {Page} page @param {Buffer} weights @param {number} quality @param {Buffer} rgba
 */
async function commandLineAgrees(page, weights, quality, rgba) {
  const photo = await smallPhoto(page);
  const out = inFolder((folder) => {
    const [model, from, to] = ['mine.safetensors', photo.name, 'out.png'].map((name) => join(folder, name));
    writeFileSync(model, weights);
    writeFileSync(from, photo.buffer);
    const { tuning, name } = commandLine('inspect', model);
    expect(name).toBe('mine');
    expect(JSON.parse(tuning)).toMatchObject({ parts: 'decoder', objective: 'faithful', steps: 12 });
    expect(commandLine('reconstruct', from, to, '--model', model).psnr).toBeCloseTo(quality, 2);
    return readFileSync(to);
  });
  const there = await decoded(page, out);
  let far = 0;
  for (let i = 0; i < rgba.length; i += 1) far = Math.max(far, Math.abs(rgba[i] - there[i]));
  // Sums in another order may change a sample by one.
  expect(far).toBeLessThanOrEqual(1);
}

test('a tuned model rebuilds its photo better, and its file does so too after a reload', async ({ page }) => {
  await open(page);
  // Without a picture there is nothing to tune on.
  await room(page, 'tune');
  for (const button of ['#tune-run', '#tune-step']) await expect(page.locator(button)).toBeDisabled();
  await ready(page);
  const untuned = await value(page, 'psnr');
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(12);
  await expect(page.locator('#tune-curve')).toHaveAttribute('data-count', '12');
  const [first, last] = await ends(page);
  expect(last).toBeLessThan(first);
  expect(await psnr(page, BEFORE)).toBeCloseTo(untuned, 5);
  // Only the decoder was trained, so the crops use the codes that the whole photo uses.
  const used = await value(page, 'usage');
  expect(await value(page, 'tune-codes')).toBe(used);
  await expect(page.locator('#tune-codes')).toHaveText(new RegExp(`^${used} of \\d+, perplexity \\d+(\\.\\d)?$`));
  const tuned = await psnr(page, NOW);
  expect(tuned).toBeGreaterThan(untuned);
  const now = await pixels(page, `${NOW} canvas`);
  expect(now.rgba.equals((await pixels(page, `${BEFORE} canvas`)).rgba)).toBe(false);
  // The model in use is still the previous one.
  expect(await value(page, 'psnr')).toBe(untuned);
  await fill(page, '#tune-name', 'mine');
  const file = await saved(page, '#tune-save');
  expect(file.name).toBe('mine.safetensors');
  await commandLineAgrees(page, file.buffer, tuned, now.rgba);

  await page.reload();
  await reaches(page, 'ready');
  await drop(page, file);
  await modelIs(page, 'mine.safetensors');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  expect(await value(page, 'psnr')).toBeCloseTo(tuned, 5);
  expect((await pixels(page, REBUILT)).rgba.equals(now.rgba)).toBe(true);
});

test('pause, resume and single steps', async ({ page }) => {
  await ready(page, { steps: 100_000 });
  const untuned = await value(page, 'psnr');
  await press(page, '#tune-step');
  await tuning(page, 'paused');
  expect(await value(page, 'tune-at')).toBe(1);
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await expect(page.locator('#tune-parts')).toBeDisabled();
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(3);
  await press(page, '#tune-run');
  await tuning(page, 'paused');
  const at = await value(page, 'tune-at');
  await press(page, '#tune-step');
  await expect.poll(() => value(page, 'tune-at')).toBe(at + 1);
  await tuning(page, 'paused');

  // A picture during a run pauses it.
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await room(page, 'rebuild');
  await page.click('#square');
  await tuning(page, 'paused');
  await reaches(page, 'done');
  expect(await value(page, 'psnr')).toBe(untuned);
  await press(page, '#tune-run');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(at + 2);
});

test('stop, undo, and start again from the model as it was', async ({ page }) => {
  await ready(page, { steps: 100_000 });
  const untuned = await value(page, 'psnr');
  await press(page, '#tune-run');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(2);
  await press(page, '#tune-stop');
  await tuning(page, 'ended');
  expect(await psnr(page, NOW)).toBeGreaterThan(untuned);
  await expect(page.locator('#tune-run')).toBeHidden();
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await expect(page.locator('#tune-view')).toBeHidden();
  await fill(page, '#tune-steps', '2');
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  expect(await psnr(page, BEFORE)).toBe(untuned);
});

test('a kept model is in use, is there after a reload, and can be removed', async ({ page }) => {
  await ready(page);
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  const tuned = await psnr(page, NOW);
  await fill(page, '#tune-name', 'tiny');
  await press(page, '#tune-keep button:has-text("Keep")');
  await complains(page, 'name_taken', /already/);
  await fill(page, '#tune-name', 'a/b “é” 💎');
  await press(page, '#tune-keep button:has-text("Keep")');
  await modelIs(page, 'a/b “é” 💎');
  await reaches(page, 'done');
  await tuning(page, 'idle');
  expect(await value(page, 'psnr')).toBeCloseTo(tuned, 5);

  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toBeHidden();
  await modelIs(page, 'tiny');
  await expect(page.locator('#models [data-own] .card-name')).toHaveText(['a/b “é” 💎']);
  await expect(page.locator('#models li:has([data-model=tiny]) button:has-text("Remove")')).toHaveCount(0);
  await chooseModel(page, 'a/b “é” 💎');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  expect(await value(page, 'psnr')).toBeCloseTo(tuned, 5);
  page.on('dialog', (dialog) => dialog.accept());
  await page.click('#model');
  await page.click('[aria-label="Remove a/b “é” 💎 from this browser"]');
  await modelIs(page, 'tiny');
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#models [data-own]')).toHaveCount(0);
});

test('tokens made before a tuning of the decoder decode with the kept model, to the tuned picture', async ({ page }) => {
  await ready(page);
  const tokens = await saved(page, '#save-tokens');
  const untuned = await pixels(page, REBUILT);
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  const tuned = await pixels(page, `${NOW} canvas`);
  await fill(page, '#tune-name', 'mine');
  await press(page, '#tune-keep button:has-text("Keep")');
  await modelIs(page, 'mine');
  await reaches(page, 'done');
  await drop(page, tokens);
  await complains(page, 'tokens_other_decoder', /./);
  await reaches(page, 'done');
  await expect(page.locator('#psnr')).toContainText('needs the original');
  const { rgba } = await pixels(page, REBUILT);
  expect(rgba.equals(untuned.rgba)).toBe(false);
  expect(rgba.equals(tuned.rgba)).toBe(true);
});

test('a kept model is tuned against the discriminator of the model that it comes from', async ({ page }) => {
  const { discriminator } = SHIPPED.find((/** @type {any} */ entry) => entry.discriminator);
  await withTiny(page, { discriminator });
  await patchWorker(
    page,
    `
    self.judges = [];
    self.addEventListener('message', ({ data }) => data.kind === 'tune' && self.judges.push(data.source?.name ?? null));
  `,
  );
  const style = async () => {
    await pick(page, '#tune-preset', 'style');
    await fill(page, '#tune-steps', '1');
    await press(page, '#tune-run');
    await tuning(page, 'ended');
    expect(await page.workers()[0].evaluate(() => /** @type {any} */ (self).judges)).toEqual(['the discriminator of tiny']);
  };
  await ready(page);
  await style();
  await fill(page, '#tune-name', 'mine');
  await press(page, '#tune-keep button:has-text("Keep")');
  await modelIs(page, 'mine');
  await page.reload();
  await reaches(page, 'ready');
  await chooseModel(page, 'mine');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await more(page);
  await style();
});

test('every preset runs, on more pictures than one', async ({ page }) => {
  await ready(page);
  const { buffer, ...rest } = await smallPhoto(page);
  await page.setInputFiles('#tune-files', { ...rest, name: 'one.png', buffer });
  await dropOn(page, '#tune-pictures', { ...rest, name: 'two.png', buffer });
  // Files dropped there do not go to the stage.
  await reaches(page, 'done');
  await expect(page.locator('html')).not.toHaveAttribute('data-dragging', /./);
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(3);
  await press(page, '#tune-pictures button >> nth=0');
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);
  for (const [preset, title, parts, steps, crop] of [
    ['style', 'Picture', 'decoder', '150', '128'],
    ['noise', 'Damaged', 'all', '200', '128'],
    ['jpeg', 'Damaged', 'all', '300', '64'],
  ]) {
    await pick(page, '#tune-preset', preset);
    for (const [field, filled] of [
      ['parts', parts],
      ['steps', steps],
      ['crop', crop],
    ]) {
      await expect(page.locator(`#tune-${field}`)).toHaveValue(filled);
    }
    // The pictures are smaller than most of these crops, so crops are as large as the pictures.
    await fill(page, '#tune-steps', '2');
    await press(page, '#tune-run');
    await tuning(page, 'ended');
    await expect(page.locator('#tune-view figcaption strong').first()).toHaveText(title);
    expect(await value(page, 'tune-loss')).toBeGreaterThan(0);
    // The quality of the damaged copy is shown as well.
    const damaged = page.locator('#tune-view figure[data-stage=seen] .figure-psnr');
    if (title === 'Picture') await expect(damaged).toHaveCount(0);
    else expect(Number(await damaged.getAttribute('data-value'))).toBeGreaterThan(10);
    await press(page, '#tune-undo');
    await tuning(page, 'idle');
  }
  await page.setInputFiles('#tune-files', { name: 'broken.png', mimeType: 'image/png', buffer: buffer.subarray(0, 100) });
  await press(page, '#tune-run');
  await complains(page, 'image_corrupt', /./);
  await tuning(page, 'idle');
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`it fits a narrow page, and axe finds nothing, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await ready(page);
    for (const button of ['#tune-step', '#tune-stop']) {
      await page.click(button);
      await tuning(page, button === '#tune-step' ? 'paused' : 'ended');
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      expect(await violations(page)).toEqual([]);
    }
  });
}
