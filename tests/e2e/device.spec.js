// The choice of device, and every way in which WebGPU can fail: each has its code and falls back to the CPU.
import {
  GRID,
  REBUILT,
  chooseDevice,
  complains,
  deviceFacts,
  drop,
  engines,
  expect,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  rebuildSample,
  smallPhoto,
  test,
  withTiny,
} from './app.js';

/** @param {import('@playwright/test').Page} page @param {'cpu' | 'webgpu'} kind */
const runsOn = (page, kind) => expect(page.locator('#device')).toHaveAttribute('data-kind', kind);

test('automatic: a software adapter means the CPU, and the page says why', async ({ page }) => {
  await withTiny(page);
  await open(page, 'device=auto');
  await runsOn(page, 'cpu');
  await expect(page.locator('#device')).toContainText(/software/i);
  await deviceFacts(page);
  const facts = page.locator('#device-facts');
  await expect(facts).toContainText('google');
  await expect(facts).toContainText('swiftshader');
  await expect(facts).toContainText('timestamp-query');
  await expect(facts).toContainText(/maxStorageBufferBindingSize|max_storage_buffer_binding_size/);
  await page.keyboard.press('Escape');
  await rebuildSample(page, 'coffee');
});

test('the visitor switches, and both devices find the same tokens', async ({ page }) => {
  await withTiny(page);
  await open(page, 'device=webgpu');
  await runsOn(page, 'webgpu');
  await rebuildSample(page, 'astronaut');
  const graphics = await pixels(page, GRID);
  const psnr = await page.locator('#psnr').textContent();
  await chooseDevice(page, 'cpu');
  await runsOn(page, 'cpu');
  await reaches(page, 'done');
  expect(page.url()).toContain('device=cpu');
  const processor = await pixels(page, GRID);
  const cells = processor.rgba.length / 4;
  let different = 0;
  for (let i = 0; i < cells; i += 1) if (processor.rgba.readUInt32LE(i * 4) !== graphics.rgba.readUInt32LE(i * 4)) different += 1;
  expect(different).toBeLessThanOrEqual(cells * 0.005);
  expect(await page.locator('#psnr').textContent()).toBe(psnr);
});

/** @type {[string, string, string][]} */
const BROKEN = [
  ['WebGPU is absent', 'webgpu_absent', "Object.defineProperty(WorkerNavigator.prototype, 'gpu', { get: () => undefined })"],
  ['no adapter is offered', 'adapter_absent', 'GPU.prototype.requestAdapter = async () => null'],
  ['a feature is missing', 'feature_missing', "Object.defineProperty(GPUAdapter.prototype, 'features', { get: () => new Set() })"],
  [
    'the adapter refuses',
    'device_refused',
    "GPUAdapter.prototype.requestDevice = async () => { throw new DOMException('not today', 'OperationError'); }",
  ],
  ['the device computes nothing', 'self_test_failed', 'GPUComputePassEncoder.prototype.dispatchWorkgroups = () => {}'],
];

for (const [what, code, patch] of BROKEN) {
  test(`${what}: the CPU takes over`, async ({ page }) => {
    await withTiny(page);
    await patchWorker(page, patch);
    await open(page, 'device=webgpu');
    await runsOn(page, 'cpu');
    await expect(page.locator('#device')).toHaveAttribute('data-problem', code);
    await rebuildSample(page, 'chelsea');
  });
}

/** The worker's timers run ten times as fast. */
const FAST = 'const slow = setTimeout; self.setTimeout = (run, ms, ...rest) => slow(run, ms / 10, ...rest)';

/** @type {[string, string, string][]} */
const HUNG = [
  ['the driver does not answer', 'adapter_absent', 'GPU.prototype.requestAdapter = () => new Promise(() => {})'],
  ['the device does not answer', 'self_test_failed', 'GPUBuffer.prototype.mapAsync = () => new Promise(() => {})'],
];

for (const [what, code, patch] of HUNG) {
  test(`${what}: the CPU takes over in the end`, async ({ page }) => {
    await withTiny(page);
    await patchWorker(page, `${patch}; ${FAST}`);
    await open(page, 'device=webgpu');
    await runsOn(page, 'cpu');
    await expect(page.locator('#device')).toHaveAttribute('data-problem', code);
    await rebuildSample(page, 'chelsea');
  });
}

test('a slow device is not taken for one that hangs', async ({ page }) => {
  await withTiny(page);
  // By the waiting side's clock, each of five answers takes 75 s. These ticks pass at once, so other work
  // on the machine makes no difference.
  await patchWorker(
    page,
    `
    let [answers, ticks, answer] = [0, 0, null];
    const wait = setTimeout;
    self.setTimeout = (run, ms, ...rest) => {
      if (ms !== 250 || !answer) return wait(run, ms, ...rest);
      if (++ticks === 300) answer = answer();
      return wait(run, 0, ...rest);
    };
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = async function (...range) {
      if (++answers <= 5) await new Promise((resolve) => { [ticks, answer] = [0, resolve]; });
      return map.apply(this, range);
    }`,
  );
  await open(page, 'device=webgpu');
  await runsOn(page, 'webgpu');
  await expect(page.locator('#device')).not.toHaveAttribute('data-problem', /./);
});

