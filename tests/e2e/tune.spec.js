// Fine-tuning on the page: a run and its buttons, the file that comes out, and what outlives the page.
import AxeBuilder from '@axe-core/playwright';
import { REBUILT, complains, drop, dropOn, expect, open, patchWorker, pixels, reaches, rebuildSample, saved, smallPhoto, test, value, withTiny } from './app.js';
import { BEFORE, NOW, ends, psnr, ready, tuning } from './panel.js';

/** @typedef {import('@playwright/test').Page} Page */

test.beforeEach(({ page }) => withTiny(page));

test('a tuned model rebuilds its photo better, and its file does so too after a reload', async ({ page }) => {
  await open(page);
  await expect(page.locator('#tune')).toBeHidden();
  await ready(page);
  const untuned = await value(page, 'psnr');
  await page.click('#tune-run');
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(12);
  await expect(page.locator('#tune-curve')).toHaveAttribute('data-count', '12');
  const [first, last] = await ends(page);
  expect(last).toBeLessThan(first);
  expect(await psnr(page, BEFORE)).toBeCloseTo(untuned, 5);
  // The decoder alone has learned, so the crops took the codes that the whole photo takes.
  const used = await value(page, 'usage');
  expect(await value(page, 'tune-codes')).toBe(used);
  await expect(page.locator('#tune-codes')).toHaveText(new RegExp(`^${used} of \\d+, perplexity \\d+(\\.\\d)?$`));
  const tuned = await psnr(page, NOW);
  expect(tuned).toBeGreaterThan(untuned);
  const now = await pixels(page, `${NOW} canvas`);
  expect(now.rgba.equals((await pixels(page, `${BEFORE} canvas`)).rgba)).toBe(false);
  // The model in use is still the one before.
  expect(await value(page, 'psnr')).toBe(untuned);
  await page.fill('#tune-name', 'mine');
  const file = await saved(page, '#tune-save');
  expect(file.name).toBe('mine.safetensors');

  await page.reload();
  await reaches(page, 'ready');
  await drop(page, file);
  await expect(page.locator('#model')).toHaveValue('mine.safetensors');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  expect(await value(page, 'psnr')).toBeCloseTo(tuned, 5);
  expect((await pixels(page, REBUILT)).rgba.equals(now.rgba)).toBe(true);
});

test('pause, single steps, stop and undo', async ({ page }) => {
  await ready(page, { steps: 100_000 });
  const untuned = await value(page, 'psnr');
  await page.click('#tune-step');
  await tuning(page, 'paused');
  expect(await value(page, 'tune-at')).toBe(1);
  await page.click('#tune-run');
  await tuning(page, 'running');
  await expect(page.locator('#tune-parts')).toBeDisabled();
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(3);
  await page.click('#tune-run');
  await tuning(page, 'paused');
  const at = await value(page, 'tune-at');
  await page.click('#tune-step');
  await expect.poll(() => value(page, 'tune-at')).toBe(at + 1);
  await tuning(page, 'paused');

  // A picture in the middle of it pauses it.
  await page.click('#tune-run');
  await tuning(page, 'running');
  await page.click('#square');
  await tuning(page, 'paused');
  await reaches(page, 'done');
  expect(await value(page, 'psnr')).toBe(untuned);
  await page.click('#tune-run');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(at + 2);
  await page.click('#tune-stop');
  await tuning(page, 'ended');
  await expect(page.locator('#tune-run')).toBeHidden();
  await page.click('#tune-undo');
  await tuning(page, 'idle');
  await expect(page.locator('#tune-view')).toBeHidden();
  await page.fill('#tune-steps', '2');
  await page.click('#tune-run');
  await tuning(page, 'ended');
  expect(await psnr(page, BEFORE)).toBe(untuned);
});

test('a loss that is no number is rolled back, and a lower rate offered', async ({ page }) => {
  await ready(page, { rate: '1e30' });
  await page.click('#tune-run');
  await complains(page, 'loss_not_finite', /^The loss was no number any more after step \d+, so the model is back at step 0\./);
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(0);
  expect(await psnr(page, NOW)).toBe(await psnr(page, BEFORE));
  await expect(page.locator('#tune-keep')).toBeHidden();
  await page.click('#alert button:has-text("tenth")');
  await expect(page.locator('#tune-rate')).toHaveValue('1e+29');
  await complains(page, 'loss_not_finite', /step 0/);
});

