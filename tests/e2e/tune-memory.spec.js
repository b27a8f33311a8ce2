// How much of the graphics device's memory a tuning uses, and that it frees it.
import { expect, patchWorker, test, withTiny } from './app.js';
import { COUNT, alive, collecting } from './buffers.js';
import { press, ready, tuning } from './panel.js';

test.use(collecting);

test('undo frees the graphics device’s memory, and a second tuning uses no more', async ({ page }) => {
  await withTiny(page);
  await patchWorker(page, COUNT);
  await ready(page, { steps: 3, device: 'webgpu', side: 32 });
  const before = await alive(page);
  const taken = [];
  for (let run = 0; run < 2; run += 1) {
    await press(page, '#tune-run');
    await tuning(page, 'ended');
    const during = await alive(page);
    await press(page, '#tune-undo');
    await tuning(page, 'idle');
    await expect.poll(() => alive(page)).toBeLessThan(during);
    taken.push({ during, after: await alive(page) });
  }
  const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  console.log(
    `before ${megabytes(before)}; ${taken.map(({ during, after }) => `tuning ${megabytes(during)}, undone ${megabytes(after)}`).join('; ')}`,
  );
  const [first, second] = taken;
  expect(first.after).toBeLessThanOrEqual(1.2 * before);
  expect(second.during).toBeLessThanOrEqual(1.1 * first.during);
  expect(second.after).toBeLessThanOrEqual(1.1 * first.after);
});
