// Picture files that crash a decoder, or that are too large: neither the engine, nor its device, nor a
// running tuning is lost.
import {
  complains,
  drop,
  dropOn,
  engines,
  expect,
  flatPng,
  modelIs,
  open,
  patchDecoder,
  patchWorker,
  reaches,
  room,
  rebuildSample,
  smallPhoto,
  test,
  value,
  withPackage,
  withTiny,
} from './app.js';
import { press, ready, tuning } from './panel.js';

test.beforeEach(({ page }) => withTiny(page));

const DEADLY = {
  name: 'deadly.png',
  mimeType: 'image/png',
  buffer: Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(658)]),
};
/** A function that only traps, as a panic does. */
const TRAP =
  'const trap = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 5, 1, 3, 0, 0, 11]))).exports.f;';
const dies = (/** @type {string} */ panic) =>
  withPackage(`
  ${TRAP}
  for (const name of ['decode', 'decodeFit']) {
    const decode = wasm.Picture[name];
    wasm.Picture[name] = (bytes, ...rest) => {
      if (bytes.length !== ${DEADLY.buffer.length}) return decode(bytes, ...rest);
      ${panic}
      trap();
    };
  }`);
const PANIC = "console.error('panicked at image/src/lib.rs: range end index 9 out of range');";

for (const device of ['cpu', 'webgpu']) {
  test(`a decoder that panics costs neither device nor tuning, on ${device}`, async ({ page }) => {
    await patchDecoder(page, dies(PANIC));
    await ready(page, { steps: 3, device, side: 32 });
    await press(page, '#tune-step');
    await tuning(page, 'paused');
    const before = await engines(page);
    // Any number of times.
    for (let i = 0; i < 4; i += 1) {
      await drop(page, DEADLY);
      await complains(page, 'image_corrupt', /^This picture could not be decoded, so its file is probably damaged\./);
      await reaches(page, 'error');
    }
    await tuning(page, 'paused');
    await drop(page, await smallPhoto(page, 32));
    await reaches(page, 'done');
    await expect(page.locator('#device')).toHaveAttribute('data-kind', device);
    await expect(page.locator('#device')).not.toHaveAttribute('data-problem', /./);
    expect(await engines(page)).toEqual(before);
    await press(page, '#tune-run');
    await tuning(page, 'ended');
    expect(await value(page, 'tune-at')).toBe(3);
  });
}

test('a picture that needs more memory than there is is reported as too large', async ({ page }) => {
  await patchDecoder(page, dies(''));
  await open(page);
  await drop(page, DEADLY);
  await complains(page, 'image_too_large', /more memory than the browser has/);
  await rebuildSample(page, 'coffee');
});

test('a tuning reports which of its pictures crashed a decoder, and continues with the others', async ({ page }) => {
  await patchDecoder(page, dies(PANIC));
  await ready(page, { steps: 1 });
  await dropOn(page, '#tune-pictures', await smallPhoto(page), DEADLY);
  await press(page, '#tune-run');
  await complains(page, 'image_corrupt', /^Picture 3 of 3: This picture could not be decoded/);
  await tuning(page, 'idle');
  await page.click('[aria-label="Remove picture 3"]');
  await press(page, '#tune-run');
  await tuning(page, 'ended');
});

test('an engine that crashes before the first part of a picture blames the file, not the device', async ({ page }) => {
  await patchWorker(
    page,
    `
    self.addEventListener('message', (event) => {
      if (event.data.kind !== 'picture' || event.data.photo.blob.size !== ${DEADLY.buffer.length}) return;
      event.stopImmediatePropagation();
      self.postMessage({ tell: 'dead', error: { code: 'worker_failed', message: 'unreachable' } });
    });`,
  );
  await open(page, 'device=webgpu');
  for (let i = 0; i < 2; i += 1) {
    await drop(page, DEADLY);
    await complains(page, 'image_corrupt', /could not be decoded/);
  }
  await drop(page, await smallPhoto(page, 32));
  await reaches(page, 'done');
  await expect(page.locator('#device')).toHaveAttribute('data-kind', 'webgpu');
  await expect(page.locator('#device')).not.toHaveAttribute('data-problem', /./);
  await modelIs(page, 'tiny');
});

