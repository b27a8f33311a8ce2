// The page, the command line and both devices agree on the pictures that the models are evaluated on.
import { join } from 'node:path';
import { GRID, SHIPPED, commandLine, expect, inFolder, open, pixels, rebuildSample, test } from './app.js';

const PICTURES = ['astronaut', 'chelsea', 'coffee'];
/** What the command line says about a sample. @param {string} name @returns {{psnr: number, ssim: number, bpp: number}} */
const native = (name) =>
  inFolder((folder) =>
    commandLine('reconstruct', `www/samples/${name}.png`, join(folder, 'out.png'), '--model', SHIPPED[0].name, '--models', 'www/models'),
  );

test('PSNR, SSIM and bits per pixel are those of the command line, to the shown digit', async ({ page }) => {
  await open(page);
  for (const name of PICTURES) {
    await rebuildSample(page, name);
    const { psnr, ssim, bpp } = native(name);
    await expect(page.locator('#psnr')).toContainText(`${psnr.toFixed(2)} dB`);
    await expect(page.locator('#ssim')).toContainText(ssim.toFixed(4));
    await expect(page.locator('#bpp')).toContainText(bpp.toFixed(3));
  }
});

test('the shipped model finds the same tokens on WebGPU as on the CPU @slow', async ({ page }) => {
  // The software graphics device takes about a minute a picture.
  test.setTimeout(1_200_000);
  await open(page);
  /** @type {Map<string, Buffer>} */ const onCpu = new Map();
  for (const name of PICTURES) {
    await rebuildSample(page, name);
    onCpu.set(name, (await pixels(page, GRID)).rgba);
  }
  await page.goto('about:blank');
  await open(page, 'device=webgpu');
  await expect(page.locator('#device')).toHaveAttribute('data-kind', 'webgpu');
  for (const name of PICTURES) {
    await page.click(`#samples button[data-sample=${name}]`);
    await expect(page.locator(`#samples button[data-sample=${name}]`)).toHaveAttribute('aria-pressed', 'true');
    await expect(page.locator('html')).toHaveAttribute('data-state', 'done', { timeout: 300_000 });
    const cpu = /** @type {Buffer} */ (onCpu.get(name));
    const { rgba } = await pixels(page, GRID);
    let different = 0;
    for (let i = 0; i < cpu.length; i += 4) if (cpu.readUInt32LE(i) !== rgba.readUInt32LE(i)) different += 1;
    expect(different).toBeLessThanOrEqual((cpu.length / 4) * 0.005);
  }
});
