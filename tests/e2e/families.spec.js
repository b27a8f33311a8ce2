// Weight files as other projects save them, dropped on the page: alone, or with their config.json.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GRID,
  REBUILT,
  chooseDevice,
  chooseModel,
  commandLine,
  complains,
  deviceFacts,
  drop,
  expect,
  file,
  inFolder,
  modelInUse,
  modelIs,
  open,
  pixels,
  reaches,
  rebuildSample,
  saved,
  smallPhoto,
  test,
  value,
  withTiny,
} from './app.js';
import { checkpoint } from './checkpoint.js';

/** @typedef {import('./checkpoint.js').Dropped} Dropped */

/** @param {{weights: Dropped, config: Dropped | null}} files */
const together = ({ weights, config }) => (config ? [weights, config] : [weights]);

/** The command line's result for a photo. @param {Dropped} photo @param {{weights: Dropped, config: Dropped | null}} files @param {string[]} words */
const native = (photo, files, ...words) =>
  inFolder((folder) => {
    const [input, weights, ...config] = [photo, ...together(files)].map(({ name, buffer }) => {
      const path = join(folder, name);
      writeFileSync(path, buffer);
      return path;
    });
    return commandLine(
      'reconstruct',
      input,
      join(folder, 'out.png'),
      '--model',
      weights,
      ...words,
      ...config.flatMap((path) => ['--config', path]),
    );
  });

/** @param {import('@playwright/test').Page} page @param {{psnr: number, ssim: number}} numbers */
async function shows(page, { psnr, ssim }) {
  expect(await value(page, 'psnr')).toBeCloseTo(psnr, 1);
  expect(await value(page, 'ssim')).toBeCloseTo(ssim, 2);
}

/** @type {Record<string, {facts: RegExp, from: RegExp, count: number | null}>} */
const FAMILIES = {
  taming: {
    facts: /16 codes, one for every 4 × 4 pixels/,
    from: /format of taming-transformers.*Assumed.*32 groups.*ε.=.0\.000001.*from −1 to 1/,
    count: 16 * 16,
  },
  latent_diffusion: { facts: /16 codes, one for every 2 × 2 pixels/, from: /latent-diffusion/, count: 32 * 32 },
  gumbel: { facts: /24 codes, one for every 2 × 2 pixels/, from: /taming-transformers/, count: 32 * 32 },
  diffusers: { facts: /16 codes, one for every 4 × 4 pixels/, from: /diffusers/, count: 16 * 16 },
  llamagen: { facts: /16 codes, one for every 4 × 4 pixels/, from: /LlamaGen.*Assumed.*codes chosen by cosine similarity/, count: 16 * 16 },
  movq: { facts: /16 codes, one for every 2 × 2 pixels/, from: /diffusers/, count: 32 * 32 },
  maskgit: { facts: /16 codes, one for every 2 × 2 pixels/, from: /MaskGIT/, count: 32 * 32 },
  vqvae2: {
    facts: /16 codes; two grids: one token for every 8 × 8 pixels, and one for every 4 × 4/,
    from: /VQ-VAE-2/,
    count: 8 * 8 + 16 * 16,
  },
  kl_diffusers: { facts: /no codebook, but 4 continuous numbers for every 4 × 4 pixels/, from: /diffusers/, count: null },
  kl_ldm: { facts: /no codebook, but 2 continuous numbers for every 4 × 4 pixels/, from: /latent-diffusion/, count: null },
};

for (const [golden, { facts, from, count }] of Object.entries(FAMILIES)) {
  test(`a checkpoint of ${golden} rebuilds a picture as the command line does`, async ({ page }) => {
    const files = checkpoint(golden);
    await withTiny(page);
    await open(page);
    await drop(page, ...together(files));
    await modelIs(page, `${golden}.safetensors`);
    await expect(page.locator('#model-facts')).toHaveText(facts);
    await expect(page.locator('#model-facts')).toHaveText(from);
    const photo = await smallPhoto(page);
    await drop(page, photo);
    await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
    await reaches(page, 'done');
    await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
    await shows(page, native(photo, files));
    if (count === null) {
      await expect(page.locator('#no-tokens')).toBeVisible();
    } else {
      expect(await value(page, 'count')).toBe(count);
      await expect(page.locator('#no-tokens')).toBeHidden();
    }
  });
}