test('a decoder that cannot be loaded is loaded again for the next picture', async ({ page }) => {
  let loads = 0;
  await page.route('**/engine/decoder.js', (route) => (++loads > 2 ? route.continue() : route.abort()));
  await open(page);
  await expect.poll(() => loads).toBe(1);
  await expect.poll(() => page.workers().length).toBe(1);
  await drop(page, await smallPhoto(page));
  await complains(page, 'download_failed', /^The part of this page that decodes pictures could not be loaded\./);
  await rebuildSample(page, 'coffee');
});

test('a cancel ends a decoder that hangs, and nothing else', async ({ page }) => {
  await patchDecoder(page, dies('for (;;);'));
  await open(page);
  const before = await engines(page);
  await drop(page, DEADLY);
  await reaches(page, 'working');
  await page.click('#cancel');
  await reaches(page, 'ready');
  await rebuildSample(page, 'coffee');
  expect(await engines(page)).toEqual(before);
});

test('at its original size a picture is refused before a copy is made for the screen', async ({ page }) => {
  await patchWorker(
    page,
    withPackage(`
    const { rgba } = wasm.Picture.prototype;
    self.largest = 0;
    wasm.Picture.prototype.rgba = function () {
      self.largest = Math.max(self.largest, this.width * this.height);
      return rgba.call(this);
    };`),
  );
  await open(page, 'device=cpu&size=0');
  const [engine] = await engines(page);
  const largest = () => engine.evaluate(() => /** @type {any} */ (self).largest);
  const before = await value(page, 'memory');
  await drop(page, { name: 'large.png', mimeType: 'image/png', buffer: flatPng(6000, 5000) });
  await complains(page, 'image_too_large', /^This picture is 6000×5000; the largest of its shape that fits is /);
  expect(await largest()).toBe(0);
  await page.selectOption('#size', '256');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  expect(await largest()).toBe(64 * 64);
  expect((await value(page, 'memory')) - before).toBeLessThan(64 * 2 ** 20);
});

test('a tuning keeps its pictures at the size that it uses', async ({ page }) => {
  await ready(page, { steps: 1 });
  const before = await value(page, 'memory');
  const count = 20;
  const photos = Array.from({ length: count }, (_, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer: flatPng(2048, 1536) }));
  await page.setInputFiles('#tune-files', photos);
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  const taken = (await value(page, 'memory')) - before;
  console.log(`${count} pictures of 2048 × 1536: ${(taken / 1e6).toFixed(1)} MB more`);
  // At full size they are 189 MB.
  expect(taken).toBeLessThan(64 * 2 ** 20);
});

test('a thumbnail is made once, one picture at a time', async ({ page }) => {
  await page.addInitScript(() => {
    const scope = /** @type {any} */ (globalThis);
    Object.assign(scope, { made: 0, open: 0, most: 0 });
    const make = createImageBitmap;
    scope.createImageBitmap = async (/** @type {any} */ from) => {
      scope.made += 1;
      scope.most = Math.max(scope.most, ++scope.open);
      const image = await make(from);
      const { close } = image;
      image.close = () => ((scope.open -= 1), close.call(image));
      return image;
    };
  });
  await open(page);
  const buffer = flatPng(800, 600);
  await drop(page, { name: 'stage.png', buffer });
  await reaches(page, 'done');
  await room(page, 'tune');
  const counts = () =>
    page.evaluate(() => {
      const { made, open, most } = /** @type {any} */ (globalThis);
      return { made, open, most };
    });
  await expect.poll(counts).toEqual({ made: 1, open: 0, most: 1 });
  await page.setInputFiles(
    '#tune-files',
    Array.from({ length: 12 }, (_, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer })),
  );
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(13);
  await expect.poll(counts).toEqual({ made: 13, open: 0, most: 1 });
  await page.click('[aria-label="Remove picture 5"]');
  await page.setInputFiles('#tune-files', { name: 'more.png', mimeType: 'image/png', buffer });
  await drop(page, { name: 'other.png', buffer });
  await reaches(page, 'done');
  await expect.poll(counts).toEqual({ made: 15, open: 0, most: 1 });
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(13);
  const grey = await page.locator('#tune-pictures canvas').evaluateAll((all) =>
    all.map((canvas) => {
      return /** @type {HTMLCanvasElement} */ (canvas).getContext('2d')?.getImageData(64, 64, 1, 1).data[3];
    }),
  );
  expect(grey).toEqual(Array(13).fill(255));
});
