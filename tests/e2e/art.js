// Makes the pictures that show what the page does, with the shipped weights and the page itself: the
// three of the landing page, and the one in README.md. `./build.sh art` runs it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { args, executablePath } from './chromium.js';
import { Host } from './host.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** @type {[string, string, string, number][]} what the page shows, in which file, in which format and quality */
const ART = [
  ['#compare canvas.compare-original', 'photo.jpg', 'image/jpeg', 0.9],
  ['#tokens canvas:not(.tokens-twins)', 'tokens.png', 'image/png', 1],
  ['#compare canvas.compare-rebuilt', 'rebuilt.webp', 'image/webp', 0.85],
];

const host = new Host();
const browser = await chromium.launch({ executablePath, args });
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme: 'light', serviceWorkers: 'block' });
  const page = await context.newPage();
  const reaches = async (/** @type {string} */ state) => {
    await page.waitForSelector(`html[data-state=${state}], html[data-state=error]`, { timeout: 300_000 });
    if (await page.locator('html[data-state=error]').count()) throw new Error(String(await page.locator('#alert').textContent()));
  };
  await page.goto(`${await host.open()}#device=cpu`);
  await reaches('ready');
  await page.click('#samples button[data-sample=chelsea]');
  await reaches('done');

  for (const [selector, name, type, quality] of ART) {
    const base64 = await page.evaluate(
      async ([css, format, q]) => {
        const shown = /** @type {HTMLCanvasElement} */ (document.querySelector(String(css)));
        const canvas = new OffscreenCanvas(256, 256);
        const context2d = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
        // A token is a square of one colour.
        context2d.imageSmoothingEnabled = false;
        context2d.drawImage(shown, 0, 0, canvas.width, canvas.height);
        const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: String(format), quality: Number(q) })).arrayBuffer());
        return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
      },
      [selector, type, quality],
    );
    writeFileSync(join(root, 'www/art', name), Buffer.from(base64, 'base64'));
  }

  // Most of the rebuilt picture, next to the rest of the original.
  await page.fill('#compare input[type=range]', '35');
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(500);
  await page.screenshot({ path: join(root, 'docs/page.png'), animations: 'disabled' });
} finally {
  await browser.close();
  await host.close();
}
