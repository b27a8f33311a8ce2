// A model's two stages on the same tokens, side by side: two entries of the index with one codebook, made
// of a shipped model's weights and of a copy with another decoder.
import { createHash } from 'node:crypto';
import AxeBuilder from '@axe-core/playwright';
import {
  GRID,
  ORIGINAL,
  REBUILT,
  SHIPPED,
  chooseModel,
  complains,
  drop,
  engines,
  expect,
  file,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  rebuildSample,
  saved,
  smallPhoto,
  test,
  value,
} from './app.js';

/** @typedef {import('@playwright/test').Page} Page */

const ENTRY = SHIPPED.find((/** @type {any} */ entry) => entry.kind === 'vqgan' && entry.codebook);
const WEIGHTS = file(`www/models/${ENTRY.file}`);
const OFFER = /The VQ-VAE stage of this model, soft, decodes the same tokens\. Its \d\.\d MB are fetched when you ask\./;

/** The same weights except for the last layer of the decoder. */
function otherDecoder() {
  const bytes = Buffer.from(WEIGHTS);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const {
    dtype,
    data_offsets: [from, to],
  } = JSON.parse(bytes.subarray(8, start).toString())['decoder.conv_out.weight'];
  expect(dtype).toBe('F16');
  // The highest bit of each mantissa.
  for (let at = start + from; at < start + to; at += 2) bytes.writeUInt16LE(bytes.readUInt16LE(at) ^ 0x200, at);
  return bytes;
}

/** @param {string} name @param {'vqvae' | 'vqgan'} stage @param {Buffer} body */
const shipped = (name, stage, body) => ({
  body,
  entry: {
    ...ENTRY,
    name,
    stage,
    file: `${name}.safetensors`,
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
  },
});
const SHARP = shipped('sharp', 'vqgan', otherDecoder());
const SOFT = shipped('soft', 'vqvae', WEIGHTS);

/** @param {Page} page @param {string} [settings] */
async function withStages(page, settings, both = [SHARP, SOFT]) {
  await page.route('**/models/index.json', (route) => route.fulfill({ json: { models: both.map(({ entry }) => entry) } }));
  for (const { entry, body } of both) {
    await page.route(`**/models/${entry.file}`, (route) => route.fulfill({ body, contentType: 'application/octet-stream' }));
  }
  await open(page, settings);
}

const side = (/** @type {string} */ stage) => `#stages figure[data-stage=${stage}]`;
const both = (/** @type {Page} */ page) => page.getByRole('button', { name: 'Both stages' });
const one = (/** @type {Page} */ page) => page.getByRole('button', { name: 'VQ-GAN stage' });

/** @param {Page} page @param {'one' | 'both'} which */
async function shows(page, which) {
  await expect(page.locator('#stages')).toHaveAttribute('data-shows', which);
  await expect(page.locator('#compare')).toBeVisible({ visible: which === 'one' });
  await expect(page.locator('#stages figure').first()).toBeVisible({ visible: which === 'both' });
  await expect(both(page)).toHaveAttribute('aria-pressed', String(which === 'both'));
  await expect(one(page)).toHaveAttribute('aria-pressed', String(which === 'one'));
}

/** @param {Page} page */
async function rebuildSmall(page) {
  await drop(page, await smallPhoto(page));
  await expect(page.locator('#save-picture')).toBeEnabled();
  await reaches(page, 'done');
}

/** @param {Buffer} a @param {Buffer} b RGBA */
function psnr(a, b) {
  let squares = 0;
  for (let i = 0; i < a.length; i += 1) if (i % 4 < 3) squares += (a[i] - b[i]) ** 2;
  return 10 * Math.log10((255 ** 2 * 0.75 * a.length) / squares);
}

