// From a model's faithful stage to its lifelike one, on the same tokens.
import { join } from 'node:path';
import {
  GRID,
  ORIGINAL,
  REBUILT,
  SHIPPED,
  chooseModel,
  commandLine,
  complains,
  decoded,
  drop,
  engines,
  expect,
  inFolder,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  rebuildSample,
  saved,
  smallPhoto,
  test,
  violations,
  withPackage,
} from './app.js';
import { ENTRY, FAITHFUL, LIFELIKE, SMALL, SOFT, STAGES, follows, moveTo, rebuildSmall, shown, slider, withStages } from './stages.js';

/** @param {Buffer} a @param {Buffer} b RGBA */
function psnr(a, b) {
  let squares = 0;
  for (let i = 0; i < a.length; i += 1) if (i % 4 < 3) squares += (a[i] - b[i]) ** 2;
  return 10 * Math.log10((255 ** 2 * 0.75 * a.length) / squares);
}

test('either end is what that stage makes of the same tokens, of a photo that is encoded once', async ({ page }) => {
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
  await expect(page.locator(STAGES)).toBeHidden();
  await rebuildSample(page, 'chelsea');
  await follows(page, LIFELIKE);
  await expect(page.locator(STAGES)).toContainText(`${(SOFT.body.length / 1e6).toFixed(1)} MB`);
  expect(fetched).toEqual(['sharp.safetensors']);
  const encoded = await encodings();
  expect(encoded).toBeGreaterThan(0);
  const [sharp, tokens] = [await shown(page), await saved(page, '#save-tokens')];
  // The divider stays where it is put.
  await expect(page.locator('#compare input')).toHaveValue('50');
  await page.locator('#compare input').fill('20');

  await moveTo(page, FAITHFUL);
  await follows(page, FAITHFUL);
  expect(fetched).toEqual(['sharp.safetensors', 'soft.safetensors']);
  expect(await encodings()).toBe(encoded);
  await expect(page.locator('#compare input')).toHaveValue('20');
  await expect(page.locator(STAGES)).not.toContainText(' MB');
  const [original, soft] = [await pixels(page, ORIGINAL), await shown(page)];
  expect(soft.rgba.equals(sharp.rgba)).toBe(false);
  expect(soft.psnr).toBeCloseTo(psnr(original.rgba, soft.rgba), 3);
  expect(soft.ssim).not.toBe(sharp.ssim);
  await expect(page.locator('#status')).toHaveText(
    `Rebuilt: PSNR ${await page.locator('#psnr').textContent()}, SSIM ${soft.ssim.toFixed(4)}.`,
  );
  // What is saved is what is shown; the tokens are the same ones.
  expect((await decoded(page, (await saved(page, '#save-picture')).buffer)).equals(soft.rgba)).toBe(true);
  expect((await saved(page, '#save-tokens')).buffer.equals(tokens.buffer)).toBe(true);
  // Back at its own end the model's picture is there at once.
  await moveTo(page, LIFELIKE);
  expect(await shown(page)).toEqual(sharp);
  expect((await decoded(page, (await saved(page, '#save-picture')).buffer)).equals(sharp.rgba)).toBe(true);

  // What the other stage showed is what it makes by itself, of the very same tokens, and the reverse.
  await chooseModel(page, 'soft');
  await follows(page, FAITHFUL);
  expect(await shown(page)).toEqual(soft);
  // The file says whose decoder it was made for, in bytes 28 to 36, and ends with a checksum.
  const indices = (/** @type {Buffer} */ file) => Buffer.concat([file.subarray(0, 28), file.subarray(36, -4)]);
  expect(indices((await saved(page, '#save-tokens')).buffer).equals(indices(tokens.buffer))).toBe(true);
  await page.locator(`${STAGES} button`).last().click();
  await follows(page, LIFELIKE);
  expect(await shown(page)).toEqual(sharp);
  await page.locator(`${STAGES} button`).first().click();
  await follows(page, FAITHFUL);
  expect(await shown(page)).toEqual(soft);
});

