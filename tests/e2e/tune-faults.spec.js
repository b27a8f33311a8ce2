// What interrupts a tuning, and what is then left of it.
import { complains, expect, open, patchWorker, pixels, reaches, rebuildSample, test, value, withTiny } from './app.js';
import { BEFORE, NOW, fill, more, pick, press, psnr, ready, tuning } from './panel.js';

test.beforeEach(({ page }) => withTiny(page));

test('a loss that is NaN is rolled back, and a lower rate offered', async ({ page }) => {
  await ready(page, { rate: '1e30' });
  await press(page, '#tune-run');
  await complains(page, 'loss_not_finite', /^The loss became NaN or infinite after step \d+, so the model is back at step 0\./);
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(0);
  expect(await psnr(page, NOW)).toBe(await psnr(page, BEFORE));
  await expect(page.locator('#tune-keep')).toBeHidden();
  await page.click('#alert button:has-text("tenth")');
  await expect(page.locator('#tune-rate')).toHaveValue('1e+29');
  await complains(page, 'loss_not_finite', /step 0/);

  // After a single step the weights are already broken, which only their picture shows.
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await press(page, '#tune-step');
  await complains(page, 'loss_not_finite', /back at step 0/);
  await tuning(page, 'ended');
});

test('steps continue while the tab is hidden, and the curve then has them all', async ({ page }) => {
  await ready(page, { steps: 40 });
  // Headless Chromium cannot hide a tab, so this simulates it: the page is told so, and gets no frames.
  await page.evaluate(() => {
    /** @type {FrameRequestCallback[]} */ const waiting = [];
    const frame = globalThis.requestAnimationFrame;
    /** @type {any} */ (globalThis).hide = (/** @type {boolean} */ hidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value: hidden });
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: hidden ? 'hidden' : 'visible' });
      globalThis.requestAnimationFrame = hidden ? (callback) => waiting.push(callback) : frame;
      document.dispatchEvent(new Event('visibilitychange'));
      if (!hidden) for (const callback of waiting.splice(0)) frame(callback);
    };
  });
  const hide = (/** @type {boolean} */ hidden) => page.evaluate((how) => /** @type {any} */ (globalThis).hide(how), hidden);
  await press(page, '#tune-run');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(2);
  await hide(true);
  const at = await value(page, 'tune-at');
  const curve = await pixels(page, '#tune-curve canvas');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(at + 10);
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(40);
  expect((await pixels(page, '#tune-curve canvas')).rgba.equals(curve.rgba)).toBe(true);
  await hide(false);
  await expect(page.locator('#tune-curve')).toHaveAttribute('data-count', '40');
  await expect.poll(async () => (await pixels(page, '#tune-curve canvas')).rgba.equals(curve.rgba)).toBe(false);
});

test('a tab closed during a run leaves its last snapshot to the next', async ({ page, context }) => {
  const first = await context.newPage();
  await withTiny(first);
  await ready(first, { steps: 60 });
  await press(first, '#tune-run');
  await expect.poll(() => value(first, 'tune-at')).toBeGreaterThan(11);
  await tuning(first, 'running');
  await first.close();
  await open(page);
  await expect(page.locator('#tune-offer')).toContainText(/A tuning of tiny stopped at step [1-5]0 of 60\./);
  await page.click('#tune-on');
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(60);
  await expect(page.locator('#tune-curve')).toHaveAttribute('data-count', '60');
});

test('an unfinished tuning resumes where it stopped, with the same result', async ({ page }) => {
  await ready(page);
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  const whole = await psnr(page, NOW);
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  // As large as the photo, which is the default.
  await pick(page, '#tune-crop', '64');
  for (let step = 1; step <= 3; step += 1) {
    await press(page, '#tune-step');
    await expect.poll(() => value(page, 'tune-at')).toBe(step);
    await tuning(page, 'paused');
  }
  // A tab may be closed while it writes a record.
  await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('tesserae-tuning');
    await folder.getFileHandle('record-4', { create: true });
  });
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toContainText('A tuning of tiny stopped at step 3 of 12.');
  await page.click('#tune-on');
  await tuning(page, 'ended');
  await expect(page.locator('#tune-crop')).toHaveValue('64');
  expect(await value(page, 'tune-at')).toBe(12);
  expect(await psnr(page, NOW)).toBe(whole);
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toBeHidden();
});

