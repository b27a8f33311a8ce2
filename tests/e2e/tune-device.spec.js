// Fine-tuning on WebGPU. The software adapter takes seconds for the first step of the tiny model on few
// pixels, and most of a second for each of the others.
import {
  REBUILT,
  complains,
  drop,
  expect,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  saved,
  smallPhoto,
  test,
  value,
  withTiny,
} from './app.js';
import { BEFORE, NOW, ends, fill, press, psnr, ready, tuning } from './panel.js';

const SIDE = 32;

test.beforeEach(({ page }) => withTiny(page));

test('WebGPU: the loss falls, the picture moves, and the file makes the same picture after a reload', async ({ page }) => {
  await ready(page, { steps: 8, device: 'webgpu', side: SIDE });
  const untuned = await value(page, 'psnr');
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  expect(await value(page, 'tune-at')).toBe(8);
  await expect(page.locator('#tune-curve')).toHaveAttribute('data-count', '8');
  const [first, last] = await ends(page);
  expect(last).toBeLessThan(first);
  expect(await psnr(page, BEFORE)).toBeCloseTo(untuned, 5);
  const tuned = await psnr(page, NOW);
  expect(tuned).toBeGreaterThan(untuned);
  const now = (await pixels(page, `${NOW} canvas`)).rgba;
  expect(now.equals((await pixels(page, `${BEFORE} canvas`)).rgba)).toBe(false);
  console.log(`${(1 / (await value(page, 'tune-speed'))).toFixed(2)} s/step, from ${untuned.toFixed(2)} to ${tuned.toFixed(2)} dB`);
  await fill(page, '#tune-name', 'mine');
  const file = await saved(page, '#tune-save');

  for (const device of ['webgpu', 'cpu']) {
    await page.goto('about:blank');
    await open(page, `device=${device}`);
    await drop(page, file);
    await modelIs(page, 'mine.safetensors');
    await drop(page, await smallPhoto(page, SIDE));
    await reaches(page, 'done');
    const { rgba } = await pixels(page, REBUILT);
    let far = 0;
    for (let i = 0; i < rgba.length; i += 1) far = Math.max(far, Math.abs(rgba[i] - now[i]));
    // The file has exactly these weights. Two devices, or two choices of kernels on one, agree within 1e-3
    // of the largest value, which changes a sample by at most one.
    expect(far).toBeLessThanOrEqual(1);
    expect(await value(page, 'psnr')).toBeCloseTo(tuned, 1);
  }
});

/** @type {[string, 'tune' | 'steps', number, RegExp][]} */
const LOSSES = [
  ['as the tuning begins', 'tune', 0, /so the work continues on the CPU/],
  ['in its first step', 'steps', 0, /so the tuning starts again on the CPU/],
  ['in mid-tuning', 'steps', 1, /so the tuning continues on the CPU from step 1/],
];

for (const [when, job, steps, sentence] of LOSSES) {
  test(`the device is lost ${when}: the tuning continues on the CPU`, async ({ page }) => {
    await patchWorker(
      page,
      `
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...wish) {
        return (globalThis.lastDevice = await request.apply(this, wish));
      };
      let sent = -Infinity;
      self.addEventListener('message', ({ data }) => {
        if (data.kind === globalThis.armed) sent = 0;
      });
      const submit = GPUQueue.prototype.submit;
      GPUQueue.prototype.submit = function (work) {
        if (++sent === 2) globalThis.lastDevice.destroy();
        return submit.call(this, work);
      }`,
    );
    await ready(page, { steps: 3, device: 'webgpu', side: SIDE });
    if (steps) {
      await press(page, '#tune-step');
      await tuning(page, 'paused');
    }
    await page.workers()[0].evaluate((kind) => {
      /** @type {any} */ (globalThis).armed = kind;
    }, job);
    await press(page, '#tune-run');
    await complains(page, 'device_lost', sentence);
    await tuning(page, 'ended');
    await expect(page.locator('#device')).toHaveAttribute('data-kind', 'cpu');
    expect(await value(page, 'tune-at')).toBe(3);
    await expect(page.locator('#tune-curve')).toHaveAttribute('data-count', '3');
    const [first, last] = await ends(page);
    expect(last).toBeLessThan(first);
    expect(await psnr(page, NOW)).toBeGreaterThan(await psnr(page, BEFORE));
    await expect(page.locator('#tune-offer')).toBeHidden();
    await reaches(page, 'done');
  });
}
