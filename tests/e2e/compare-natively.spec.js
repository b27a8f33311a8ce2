// A seed gives the same digit on the page and on the command line, on the CPU.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATORS, commandLine, expect, inFolder, pixels, test, withTiny } from './app.js';
import { compared } from './comparing.js';

const [CLASS, SEED] = [4, 7];

/** The picture of a generator, as a file. @param {any} entry of the index */
const natively = ({ name, sampling }) =>
  inFolder((folder) => {
    const settings = Object.entries(sampling).flatMap(([key, value]) => [`--${key}`, String(value)]);
    commandLine('sample', '--model', name, '--class', String(CLASS), '--seed', String(SEED), '--out', folder, ...settings);
    return [...readFileSync(join(folder, `000${SEED}.png`))];
  });

test('generators make the digits that the command line makes', async ({ page }) => {
  await withTiny(page);
  await page.goto(`/#room=compare&device=cpu&class=${CLASS}&seed=${SEED}&count=1`);
  await compared(page, SEED);
  for (const way of ['vae', 'gan', 'diffusion']) {
    const file = natively(GENERATORS.find(({ name }) => name === `digits-${way}`));
    const native = await page.evaluate(async (bytes) => {
      const image = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      context?.drawImage(image, 0, 0);
      return [...(context?.getImageData(0, 0, image.width, image.height).data ?? [])];
    }, file);
    const { rgba } = await pixels(page, `.way[data-way=${way}] canvas`);
    expect(rgba.length).toBe(native.length);
    // Sums are taken in another order there.
    expect(Math.max(...native.map((value, i) => Math.abs(value - rgba[i]))), way).toBeLessThanOrEqual(2);
  }
});