test('WebGPU removed: automatic is the CPU too, without an alert', async ({ page }) => {
  await withTiny(page);
  await patchWorker(page, BROKEN[0][2]);
  await open(page, '');
  await runsOn(page, 'cpu');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

test('the device is lost during a run: the picture is finished on the CPU', async ({ page }) => {
  await withTiny(page);
  await patchWorker(
    page,
    `
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...wish) {
      return (globalThis.lastDevice = await request.apply(this, wish));
    };
    let sent = 0;
    const submit = GPUQueue.prototype.submit;
    GPUQueue.prototype.submit = function (work) {
      // The page arms this once the model is loaded.
      if (globalThis.armed && ++sent === 2) globalThis.lastDevice.destroy();
      return submit.call(this, work);
    }`,
  );
  await open(page, 'device=webgpu');
  await runsOn(page, 'webgpu');
  await page.workers()[0].evaluate(() => {
    /** @type {any} */ (globalThis).armed = true;
  });
  await page.click('#samples button[data-sample=coffee]');
  await complains(page, 'device_lost', /lost/);
  await runsOn(page, 'cpu');
  await expect(page.locator('#device')).toHaveAttribute('data-problem', 'device_lost');
  await expect(page.locator('html')).toHaveAttribute('data-state', 'done');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await rebuildSample(page, 'chelsea');
});

for (const [which, at] of /** @type {[string, number][]} */ ([
  ['first', 1],
  ['fifth', 5],
])) {
  test(`a shader that the browser refuses after the self-test, the ${which} of a picture: the CPU's picture is shown`, async ({ page }) => {
    await withTiny(page);
    await open(page, 'device=cpu');
    const photo = await smallPhoto(page, 32);
    await drop(page, photo);
    await reaches(page, 'done');
    const [tokens, picture] = [await pixels(page, GRID), await pixels(page, REBUILT)];

    await patchWorker(
      page,
      `
      const create = GPUDevice.prototype.createShaderModule;
      self.made = 0;
      GPUDevice.prototype.createShaderModule = function (wish) {
        if (!self.armed || ++self.made !== ${at}) return create.call(this, wish);
        return create.call(this, { ...wish, code: wish.code + ' this is no WGSL' });
      }`,
    );
    await page.goto('about:blank');
    await open(page, 'device=webgpu');
    await runsOn(page, 'webgpu');
    const [engine] = await engines(page);
    await engine.evaluate(() => {
      /** @type {any} */ (self).armed = true;
    });
    // No picture of the broken device may be shown, not even for a moment.
    await page.evaluate(() => {
      const compare = /** @type {any} */ (document.querySelector('#compare'));
      const { showRebuilt } = compare;
      Object.assign(globalThis, { shown: 0 });
      compare.showRebuilt = (/** @type {any[]} */ ...words) => {
        /** @type {any} */ (globalThis).shown += 1;
        showRebuilt.apply(compare, words);
      };
    });
    await drop(page, photo);
    await complains(page, 'device_lost', /on the CPU/);
    await runsOn(page, 'cpu');
    await reaches(page, 'done');
    expect((await pixels(page, REBUILT)).rgba.equals(picture.rgba)).toBe(true);
    expect((await pixels(page, GRID)).rgba.equals(tokens.rgba)).toBe(true);
    expect(await page.evaluate(() => /** @type {any} */ (globalThis).shown)).toBe(1);
  });
}

test('a shader that the browser refuses while a model is loaded: the model is loaded on the CPU', async ({ page }) => {
  await withTiny(page);
  await patchWorker(
    page,
    `
    const create = GPUDevice.prototype.createShaderModule;
    let loading = false;
    self.addEventListener('message', ({ data }) => (loading ||= data.kind === 'load'));
    GPUDevice.prototype.createShaderModule = function (wish) {
      return create.call(this, loading ? { ...wish, code: 'this is no WGSL' } : wish);
    };
    // Reading the codebook does not cause one, so the test makes the engine cause one.
    const message = GPUQueue.prototype.writeBuffer;
    GPUQueue.prototype.writeBuffer = function (...words) {
      if (loading && !self.broken) {
        self.broken = true;
        const device = self.device;
        const module = device.createShaderModule({ code: '' });
        device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' } });
      }
      return message.apply(this, words);
    };
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...wish) {
      return (self.device = await request.apply(this, wish));
    }`,
  );
  await open(page, 'device=webgpu');
  await runsOn(page, 'cpu');
  await modelIs(page, 'tiny');
  await complains(page, 'device_lost', /on the CPU/);
  await rebuildSample(page, 'chelsea');
});
