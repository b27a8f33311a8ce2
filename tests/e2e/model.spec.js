// The model shown is the model in use, whatever fails or is cancelled, and there is always a way to continue.
import {
  SHIPPED,
  TINY,
  chooseDevice,
  chooseModel,
  complains,
  drop,
  engines,
  expect,
  file,
  modelInUse,
  modelIs,
  open,
  patchWorker,
  reaches,
  rebuildSample,
  smallPhoto,
  test,
  withTiny,
} from './app.js';

/** @typedef {import('@playwright/test').Page} Page */

test.beforeEach(({ page }) => withTiny(page));

/** Delays the next engine until it is released. @param {Page} page */
async function holdEngine(page) {
  /** @type {(value?: unknown) => void} */ let letGo = () => {};
  const held = new Promise((resolve) => {
    letGo = resolve;
  });
  await page.route('**/engine/worker.js', async (route) => {
    await held;
    await route.fallback();
  });
  return letGo;
}

/** Delays a shipped model's download until it is answered. @param {Page} page @param {{file: string}} entry */
async function holdDownload(page, entry) {
  /** @type {(answer: object) => void} */ let answer = () => {};
  const held = /** @type {Promise<object>} */ (
    new Promise((resolve) => {
      answer = resolve;
    })
  );
  await page.route(`**/models/${entry.file}`, async (route) => route.fulfill(await held));
  return answer;
}

/** @param {Page} page @param {string} name */
async function works(page, name) {
  await modelIs(page, name);
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await modelIs(page, name);
}

test('cancel while the device is switched: the model comes back, and pictures work', async ({ page }) => {
  await open(page, 'device=auto');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  const letGo = await holdEngine(page);
  await chooseDevice(page, 'cpu');
  await reaches(page, 'working');
  await page.click('#cancel');
  await reaches(page, 'done');
  letGo();
  await works(page, 'tiny');
});

test('cancel after the device was lost: the model comes back, and pictures work', async ({ page }) => {
  await patchWorker(
    page,
    `
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (...wish) {
      return (globalThis.lastDevice = await request.apply(this, wish));
    };
    const submit = GPUQueue.prototype.submit;
    GPUQueue.prototype.submit = function (work) {
      if (globalThis.armed) globalThis.lastDevice.destroy();
      return submit.call(this, work);
    }`,
  );
  await open(page, 'device=webgpu');
  const [engine] = await engines(page);
  await engine.evaluate(() => {
    /** @type {any} */ (globalThis).armed = true;
  });
  const letGo = await holdEngine(page);
  await drop(page, await smallPhoto(page, 32));
  await complains(page, 'device_lost', /lost/);
  await page.click('#cancel');
  await reaches(page, 'ready');
  letGo();
  await works(page, 'tiny');
});

test('another model chosen while the device is switched: if it fails, the one before comes back', async ({ page }) => {
  await open(page, 'device=auto');
  const letGo = await holdEngine(page);
  await page.route(`**/models/${SHIPPED[0].file}`, (route) => route.fulfill({ status: 404, body: 'gone' }));
  await chooseDevice(page, 'cpu');
  await chooseModel(page, SHIPPED[0].name);
  letGo();
  await complains(page, 'download_failed', /404/);
  await works(page, 'tiny');
});

test('a model that cannot be loaded again is no longer named, and can be requested again', async ({ page }) => {
  await open(page, 'device=auto');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await page.evaluate(async () => {
    for (const name of await caches.keys()) await caches.delete(name);
  });
  await page.route('**/models/tiny.safetensors', (route) => route.fulfill({ status: 404, body: 'gone' }));
  await chooseDevice(page, 'cpu');
  await complains(page, 'download_failed', /404/);
  await reaches(page, 'error');
  expect(await modelInUse(page)).toBe('');
  await page.unroute('**/models/tiny.safetensors');
  await withTiny(page);
  await page.click('#alert button:has-text("Try again")');
  await reaches(page, 'done');
  await works(page, 'tiny');
});

test('a switch that fails while a picture was dropped is reported, and the picture is rebuilt by the model in use', async ({ page }) => {
  await open(page);
  const answer = await holdDownload(page, SHIPPED[0]);
  await chooseModel(page, SHIPPED[0].name);
  await reaches(page, 'loading');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'working');
  answer({ status: 404, body: 'gone' });
  await complains(page, 'download_failed', /404/);
  await reaches(page, 'done');
  await complains(page, 'download_failed', /404/);
  await modelIs(page, 'tiny');
  expect(page.url()).not.toContain(`model=${SHIPPED[0].name}`);
  // Choosing it again requests it again.
  await page.unroute(`**/models/${SHIPPED[0].file}`);
  await chooseModel(page, SHIPPED[0].name);
  await reaches(page, 'done');
  await expect(page.locator('#model-facts')).not.toBeEmpty();
  await modelIs(page, SHIPPED[0].name);
  expect(page.url()).toContain(`model=${SHIPPED[0].name}`);
});

test('a switch that is cancelled keeps showing the model in use', async ({ page }) => {
  await open(page);
  const answer = await holdDownload(page, SHIPPED[0]);
  await chooseModel(page, SHIPPED[0].name);
  await reaches(page, 'loading');
  await page.click('#cancel');
  await reaches(page, 'ready');
  await modelIs(page, 'tiny');
  answer({ body: file(`www/models/${SHIPPED[0].file}`) });
  await works(page, 'tiny');
});

test('a link to a model that fails leaves the address with the model in use', async ({ page }) => {
  await open(page);
  await rebuildSample(page, 'coffee');
  await page.route(`**/models/${SHIPPED[0].file}`, (route) => route.fulfill({ status: 404, body: 'gone' }));
  await page.evaluate((name) => {
    location.hash = `device=cpu&model=${name}`;
  }, SHIPPED[0].name);
  await complains(page, 'download_failed', /404/);
  await expect.poll(() => page.url()).toContain('model=tiny');
  await works(page, 'tiny');
});

test('a picture that arrives before the list of models is rebuilt once the model is loaded', async ({ page }) => {
  /** @type {(value?: unknown) => void} */ let letGo = () => {};
  const held = new Promise((resolve) => {
    letGo = resolve;
  });
  await page.route('**/models/index.json', async (route) => {
    await held;
    await route.fallback();
  });
  await page.goto('/#device=cpu');
  await expect(page.locator('#device')).toHaveAttribute('data-kind', 'cpu');
  await drop(page, await smallPhoto(page));
  letGo();
  await reaches(page, 'done');
  await modelIs(page, 'tiny');
});

test('a model in use whose repeated download is cancelled is no longer named, and can be chosen again', async ({ page }) => {
  await open(page);
  await page.evaluate(async () => {
    for (const name of await caches.keys()) await caches.delete(name);
  });
  const answer = await holdDownload(page, { file: 'tiny.safetensors' });
  const asked = page.waitForRequest('**/models/tiny.safetensors');
  await chooseDevice(page, 'auto');
  await asked;
  await page.click('#cancel');
  await reaches(page, 'ready');
  await modelIs(page, '');
  answer({ path: TINY });
  await chooseModel(page, 'tiny');
  await reaches(page, 'ready');
  await works(page, 'tiny');
});