test('tensor names with a training script’s prefix are read without it, and the page says so', async ({ page }) => {
  const read = (/** @type {string} */ name) => ({ name, mimeType: '', buffer: file(`tests/checkpoints/${name}`) });
  const files = { weights: read('prefix-_orig_mod.safetensors'), config: read('groups-4.json') };
  await withTiny(page);
  await open(page);
  await drop(page, ...together(files));
  await modelIs(page, 'prefix-_orig_mod.safetensors');
  await expect(page.locator('#model-facts')).toContainText('with names under _orig_mod.');
  const photo = await smallPhoto(page);
  await drop(page, photo);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
  await shows(page, native(photo, files));
});

for (const [name, code, words] of [
  ['lfs-pointer.safetensors', 'weights_corrupt', 'This is a Git LFS pointer, not the file itself'],
  ['html-page.safetensors', 'weights_corrupt', 'This is a web page'],
  ['vae.gguf', 'weights_corrupt', 'This is a GGUF file'],
  ['model-00001-of-00002.safetensors', 'weights_sharded', 'split into several files'],
  ['checkpoint-000001000.pt', 'weights_pickle', 'a PyTorch checkpoint'],
]) {
  test(`${name} is called by its name, and the current model stays in use`, async ({ page }) => {
    await withTiny(page);
    await open(page);
    await drop(page, { name, mimeType: '', buffer: file(`tests/checkpoints/${name}`) });
    await complains(page, code, words);
    await rebuildSample(page, 'coffee');
    await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  });
}

test('a file of this project says nothing of families and assumptions', async ({ page }) => {
  await withTiny(page);
  await open(page);
  await expect(page.locator('#model-facts')).toContainText('pixels');
  await expect(page.locator('#model-facts')).not.toContainText(/format|Assumed/);
});

