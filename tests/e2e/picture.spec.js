// A picture goes in and comes out again, with the shipped model on the CPU.
import {
  GRID,
  ORIGINAL,
  REBUILT,
  SHIPPED,
  drop,
  expect,
  file,
  modelIs,
  open,
  pixels,
  reaches,
  rebuildSample,
  sample,
  saved,
  test,
  value,
} from './app.js';

test('the model downloads with byte-accurate progress that never goes back', async ({ page }) => {
  await page.addInitScript(() => {
    const seen = /** @type {any} */ (globalThis);
    seen.bytes = [];
    seen.percent = [];
    new MutationObserver((changes) => {
      for (const { target, attributeName } of changes) {
        const element = /** @type {HTMLElement} */ (target);
        if (attributeName === 'data-done' && element.dataset.done)
          seen.bytes.push([Number(element.dataset.done), Number(element.dataset.total)]);
        if (attributeName === 'aria-valuenow') seen.percent.push(Number(element.getAttribute('aria-valuenow')));
      }
    }).observe(document, { subtree: true, attributeFilter: ['data-done', 'aria-valuenow'] });
  });
  await open(page);
  const { bytes, percent } = await page.evaluate(() => {
    const seen = /** @type {any} */ (globalThis);
    return { bytes: /** @type {[number, number][]} */ (seen.bytes), percent: /** @type {number[]} */ (seen.percent) };
  });
  const rising = (/** @type {number[]} */ numbers) => numbers.every((n, i) => i === 0 || n >= numbers[i - 1]);
  expect(bytes.length).toBeGreaterThan(1);
  expect(rising(bytes.map(([done]) => done))).toBe(true);
  expect(bytes.at(-1)).toEqual([SHIPPED[0].bytes, SHIPPED[0].bytes]);
  expect(rising(percent)).toBe(true);
  await modelIs(page, SHIPPED[0].name);
  await expect(page.locator('#device')).toHaveAttribute('data-kind', 'cpu');
});

test('a sample is rebuilt, and its numbers are those of the pixels shown', async ({ page }) => {
  await open(page);
  await rebuildSample(page, 'chelsea');
  const before = await pixels(page, ORIGINAL);
  const after = await pixels(page, REBUILT);
  expect([after.width, after.height]).toEqual([256, 256]);
  let squares = 0;
  for (let i = 0; i < before.rgba.length; i += 1) if (i % 4 < 3) squares += (before.rgba[i] - after.rgba[i]) ** 2;
  const psnr = 10 * Math.log10((255 ** 2 * 3 * 256 * 256) / squares);
  expect(await value(page, 'psnr')).toBeCloseTo(psnr, 3);
  await expect(page.locator('#psnr')).toContainText(`${psnr.toFixed(2)} dB`);
  // Clearly the input picture.
  expect(psnr).toBeGreaterThan(19);
  expect(await value(page, 'ssim')).toBeGreaterThan(0.4);
  expect(await value(page, 'ssim')).toBeLessThan(1);
  expect(await value(page, 'count')).toBe(32 * 32);
  expect(await value(page, 'bpp')).toBeCloseTo((1024 * 11) / 65536, 2);
  expect(await value(page, 'usage')).toBeGreaterThan(10);
  expect(await value(page, 'time')).toBeGreaterThan(0);
  await expect(page.locator('#status')).toContainText('Rebuilt');
});

test('a photo dropped on the page keeps its shape', async ({ page }) => {
  await open(page);
  await drop(page, sample('rocket.jpg'));
  await reaches(page, 'done');
  const { width, height } = await pixels(page, REBUILT);
  expect([width, height]).toEqual([256, 171]);
  expect(await value(page, 'psnr')).toBeGreaterThan(15);
  // Sides that are not multiples of the token size are padded.
  expect(await value(page, 'count')).toBe(32 * 22);
  await page.check('#square');
  await expect.poll(async () => (await pixels(page, REBUILT)).height).toBe(256);
  await reaches(page, 'done');
});