test('of two tabs that tune, one is saved, and it is offered when its tab is closed', async ({ page, context }) => {
  const first = await context.newPage();
  await withTiny(first);
  await ready(first);
  await press(first, '#tune-step');
  await tuning(first, 'paused');
  await expect(first.locator('#tune-left')).toContainText('This tuning is saved');
  // The other tab is offered nothing while the first is tuning, and leaves its record alone.
  await ready(page, { steps: 2 });
  await expect(page.locator('#tune-offer')).toBeHidden();
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  await expect(page.locator('#tune-left')).toContainText('Another tab of this page is tuning too');
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await first.close();
  await expect(page.locator('#tune-offer')).toBeVisible();
  await expect(page.locator('#tune-offer')).toContainText('A tuning of tiny stopped at step 1 of 12.');

  // A third tab resumes it, so that the second no longer can.
  const third = await context.newPage();
  await withTiny(third);
  await open(third);
  await third.click('#tune-on');
  await tuning(third, 'ended');
  await expect(third.locator('#tune-offer')).toBeHidden();
  await page.click('#tune-on');
  await complains(page, 'tuning_gone', /another tab has resumed or discarded it/);
  await expect(page.locator('#tune-offer')).toBeHidden();
  await third.close();
});

test('a worker that crashes leaves the last snapshot to resume from', async ({ page }) => {
  await patchWorker(
    page,
    `
    self.addEventListener('message', ({ data }) => {
      if (data.kind === 'steps' && data.count === 1 && self.stepped) self.postMessage({ tell: 'dead', error: { code: 'worker_failed', message: 'test' } });
      self.stepped ||= data.kind === 'steps';
    });
  `,
  );
  await ready(page);
  await press(page, '#tune-step');
  await tuning(page, 'paused');
  await press(page, '#tune-step');
  await complains(page, 'worker_failed', /was restarted/);
  await tuning(page, 'idle');
  await expect(page.locator('#tune-offer')).toContainText('stopped at step 1 of 12');
  await page.click('#tune-on');
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(12);
});

/** Limits the engine's memory to this many bytes, as on a small machine. @param {number} most */
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

test('without memory for a step it says so, and smaller crops work', async ({ page }) => {
  await patchWorker(page, memoryOf(2 ** 28));
  await open(page);
  await rebuildSample(page, 'chelsea');
  const untuned = await value(page, 'psnr');
  await more(page);
  await fill(page, '#tune-steps', '1');
  await press(page, '#tune-run');
  await complains(
    page,
    'out_of_memory',
    /^The training ran out of memory, so the engine was restarted\. Smaller pictures or crops need less\.$/,
  );
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
  [
    'the graphics device has no room',
    "console.error('panicked: wgpu error: Out of Memory'); throw new WebAssembly.RuntimeError('unreachable')",
    'out_of_memory',
  ],
  ['there is a bug', "console.error('panicked: index out of bounds'); throw new WebAssembly.RuntimeError('unreachable')", 'worker_failed'],
];

for (const [what, failing, code] of FAILURES) {
  test(`a step that fails because ${what}: ${code}`, async ({ page }) => {
    await patchWorker(
      page,
      `import(new URL('../pkg/tesserae.js', import.meta.url).href).then(({ Tuner }) => (Tuner.prototype.step = async () => { ${failing}; }))`,
    );
    await ready(page);
    await press(page, '#tune-run');
    await complains(page, code, /the engine was restarted|was restarted; a smaller size/);
    await tuning(page, 'idle');
    const smaller = page.locator('#alert button:has-text("crops of 32 pixels")');
    await expect(smaller).toHaveCount(Number(code === 'out_of_memory'));
    if (code !== 'out_of_memory') return;
    // However often it is tried, the engine recovers.
    await smaller.click();
    for (let i = 0; i < 3; i += 1) {
      await complains(page, code, /the engine was restarted/);
      await expect(smaller).toHaveCount(0);
      await press(page, '#tune-run');
    }
    await complains(page, code, /the engine was restarted/);
    await rebuildSample(page, 'coffee');
  });
}