test('a kept model is in use, is there after a reload, and can be removed', async ({ page }) => {
  await ready(page);
  await page.click('#tune-run');
  await tuning(page, 'ended');
  const tuned = await psnr(page, NOW);
  await page.fill('#tune-name', 'tiny');
  await page.click('#tune-keep button:has-text("Keep")');
  await complains(page, 'argument', /already/);
  await page.fill('#tune-name', 'a/b “é” 💎');
  await page.click('#tune-keep button:has-text("Keep")');
  await expect(page.locator('#model')).toHaveValue('a/b “é” 💎');
  await reaches(page, 'done');
  await tuning(page, 'idle');
  expect(await value(page, 'psnr')).toBeCloseTo(tuned, 5);

  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toBeHidden();
  await expect(page.locator('#model')).toHaveValue('tiny');
  await expect(page.locator('#model-remove')).toBeHidden();
  await page.selectOption('#model', 'a/b “é” 💎 (yours)');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  expect(await value(page, 'psnr')).toBeCloseTo(tuned, 5);
  page.on('dialog', (dialog) => dialog.accept());
  await page.click('#model-remove');
  await expect(page.locator('#model')).toHaveValue('tiny');
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#model option', { hasText: 'yours' })).toHaveCount(0);
});

test('a tuning that was left goes on where it was, to the same end', async ({ page }) => {
  await ready(page);
  await page.click('#tune-run');
  await tuning(page, 'ended');
  const whole = await psnr(page, NOW);
  await page.click('#tune-undo');
  await tuning(page, 'idle');
  // As large as the photo, as without a choice.
  await page.selectOption('#tune-crop', '64');
  for (let step = 1; step <= 3; step += 1) {
    await page.click('#tune-step');
    await expect.poll(() => value(page, 'tune-at')).toBe(step);
    await tuning(page, 'paused');
  }
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toContainText('A tuning of tiny stopped at step 3 of 12.');
  await page.click('#tune-on');
  await tuning(page, 'ended');
  await expect(page.locator('#tune-crop')).toHaveValue('64');
  expect(await value(page, 'tune-at')).toBe(12);
  expect(await psnr(page, NOW)).toBe(whole);
  await page.click('#tune-undo');
  await tuning(page, 'idle');
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toBeHidden();
});

test('of two tabs that tune, one is kept, and it is offered when its tab is gone', async ({ page, context }) => {
  const first = await context.newPage();
  await withTiny(first);
  await ready(first);
  await first.click('#tune-step');
  await tuning(first, 'paused');
  await expect(first.locator('#tune-left')).toContainText('outlives this page');
  // The other one is offered nothing while the first is at it, and leaves its record alone.
  await ready(page, { steps: 2 });
  await expect(page.locator('#tune-offer')).toBeHidden();
  await page.click('#tune-run');
  await tuning(page, 'ended');
  await expect(page.locator('#tune-left')).toContainText('Another tab of this page is tuning too');
  await page.click('#tune-undo');
  await tuning(page, 'idle');
  await first.close();
  await page.reload();
  await expect(page.locator('#tune-offer')).toContainText('A tuning of tiny stopped at step 1 of 12.');

  // A third one takes it up, so that it is no longer the second's.
  const third = await context.newPage();
  await withTiny(third);
  await open(third);
  await third.click('#tune-on');
  await tuning(third, 'ended');
  await page.click('#tune-on');
  await complains(page, 'tuning_gone', /another tab goes on with it/);
  await expect(page.locator('#tune-offer')).toBeHidden();
  await third.close();
});

test('a worker that dies leaves the last snapshot to go on from', async ({ page }) => {
  await patchWorker(page, `
    self.addEventListener('message', ({ data }) => {
      if (data.kind === 'steps' && data.count === 1 && self.stepped) self.postMessage({ tell: 'dead', error: { code: 'worker_failed', message: 'test' } });
      self.stepped ||= data.kind === 'steps';
    });
  `);
  await ready(page);
  await page.click('#tune-step');
  await tuning(page, 'paused');
  await page.click('#tune-step');
  await complains(page, 'worker_failed', /started again/);
  await tuning(page, 'idle');
  await expect(page.locator('#tune-offer')).toContainText('stopped at step 1 of 12');
  await page.click('#tune-on');
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(12);
});

/** The engine's memory ends at so many bytes, as on a small machine. @param {number} most */
const memoryOf = (most) => `
  WebAssembly.instantiateStreaming = async (response, imports) => {
    const bytes = new Uint8Array(await (await response).arrayBuffer());
    const read = (at) => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++];
        value += (byte & 127) * 2 ** shift;
        if (byte < 128) return { value, at };
      }
    };
    const write = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...write(value >>> 7)]);
    // Sections follow the header of eight bytes: a kind, a length, and that many bytes.
    for (let start = 8; ; ) {
      const { value: length, at } = read(start + 1);
      if (bytes[start] === 5) {
        // One memory, so far without a limit, and its pages at first.
        const memory = [1, 1, ...write(read(at + 2).value), ...write(${most} / 65536)];
        const limited = new Blob([bytes.subarray(0, start), new Uint8Array([5, memory.length, ...memory]), bytes.subarray(at + length)]);
        return WebAssembly.instantiate(await limited.arrayBuffer(), imports);
      }
      start = at + length;
    }
  };
`;