test('the file dialog and the clipboard work too, and EXIF turns a photo upright', async ({ page }) => {
  await open(page);
  await page.setInputFiles('#file', sample('coffee.png'));
  await reaches(page, 'done');
  const first = await pixels(page, ORIGINAL);
  await page.evaluate(async () => {
    const blob = await (await fetch('samples/astronaut.png')).blob();
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([blob], 'image.png', { type: 'image/png' }));
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
  });
  await expect.poll(async () => (await pixels(page, ORIGINAL)).rgba.equals(first.rgba)).toBe(false);
  await reaches(page, 'done');

  // Orientation 6: the camera was held on its side.
  const jpeg = file('www/samples/rocket.jpg');
  const tiff = '49492A0008000000' + '0100' + '120103000100000006000000' + '00000000';
  const exif = Buffer.from(`FFE10022${'457869660000'}${tiff}`, 'hex');
  await drop(page, { name: 'turned.jpg', buffer: Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]) });
  await expect.poll(async () => (await pixels(page, REBUILT)).width).toBe(171);
  await reaches(page, 'done');
});

test('the slider is moved by keyboard and by mouse', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  await rebuildSample(page, 'astronaut');
  const range = page.locator('#compare input[type=range]');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await range.focus();
  await expect(range).toHaveValue('50');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(range).toHaveValue('51');
  await page.keyboard.press('Home');
  await expect(range).toHaveAttribute('aria-valuetext', '0 % original');
  const frame = page.locator('#compare .compare-frame');
  const shot = async () => (await frame.screenshot()).toString('base64');
  const rebuiltOnly = await shot();
  await page.keyboard.press('End');
  await expect(range).toHaveAttribute('aria-valuetext', '100 % original');
  expect(await shot()).not.toBe(rebuiltOnly);
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await frame.boundingBox());
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.25, box.y + box.height / 2, { steps: 3 });
  await page.mouse.up();
  expect(Math.abs(Number(await range.inputValue()) - 25)).toBeLessThan(4);
});

test('the code under the pointer and under the arrow keys is described', async ({ page }) => {
  await open(page);
  await rebuildSample(page, 'coffee');
  const grid = await pixels(page, GRID);
  expect([grid.width, grid.height]).toEqual([32, 32]);
  const readout = page.locator('#token-readout');
  await page.locator('#tokens [role=application]').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowDown');
  await expect(readout).toContainText(/Token 64 at row 2, column 32: code \d+, used/);
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await page.locator(GRID).boundingBox());
  await page.mouse.move(box.x + (box.width * 4.5) / 32, box.y + (box.height * 2.5) / 32);
  await expect(readout).toContainText(/Token 69 at row 3, column 5: code \d+, used/);
});

test('the saved picture is the picture shown, and saved tokens decode to it again', async ({ page }) => {
  await open(page);
  await rebuildSample(page, 'chelsea');
  const shown = await pixels(page, REBUILT);
  const grid = await pixels(page, GRID);
  const png = await saved(page, '#save-picture');
  const tokens = await saved(page, '#save-tokens');
  expect(png.name).toBe('chelsea.tesserae.png');
  expect(tokens.name).toBe('chelsea.tokens');
  expect(tokens.buffer.length).toBeLessThan(1500);

  const read = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.drawImage(bitmap, 0, 0);
    return Array.from(context.getImageData(0, 0, bitmap.width, bitmap.height).data);
  }, png.buffer.toString('base64'));
  expect(Buffer.from(read).equals(shown.rgba)).toBe(true);

  await rebuildSample(page, 'coffee');
  await drop(page, tokens);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  expect((await pixels(page, REBUILT)).rgba.equals(shown.rgba)).toBe(true);
  expect((await pixels(page, GRID)).rgba.equals(grid.rgba)).toBe(true);
  await expect(page.locator('#psnr')).toContainText('needs the original');
});