test('a checkpoint and its config.json may be in either order, and stay together in another worker', async ({ page }) => {
  const { weights, config } = checkpoint('diffusers');
  await open(page);
  await drop(page, /** @type {Dropped} */ (config), weights);
  await modelIs(page, 'diffusers.safetensors');
  await rebuildSample(page, 'chelsea');
  await page.setInputFiles('#file', [{ ...weights, name: 'again.safetensors' }, /** @type {Dropped} */ (config)]);
  await modelIs(page, 'again.safetensors');
  await reaches(page, 'done');
  const [worker] = page.workers();
  const ended = new Promise((resolve) => worker.once('close', resolve));
  await chooseDevice(page, 'auto');
  await ended;
  await reaches(page, 'done');
  await modelIs(page, 'again.safetensors');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

test('a model without a codebook: no tokens, latents sampled on demand, and token files are for other models', async ({ page }) => {
  const files = checkpoint('kl_diffusers');
  await withTiny(page);
  await open(page);
  const photo = await smallPhoto(page);
  await drop(page, photo);
  await expect(page.locator('#save-picture')).toBeEnabled();
  const tokens = await saved(page, '#save-tokens');
  await drop(page, ...together(files));
  await modelIs(page, 'kl_diffusers.safetensors');
  await reaches(page, 'done');
  await expect(page.locator('#no-tokens')).toContainText('This model has no codebook, so there are no tokens');
  for (const id of ['tokens', 'save-tokens', 'count', 'bpp', 'usage']) await expect(page.locator(`#${id}`)).toBeHidden();
  for (const id of ['psnr', 'ssim', 'time', 'save-picture']) await expect(page.locator(`#${id}`)).toBeVisible();

  const means = (await pixels(page, REBUILT)).rgba;
  await page.check('#sample');
  await expect.poll(async () => (await pixels(page, REBUILT)).rgba.equals(means)).toBe(false);
  await reaches(page, 'done');
  expect(page.url()).toContain('sample=1');
  await shows(page, native(photo, files, '--sample', '1'));
  await page.uncheck('#sample');
  await expect.poll(async () => (await pixels(page, REBUILT)).rgba.equals(means)).toBe(true);
  await reaches(page, 'done');

  await drop(page, tokens);
  await complains(page, 'no_codebook', /no codebook.*Choose one that has a codebook/);
  await chooseModel(page, 'tiny');
  await reaches(page, 'done');
  await expect(page.locator('#tokens')).toBeVisible();
  await expect(page.locator('#save-tokens')).toBeVisible();
});

test('two grids: both are shown, described, saved and read again', async ({ page }) => {
  await withTiny(page);
  await open(page);
  await drop(page, checkpoint('vqvae2').weights);
  await modelIs(page, 'vqvae2.safetensors');
  await rebuildSample(page, 'chelsea');
  await expect(page.locator('#tokens figcaption')).toHaveText(['Top: 32 × 32', 'Bottom: 64 × 64']);
  await expect(page.locator('#count')).toContainText('32 × 32 + 64 × 64');
  expect(await value(page, 'bpp')).toBeCloseTo(((32 * 32 + 64 * 64) * 4) / 65536, 3);
  await expect(page.locator('#usage')).toContainText(/\d+ \+ \d+ of 16 in each codebook/);

  const boxes = page.locator('#tokens [role=application]');
  const readout = page.locator('#token-readout');
  await boxes.nth(0).focus();
  await page.keyboard.press('ArrowRight');
  await expect(readout).toHaveText(/^Top token 2 at row 1, column 2: code \d+, used/);
  /** The left side and the width of the frame in the picture, in percent. */
  const mark = () =>
    page.evaluate(() => {
      const [frame, picture] = ['#compare .compare-mark', '#compare .compare-rebuilt'].map((e) =>
        document.querySelector(e)?.getBoundingClientRect(),
      );
      if (!frame || !picture) throw new Error('no frame in the picture');
      return [frame.x - picture.x, frame.width].map((length) => (length / picture.width) * 100);
    });
  expect(await mark()).toEqual([expect.closeTo(3.125, 2), expect.closeTo(3.125, 2)]);
  // Moves from one grid to the other while the first still has the focus.
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await boxes.nth(1).boundingBox());
  await page.mouse.move(box.x + (box.width * 4.5) / 64, box.y + (box.height * 62.5) / 64);
  await expect(readout).toHaveText(/^Bottom token 3973 at row 63, column 5: code \d+, used/);
  expect(await mark()).toEqual([expect.closeTo(6.25, 2), expect.closeTo(1.5625, 2)]);
  await expect(page.locator('.tokens-cursor:visible')).toHaveCount(1);
  await page.mouse.move(0, 0);
  await expect(readout).toContainText('Point at a token');

  const grids = async () => Promise.all([0, 1].map((i) => pixels(page, `#tokens figure:nth-child(${i + 1}) canvas:not(.tokens-twins)`)));
  const before = await grids();
  expect(before.map(({ width }) => width)).toEqual([32, 64]);
  // A colour for each code of two codebooks; one palette of 16 would not do.
  const colours = before.map(({ rgba }) => new Set(new Uint32Array(Uint8Array.from(rgba).buffer)));
  expect(colours[0].size + colours[1].size).toBe(await value(page, 'usage'));
  expect(new Set(colours.flatMap((c) => [...c])).size).toBeGreaterThan(16);
  const shown = (await pixels(page, REBUILT)).rgba;
  const tokens = await saved(page, '#save-tokens');
  await rebuildSample(page, 'coffee');
  expect((await grids())[1].rgba.equals(before[1].rgba)).toBe(false);
  await drop(page, tokens);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  expect((await pixels(page, REBUILT)).rgba.equals(shown)).toBe(true);
  const after = await grids();
  for (const i of [0, 1]) expect(after[i].rgba.equals(before[i].rgba)).toBe(true);

  await chooseModel(page, 'tiny');
  await expect(page.locator('#model-facts')).not.toContainText('two grids');
  await rebuildSample(page, 'chelsea');
  await expect(page.locator(GRID)).toHaveCount(1);
  await expect(page.locator('#tokens figcaption')).toBeHidden();
});

test('PyTorch checkpoints and shards are not read, and the alert names the command that converts them', async ({ page }) => {
  await withTiny(page);
  await open(page);
  const before = await modelInUse(page);
  for (const name of ['pickle_zip.ckpt', 'pickle_legacy.pt', 'pickle_model.bin']) {
    await drop(page, { name, buffer: file(`tests/golden/${name}`) });
    await complains(
      page,
      'weights_pickle',
      /PyTorch checkpoint.*`tesserae convert model\.ckpt model\.safetensors`.*the current model stays in use/,
    );
    await page.click('#alert button:has-text("Dismiss")');
  }
  // Whatever its name.
  await drop(page, { name: 'renamed.safetensors', buffer: file('tests/golden/pickle_zip.ckpt') });
  await complains(page, 'weights_pickle', /PyTorch checkpoint/);

  const { weights } = checkpoint('taming');
  const shards = ['00001-of-00002', '00002-of-00002'].map((part) => ({ ...weights, name: `model-${part}.safetensors` }));
  const index = { name: 'model.safetensors.index.json', buffer: Buffer.from('{"weight_map": {}}') };
  const config = { name: 'config.json', buffer: Buffer.from('{}') };
  for (const dropped of [[...shards, index, config], [shards[0]], [index]]) {
    await drop(page, ...dropped);
    await complains(page, 'weights_sharded', /several files.*`tesserae convert model\.safetensors\.index\.json model\.safetensors`/);
    await page.click('#alert button:has-text("Dismiss")');
  }
  await modelIs(page, before);
  await rebuildSample(page, 'coffee');
});

test('the engine’s memory is shown, and a new worker starts afresh', async ({ page }) => {
  await withTiny(page);
  await open(page);
  await deviceFacts(page);
  await expect(page.locator('#memory')).toHaveText(/^The engine uses \d+ MB of memory\.$/);
  const tiny = await value(page, 'memory');
  expect(tiny).toBeGreaterThan(1e6);
  await page.keyboard.press('Escape');
  await page.selectOption('#size', '512');
  await rebuildSample(page, 'chelsea');
  const more = await value(page, 'memory');
  expect(more).toBeGreaterThan(tiny);
  await page.goto('about:blank');
  await open(page);
  await expect.poll(() => value(page, 'memory')).toBeLessThan(more);
});

test('missing and unusable files are reported, and the current model stays in use', async ({ page }) => {
  const { weights, config } = /** @type {{weights: Dropped, config: Dropped}} */ (checkpoint('diffusers'));
  await open(page);
  const before = await modelInUse(page);

  await drop(page, weights);
  await complains(page, 'config_invalid', /`norm_groups` 32 does not divide .* drop both together/);
  await drop(page, { ...config, buffer: Buffer.from('{') }, weights);
  await complains(page, 'config_invalid', /config file: EOF/);
  await drop(page, { ...config, buffer: Buffer.alloc(2 ** 20 + 1, 32) }, weights);
  await complains(page, 'config_invalid', /at most 1 MB/);
  await drop(page, config);
  await complains(page, 'config_invalid', /cannot be used on its own/);

  await drop(page, checkpoint('taming', 'quantize.').weights);
  await complains(page, 'no_codebook', /no codebook.*the current model stays in use/);
  await drop(page, checkpoint('taming', 'encoder.').weights);
  await complains(page, 'weights_unknown', /any supported model.*the current model stays in use/);

  await modelIs(page, before);
  await rebuildSample(page, 'coffee');
});