test('without memory for a step it says so, and smaller crops get through', async ({ page }) => {
  await patchWorker(page, memoryOf(2 ** 28));
  await open(page);
  await rebuildSample(page, 'chelsea');
  const untuned = await value(page, 'psnr');
  await page.click('.tune-more summary');
  await page.fill('#tune-steps', '1');
  await page.click('#tune-run');
  await complains(page, 'out_of_memory', /^The tuning needed more memory than there is, so the engine was started again\. Smaller crops, under “More”, need less\.$/);
  await tuning(page, 'idle');
  await reaches(page, 'done');
  await expect(page.locator('#tune-offer')).toBeHidden();
  // It is pressed before the model is back, too.
  await page.click('#alert button:has-text("Start with crops of 128 pixels")');
  await expect(page.locator('#tune-crop')).toHaveValue('128');
  await tuning(page, 'ended');
  expect(await psnr(page, BEFORE)).toBe(untuned);
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

/** @type {[string, string, string][]} */
const FAILURES = [
  ['the browser has no room for its bytes', "throw new RangeError('Array buffer allocation failed')", 'out_of_memory'],
  ['the graphics device has no room', "console.error('panicked: wgpu error: Out of Memory'); throw new WebAssembly.RuntimeError('unreachable')", 'out_of_memory'],
  ['there is a bug', "console.error('panicked: index out of bounds'); throw new WebAssembly.RuntimeError('unreachable')", 'worker_failed'],
];

for (const [what, failing, code] of FAILURES) {
  test(`a step that fails because ${what}: ${code}`, async ({ page }) => {
    await patchWorker(page, `import('/pkg/tesserae.js').then(({ Tuner }) => (Tuner.prototype.step = async () => { ${failing}; }))`);
    await ready(page);
    await page.click('#tune-run');
    await complains(page, code, /the engine was started again|was started again; a smaller size/);
    await tuning(page, 'idle');
    const smaller = page.locator('#alert button:has-text("crops of 32 pixels")');
    await expect(smaller).toHaveCount(Number(code === 'out_of_memory'));
    if (code !== 'out_of_memory') return;
    // However often it is tried, the engine comes back.
    await smaller.click();
    for (let i = 0; i < 3; i += 1) {
      await complains(page, code, /the engine was started again/);
      await expect(smaller).toHaveCount(0);
      await page.click('#tune-run');
    }
    await complains(page, code, /the engine was started again/);
    await rebuildSample(page, 'coffee');
  });
}

test('every preset runs, on more pictures than one', async ({ page }) => {
  await ready(page, { steps: 2 });
  const { buffer, ...rest } = await smallPhoto(page);
  await page.setInputFiles('#tune-files', { ...rest, name: 'one.png', buffer });
  await dropOn(page, '#tune-pictures', { ...rest, name: 'two.png', buffer });
  // What is dropped there is not for the stage.
  await reaches(page, 'done');
  await expect(page.locator('html')).not.toHaveAttribute('data-dragging', /./);
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(3);
  await page.click('#tune-pictures button >> nth=0');
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);
  for (const [preset, title] of [['style', 'Picture'], ['noise', 'Damaged'], ['jpeg', 'Damaged']]) {
    await page.selectOption('#tune-preset', preset);
    await page.click('#tune-run');
    await tuning(page, 'ended');
    await expect(page.locator('#tune-view figcaption strong').first()).toHaveText(title);
    expect(await value(page, 'tune-loss')).toBeGreaterThan(0);
    await page.click('#tune-undo');
    await tuning(page, 'idle');
  }
  await page.setInputFiles('#tune-files', { name: 'broken.png', mimeType: 'image/png', buffer: buffer.subarray(0, 100) });
  await page.click('#tune-run');
  await complains(page, 'image_corrupt', /./);
  await tuning(page, 'idle');
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`a narrow page holds it, and axe finds nothing, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await ready(page);
    for (const button of ['#tune-step', '#tune-stop']) {
      await page.click(button);
      await tuning(page, button === '#tune-step' ? 'paused' : 'ended');
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`)).toEqual([]);
    }
  });
}