test('both stages decode the same tokens of one photo, which is encoded once', async ({ page }) => {
  /** @type {string[]} */ const fetched = [];
  page.on('request', (request) => /safetensors$/.test(request.url()) && fetched.push(request.url().replace(/.*\//, '')));
  await patchWorker(
    page,
    `
    const post = self.postMessage.bind(self);
    self.encodings = 0;
    self.postMessage = (message, options) => (self.encodings += Number(message.stage === 'encode'), post(message, options));
  `,
  );
  const encodings = () => page.workers()[0].evaluate(() => /** @type {any} */ (self).encodings);
  await withStages(page);
  await expect(page.locator('#stages')).toBeHidden();
  await rebuildSample(page, 'chelsea');
  await expect(page.locator('#stages')).toHaveText(OFFER);
  expect(fetched).toEqual(['sharp.safetensors']);
  const before = {
    encodings: await encodings(),
    tokens: await saved(page, '#save-tokens'),
    rebuilt: await pixels(page, REBUILT),
    ssim: await value(page, 'ssim'),
  };
  expect(before.encodings).toBeGreaterThan(0);

  await both(page).click();
  await shows(page, 'both');
  await reaches(page, 'done');
  expect(fetched).toEqual(['sharp.safetensors', 'soft.safetensors']);
  expect(await encodings()).toBe(before.encodings);
  await expect(page.locator('#stages')).toContainText(
    'The same 1,024 tokens, decoded by the VQ-VAE stage (trained on pixels: faithful, soft) and by the VQ-GAN stage (trained against a discriminator as well: sharper, invents texture).',
  );
  await expect(page.locator('#stages figcaption strong')).toHaveText(['VQ-VAE stage', 'VQ-GAN stage']);
  const original = await pixels(page, ORIGINAL);
  const soft = await pixels(page, `${side('vqvae')} canvas`);
  const sharp = await pixels(page, `${side('vqgan')} canvas`);
  expect(sharp.rgba.equals(before.rebuilt.rgba)).toBe(true);
  expect(soft.rgba.equals(sharp.rgba)).toBe(false);
  const number = async (/** @type {string} */ stage, /** @type {string} */ name) =>
    Number(await page.locator(`${side(stage)} .stages-${name}`).getAttribute('data-value'));
  expect(await number('vqvae', 'psnr')).toBeCloseTo(psnr(original.rgba, soft.rgba), 3);
  expect(await number('vqgan', 'psnr')).toBeCloseTo(psnr(original.rgba, sharp.rgba), 3);
  await expect(page.locator(`${side('vqvae')} figcaption`)).toContainText(`PSNR ${psnr(original.rgba, soft.rgba).toFixed(2)} dB`);
  expect(await number('vqgan', 'ssim')).toBe(before.ssim);
  const softSsim = await number('vqvae', 'ssim');

  // The other stage's picture is the one that it decodes by itself from the same tokens.
  await one(page).click();
  await shows(page, 'one');
  await chooseModel(page, 'soft');
  await expect(page.locator('#stages')).toContainText('The VQ-GAN stage of this model, sharp, decodes the same tokens.');
  await reaches(page, 'done');
  expect((await pixels(page, REBUILT)).rgba.equals(soft.rgba)).toBe(true);
  expect(await value(page, 'ssim')).toBe(softSsim);
  // The file says whose decoder it was made for, in bytes 28 to 36, and ends with a checksum.
  const indices = (/** @type {Buffer} */ tokens) => Buffer.concat([tokens.subarray(0, 28), tokens.subarray(36, -4)]);
  expect(indices((await saved(page, '#save-tokens')).buffer).equals(indices(before.tokens.buffer))).toBe(true);
});

test('the choice stays for the next photo, and ends with a model of one stage', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  await both(page).click();
  await shows(page, 'both');
  const first = await pixels(page, `${side('vqvae')} canvas`);
  const tokens = await pixels(page, GRID);
  await page.click('#samples button[data-sample=coffee]');
  await expect.poll(async () => (await pixels(page, GRID)).rgba.equals(tokens.rgba)).toBe(false);
  await shows(page, 'both');
  await reaches(page, 'done');
  const second = await pixels(page, `${side('vqvae')} canvas`);
  expect([first.width, second.width]).toEqual([64, 256]);

  await page.locator('#tokens [role=application]').focus();
  await page.keyboard.press('ArrowRight');
  const marks = page.locator('#stages .compare-mark');
  expect(await marks.evaluateAll((all) => all.map((e) => e.style.left))).toEqual(['3.125%', '3.125%']);

  await drop(page, { name: 'own.safetensors', buffer: file('tests/e2e/fixtures/tiny.safetensors') });
  await modelIs(page, 'own.safetensors');
  await reaches(page, 'done');
  await expect(page.locator('#stages')).toBeHidden();
  await expect(page.locator('#compare')).toBeVisible();
});

test('tokens without their photo are decoded by both stages too', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  const tokens = await saved(page, '#save-tokens');
  await rebuildSample(page, 'coffee');
  await drop(page, tokens);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  await both(page).click();
  await shows(page, 'both');
  await expect(page.locator('#stages')).toContainText('The same 64 tokens');
  await expect(page.locator('#stages figcaption')).toHaveText(['VQ-VAE stage soft', 'VQ-GAN stage sharp']);
  const [soft, sharp] = [await pixels(page, `${side('vqvae')} canvas`), await pixels(page, `${side('vqgan')} canvas`)];
  expect([soft.width, soft.height, sharp.width, sharp.height]).toEqual([64, 64, 64, 64]);
  expect(soft.rgba.equals(sharp.rgba)).toBe(false);
});

/** @type {[string, (body: Buffer) => object, string, RegExp][]} */
const DOWNLOADS = [
  ['that is missing', () => ({ status: 404, body: 'gone' }), 'download_failed', /^soft could not be downloaded.*404/],
  [
    'with another checksum',
    (body) => ({ body: Buffer.concat([body.subarray(0, -1), Buffer.from([body[body.length - 1] ^ 1])]) }),
    'download_hash',
    /soft does not match its checksum/,
  ],
];

for (const [what, answer, code, sentence] of DOWNLOADS) {
  test(`a download ${what} leaves the result, and can be tried again`, async ({ page }) => {
    await withStages(page);
    await rebuildSmall(page);
    const rebuilt = await pixels(page, REBUILT);
    await page.route('**/models/soft.safetensors', (route) => route.fulfill(answer(SOFT.body)));
    await both(page).click();
    await complains(page, code, sentence);
    await shows(page, 'one');
    expect((await pixels(page, REBUILT)).rgba.equals(rebuilt.rgba)).toBe(true);
    for (const button of ['#save-picture', '#save-tokens']) await expect(page.locator(button)).toBeEnabled();
    await modelIs(page, 'sharp');
    await page.unroute('**/models/soft.safetensors');
    await page.route('**/models/soft.safetensors', (route) => route.fulfill({ body: SOFT.body }));
    await page.click('#alert button:has-text("Try again")');
    await shows(page, 'both');
    await reaches(page, 'done');
    await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  });
}

test('cancelling leaves the result, and so does going back while it is in progress', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  await page.route('**/models/soft.safetensors', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.fulfill({ body: SOFT.body });
  });
  for (const back of [page.locator('#cancel'), one(page)]) {
    await both(page).click();
    await reaches(page, 'working');
    await expect(both(page)).toHaveAttribute('aria-pressed', 'true');
    await back.click();
    await reaches(page, 'done');
    await shows(page, 'one');
    await expect(page.locator('#status')).toHaveText('Cancelled.');
    await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  }
  await both(page).click();
  await shows(page, 'both');
});