test('between the shipped stages the picture is the one of weights that the command line blends', async ({ page }) => {
  const native = inFolder((folder) => {
    const out = join(folder, 'out.safetensors');
    const [from, to] = ['vqvae', 'vqgan'].map((stage) =>
      SHIPPED.find((/** @type {any} */ e) => e.codebook === ENTRY.codebook && e.stage === stage),
    );
    commandLine('interpolate', `www/models/${from.file}`, `www/models/${to.file}`, '--share', '0.3', '--out', out, '--dtype', 'f32');
    return commandLine('reconstruct', 'www/samples/chelsea.png', join(folder, 'out.png'), '--model', out);
  });
  await open(page);
  await rebuildSample(page, 'chelsea');
  const before = await shown(page);
  await moveTo(page, 30);
  await follows(page, 30);
  const mixed = await shown(page);
  expect(mixed.psnr).toBeCloseTo(native.psnr, 3);
  expect(mixed.ssim).toBeCloseTo(native.ssim, 4);
  expect(Math.abs(mixed.psnr - before.psnr)).toBeGreaterThan(0.01);
});

test('the position stays for the next photo, and ends with a model of one stage', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  await moveTo(page, 40);
  await follows(page, 40);
  const [first, tokens] = [await shown(page), await pixels(page, GRID)];
  await page.click('#samples button[data-sample=coffee]');
  await expect.poll(async () => (await pixels(page, GRID)).rgba.equals(tokens.rgba)).toBe(false);
  await follows(page, 40);
  const second = await shown(page);
  expect([first.width, second.width]).toEqual([64, 256]);
  await moveTo(page, LIFELIKE);
  expect((await shown(page)).rgba.equals(second.rgba)).toBe(false);

  await drop(page, { name: 'own.safetensors', buffer: SMALL });
  await modelIs(page, 'own.safetensors');
  await reaches(page, 'done');
  await expect(page.locator(STAGES)).toBeHidden();
  await expect(page.locator('#compare')).toBeVisible();
});

test('tokens without their photo are decoded by every mixture too', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  const tokens = await saved(page, '#save-tokens');
  await rebuildSample(page, 'coffee');
  await drop(page, tokens);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  const sharp = await pixels(page, REBUILT);
  await moveTo(page, FAITHFUL);
  await follows(page, FAITHFUL);
  const soft = await pixels(page, REBUILT);
  expect([soft.width, soft.height, sharp.width, sharp.height]).toEqual([64, 64, 64, 64]);
  expect(soft.rgba.equals(sharp.rgba)).toBe(false);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await expect(page.locator('#psnr')).toContainText('needs the original');
});

/** The worker tells which mixtures it is asked for, and each waits until it is let go. */
const HELD = withPackage(`
  const decode = wasm.Model.prototype.decodeBetween;
  self.asked = [];
  wasm.Model.prototype.decodeBetween = async function (other, share, ...rest) {
    self.asked.push(Math.round(share * 100));
    await new Promise((go) => (self.go = go));
    return decode.call(this, other, share, ...rest);
  };`);