test('the keyboard chooses, enlarges and looks around', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  await page.locator('#compare button').last().focus();
  await page.keyboard.press('Tab');
  await expect(one(page)).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await shows(page, 'both');
  await expect(both(page)).toBeFocused();
  await page.keyboard.press('Tab');
  const larger = page.getByRole('button', { name: 'Enlarge' });
  await expect(larger).toBeFocused();
  const frame = page.locator(`${side('vqgan')} .stages-frame`);
  const shot = async () => (await frame.screenshot()).toString('base64');
  const whole = await shot();
  await page.keyboard.press('ArrowLeft');
  expect(await shot()).toBe(whole);
  await page.keyboard.press('Space');
  await expect(larger).toHaveAttribute('aria-pressed', 'true');
  await expect(page.locator('#stages')).toContainText('press the arrow keys to look elsewhere');
  const middle = await shot();
  expect(middle).not.toBe(whole);
  for (let i = 0; i < 20; i += 1) await page.keyboard.press('ArrowLeft');
  expect(await shot()).not.toBe(middle);
  // Both look at the same place.
  const left = () => page.locator('.stages-layer').evaluateAll((all) => all.map((e) => getComputedStyle(e).transformOrigin.split(' ')[0]));
  expect(await left()).toEqual(['0px', '0px']);
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await frame.boundingBox());
  await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2);
  for (const x of await left()) expect(Math.abs(parseFloat(x) - box.width * 0.75)).toBeLessThan(2);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await shows(page, 'one');
  await expect(larger).toBeHidden();
});

test('a click in a picture of either stage frames the token of that place in both, enlarged or not', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  // A token that was selected before stays selected.
  const tokens = /** @type {{x: number, y: number, width: number, height: number}} */ (await page.locator(GRID).boundingBox());
  await page.mouse.click(tokens.x + (tokens.width * 1.5) / 8, tokens.y + (tokens.height * 2.5) / 8);
  await both(page).click();
  await shows(page, 'both');
  await reaches(page, 'done');
  const readout = page.locator('#token-readout');
  /** What is framed in each, in pixels of the picture. */
  const framed = () =>
    page.locator('#stages .stages-layer').evaluateAll((layers) =>
      layers.map((layer) => {
        const [mark, picture] = ['.compare-mark', 'canvas'].map((part) =>
          /** @type {Element} */ (layer.querySelector(part)).getBoundingClientRect(),
        );
        return [mark.x - picture.x, mark.y - picture.y, mark.width, mark.height].map(
          (length) => Math.round((length / picture.width) * 640) / 10,
        );
      }),
    );
  await expect(readout).toContainText('Token 18 at row 3, column 2: code ');
  expect(await framed()).toEqual(Array(2).fill([8, 16, 8, 8]));
  for (const enlarged of [false, true]) {
    if (enlarged) await page.getByRole('button', { name: 'Enlarge' }).click();
    for (const [stage, x, y, index, patch] of /** @type {[string, number, number, number, number[]][]} */ ([
      ['vqvae', 0.6, 0.2, 13, [32, 8, 8, 8]],
      ['vqgan', 0.1, 0.9, 57, [0, 56, 8, 8]],
    ])) {
      const box = /** @type {{x: number, y: number, width: number, height: number}} */ (
        await page.locator(`${side(/** @type {any} */ (stage))} .stages-frame`).boundingBox()
      );
      await page.mouse.click(box.x + box.width * x, box.y + box.height * y);
      await expect(readout).toContainText(`Token ${index} at row `);
      await expect(readout).toContainText(', selected');
      expect(await framed()).toEqual(Array(2).fill(patch));
    }
  }
  await one(page).click();
  await expect(page.locator('#compare .compare-mark')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.locator('#compare .compare-mark')).toBeHidden();
  await expect(readout).toContainText('Point at a token');
});

test('the other stage is freed: decoding again takes no more memory', async ({ page }) => {
  await withStages(page);
  await rebuildSample(page, 'chelsea');
  await both(page).click();
  await shows(page, 'both');
  await reaches(page, 'done');
  const [worker] = await engines(page);
  await rebuildSample(page, 'coffee');
  await shows(page, 'both');
  await reaches(page, 'done');
  const settled = await value(page, 'memory');
  for (const name of ['astronaut', 'chelsea', 'coffee']) {
    await rebuildSample(page, name);
    await shows(page, 'both');
    await reaches(page, 'done');
  }
  expect(await engines(page)).toEqual([worker]);
  expect(await value(page, 'memory')).toBeLessThanOrEqual(settled * 1.02);
});

test('both stages on WebGPU', async ({ page }) => {
  // Too small to have two stages: the same weights twice.
  const tiny = file('tests/e2e/fixtures/tiny.safetensors');
  await withStages(page, 'device=webgpu', [shipped('sharp', 'vqgan', tiny), shipped('soft', 'vqvae', tiny)]);
  await expect(page.locator('#device')).toHaveAttribute('data-kind', 'webgpu');
  await rebuildSmall(page);
  await both(page).click();
  await shows(page, 'both');
  await reaches(page, 'done');
  const [soft, sharp] = [await pixels(page, `${side('vqvae')} canvas`), await pixels(page, `${side('vqgan')} canvas`)];
  expect(soft.rgba.equals(sharp.rgba)).toBe(true);
  await expect(page.locator(`${side('vqvae')} .stages-psnr`)).toHaveAttribute('data-value', String(await value(page, 'psnr')));
});

test('tokens of another shipped model offer to load it', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  const tokens = await saved(page, '#save-tokens');
  await drop(page, { name: 'own.safetensors', buffer: file('tests/e2e/fixtures/tiny.safetensors') });
  await modelIs(page, 'own.safetensors');
  await reaches(page, 'done');
  await drop(page, tokens);
  await complains(page, 'tokens_other_codebook', /another model/);
  await page.click('#alert button:has-text("Load sharp, which can decode them")');
  await modelIs(page, 'sharp');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  expect((await pixels(page, REBUILT)).width).toBe(64);
  expect(page.url()).toContain('model=sharp');
});

test('the list says what each model is, and its card is a click away', async ({ page }) => {
  await withStages(page);
  await expect(page.locator('#models .card-name')).toHaveText(['sharp', 'soft']);
  await expect(page.locator('#models .card-kind')).toHaveText(['VQ-GAN', 'VQ-VAE']);
  await expect(page.locator('#models .card-facts')).toHaveText([/\d\.\d MB/, /\d\.\d MB/]);
  await expect(page.locator('#model-facts a')).toHaveAttribute('href', new RegExp(`/models/${ENTRY.card}$`));
  expect((await page.request.get(`/models/${ENTRY.card}`)).status()).toBe(200);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`both stages on 320 pixels, and nothing for axe, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 320, height: 640 });
    await withStages(page);
    await rebuildSmall(page);
    await both(page).click();
    await shows(page, 'both');
    await page.getByRole('button', { name: 'Enlarge' }).click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`)).toEqual([]);
  });
}