test('only the newest position is decoded, and no older picture comes back', async ({ page }) => {
  await patchWorker(page, HELD);
  await withStages(page);
  await rebuildSmall(page);
  const sharp = await shown(page);
  const [worker] = await engines(page);
  const asked = () => worker.evaluate(() => /** @type {any} */ (self).asked);
  /** Lets the mixture go that is on its way. @param {number[]} so far */
  const go = async (/** @type {number[]} */ so) => {
    await expect.poll(asked).toEqual(so);
    await worker.evaluate(() => /** @type {any} */ (self).go());
  };
  // Every picture that is shown leaves its figure.
  await page.evaluate(() => {
    const figure = /** @type {HTMLElement} */ (document.getElementById('psnr'));
    /** @type {(string | undefined)[]} */ const seen = [];
    Object.assign(window, { seen });
    new MutationObserver(() => seen.at(-1) !== figure.dataset.value && seen.push(figure.dataset.value)).observe(figure, {
      attributes: true,
    });
  });
  const seen = async () => (await page.evaluate(() => /** @type {any} */ (window).seen)).map(Number);

  await slider(page).focus();
  for (let i = 0; i < 6; i += 1) await page.keyboard.press('ArrowLeft');
  await expect(page.locator(STAGES)).toHaveAttribute('data-value', '70');
  await expect(page.locator(STAGES)).toHaveAttribute('data-busy', '');
  await expect(slider(page)).toHaveAttribute('aria-valuetext', '70 % lifelike');
  await go([5]);
  await go([5, 30]);
  await follows(page, 70);
  const at70 = await shown(page);
  const steps = await seen();
  expect(steps).toHaveLength(2);
  expect(steps[1]).toBe(at70.psnr);
  // Towards the other stage, which is nearer to the photo, or farther: never back.
  expect(Math.sign(steps[0] - sharp.psnr)).toBe(Math.sign(steps[1] - steps[0]));

  // Turned round on the way: what comes from there is not shown.
  await moveTo(page, 10);
  await expect.poll(asked).toEqual([5, 30, 90]);
  await moveTo(page, 75);
  await go([5, 30, 90]);
  await go([5, 30, 90, 25]);
  await follows(page, 75);
  expect(await seen()).toEqual([...steps, (await shown(page)).psnr]);

  // The model's own picture needs no work, so it is there before what is under way.
  await moveTo(page, 20);
  await expect.poll(asked).toEqual([5, 30, 90, 25, 80]);
  await moveTo(page, LIFELIKE);
  expect(await shown(page)).toEqual(sharp);
  await expect(page.locator(STAGES)).not.toHaveAttribute('data-busy', /.*/);
  await go([5, 30, 90, 25, 80]);
  await reaches(page, 'done');
  expect(await shown(page)).toEqual(sharp);
  expect((await seen()).at(-1)).toBe(sharp.psnr);
  await expect(page.locator('#status')).toHaveText(`Rebuilt: PSNR ${sharp.psnr.toFixed(2)} dB, SSIM ${sharp.ssim.toFixed(4)}.`);

  // Another photo on the way: its own picture follows.
  await moveTo(page, 50);
  await expect.poll(asked).toEqual([5, 30, 90, 25, 80, 50]);
  await drop(page, await smallPhoto(page, 40));
  await go([5, 30, 90, 25, 80, 50]);
  await go([5, 30, 90, 25, 80, 50, 50]);
  await follows(page, 50);
  expect((await shown(page)).width).toBe(40);
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
    const before = await shown(page);
    await page.route('**/models/soft.safetensors', (route) => route.fulfill(answer(SOFT.body)));
    await moveTo(page, 30);
    await complains(page, code, sentence);
    await expect(page.locator(STAGES)).toHaveAttribute('data-value', String(LIFELIKE));
    await expect(page.locator(STAGES)).not.toHaveAttribute('data-busy', /.*/);
    expect(await shown(page)).toEqual(before);
    for (const button of ['#save-picture', '#save-tokens']) await expect(page.locator(button)).toBeEnabled();
    await modelIs(page, 'sharp');
    await page.unroute('**/models/soft.safetensors');
    await page.route('**/models/soft.safetensors', (route) => route.fulfill({ body: SOFT.body }));
    await page.click('#alert button:has-text("Try again")');
    await follows(page, 30);
    expect((await shown(page)).rgba.equals(before.rgba)).toBe(false);
    await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  });
}

test('cancelling leaves the result, and so does going back while it is in progress', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  const before = await shown(page);
  await page.route('**/models/soft.safetensors', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await route.fulfill({ body: SOFT.body });
  });
  await moveTo(page, 30);
  await reaches(page, 'working');
  await page.click('#cancel');
  await follows(page, LIFELIKE);
  await expect(page.locator('#status')).toHaveText('Cancelled.');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  expect(await shown(page)).toEqual(before);

  await moveTo(page, 30);
  await reaches(page, 'working');
  await expect(page.locator('#progress')).toBeVisible();
  await moveTo(page, LIFELIKE);
  await follows(page, LIFELIKE);
  expect(await shown(page)).toEqual(before);
  await moveTo(page, 30);
  await follows(page, 30);
  expect((await shown(page)).rgba.equals(before.rgba)).toBe(false);
});

test('the keyboard moves it, and presses either end', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  await page.locator('#compare button').last().focus();
  await page.keyboard.press('Tab');
  await expect(slider(page)).toBeFocused();
  await page.keyboard.press('Home');
  await follows(page, FAITHFUL);
  const soft = await shown(page);
  await page.keyboard.press('ArrowRight');
  await follows(page, 5);
  await expect(page.locator(STAGES)).toContainText('5 % lifelike');
  expect((await shown(page)).rgba.equals(soft.rgba)).toBe(false);
  await page.keyboard.press('End');
  await follows(page, LIFELIKE);
  const [faithful, lifelike] = await page.locator(`${STAGES} button`).all();
  await page.keyboard.press('Tab');
  await expect(faithful).toBeFocused();
  await expect(faithful).toHaveAttribute('aria-pressed', 'false');
  await page.keyboard.press('Enter');
  await follows(page, FAITHFUL);
  await expect(faithful).toHaveAttribute('aria-pressed', 'true');
  expect(await shown(page)).toEqual({ ...soft });
  await page.keyboard.press('Tab');
  await expect(lifelike).toBeFocused();
});

test('what is framed and enlarged stays so', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  const tokens = /** @type {{x: number, y: number, width: number, height: number}} */ (await page.locator(GRID).boundingBox());
  await page.mouse.click(tokens.x + (tokens.width * 1.5) / 8, tokens.y + (tokens.height * 2.5) / 8);
  await expect(page.locator('#token-readout')).toContainText('Token 18 at row 3, column 2: code ');
  await page.click('#compare button[aria-label="Zoom in"]');
  const look = () =>
    page.evaluate(
      (all) => all.map((css) => /** @type {Element} */ (document.querySelector(css)).getBoundingClientRect().toJSON()),
      [REBUILT, '#compare .compare-mark'],
    );
  const before = await look();
  await moveTo(page, 50);
  await follows(page, 50);
  expect(await look()).toEqual(before);
  await expect(page.locator('#compare .compare-mark')).toBeVisible();
  await expect(page.locator('#token-readout')).toContainText('Token 18 at row 3, column 2: code ');
});

test('a photo too large for one go is decoded under a bar, and its decoding can be cancelled', async ({ page }) => {
  await withStages(page, 'device=cpu&size=0');
  await rebuildSmall(page);
  await moveTo(page, 50);
  await follows(page, 50);
  // In one go there is none.
  await page.evaluate(() => {
    const bar = /** @type {HTMLElement} */ (document.getElementById('progress'));
    /** @type {boolean[]} */ const bars = [];
    Object.assign(window, { bars });
    new MutationObserver(() => bars.push(Boolean(bar.hidden))).observe(bar, { attributes: true, attributeFilter: ['hidden'] });
  });
  await moveTo(page, 60);
  await follows(page, 60);
  expect(await page.evaluate(() => /** @type {any} */ (window).bars)).not.toContain(false);

  await rebuildSample(page, 'rocket');
  await follows(page, 60);
  const before = await shown(page);
  expect(before.width).toBe(640);
  await moveTo(page, 30);
  await expect(page.locator('#progress')).toContainText('Tokens to photo');
  await page.click('#cancel');
  await follows(page, 60);
  await expect(page.locator('#status')).toHaveText('Cancelled.');
  expect(await shown(page)).toEqual(before);
});

test('tokens on the stage are decoded by the other stage too, and a model without one puts the slider away', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  await drop(page, await saved(page, '#save-tokens'));
  await follows(page, LIFELIKE);
  const sharp = (await pixels(page, REBUILT)).rgba;
  await chooseModel(page, 'soft');
  await follows(page, FAITHFUL);
  expect((await pixels(page, REBUILT)).rgba.equals(sharp)).toBe(false);
  await moveTo(page, LIFELIKE);
  await follows(page, LIFELIKE);
  expect((await pixels(page, REBUILT)).rgba.equals(sharp)).toBe(true);
  await drop(page, { name: 'own.safetensors', buffer: SMALL });
  await modelIs(page, 'own.safetensors');
  await expect(page.locator(STAGES)).toBeHidden();
});

test('tokens of another shipped model offer to load it', async ({ page }) => {
  await withStages(page);
  await rebuildSmall(page);
  const tokens = await saved(page, '#save-tokens');
  await drop(page, { name: 'own.safetensors', buffer: SMALL });
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
  test(`the slider on 320 pixels, and nothing for axe, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 320, height: 640 });
    await withStages(page);
    await rebuildSmall(page);
    await moveTo(page, 50);
    await follows(page, 50);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
}
