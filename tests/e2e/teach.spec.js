// Teaching a small prior one's own pictures in the room Fine-tune, and sampling from it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkpoint } from './checkpoint.js';
import {
  chooseModel,
  commandLine,
  complains,
  drop,
  dropOn,
  expect,
  inFolder,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  room,
  saved,
  smallPhoto,
  test,
  value,
  violations,
  withPackage,
} from './app.js';
import { press, tuning } from './panel.js';
import { pictures, sampling, withPriors } from './sampling.js';

/** @typedef {import('@playwright/test').Page} Page */

const SIDE = 28;

/** Pictures that differ, each a stroke of light on dark. @param {Page} page @param {number} count @param {number} [side] */
async function strokes(page, count, side = SIDE) {
  const made = await page.evaluate(
    async ([many, size]) => {
      /** @type {string[]} */ const all = [];
      for (let i = 0; i < many; i += 1) {
        const canvas = new OffscreenCanvas(size, size);
        const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
        context.fillRect(0, 0, size, size);
        context.fillStyle = 'white';
        context.fillRect(((i + 1) * size) / (many + 2), size / 5, size / 7, (size * 3) / 5);
        all.push(btoa(String.fromCharCode(...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer()))));
      }
      return all;
    },
    [count, side],
  );
  return made.map((base64, i) => ({ name: `stroke-${i}.png`, mimeType: 'image/png', buffer: Buffer.from(base64, 'base64') }));
}

/** The room, in the mode that teaches, with these pictures. @param {Page} page @param {number} count @param {number} steps */
async function ready(page, count, steps) {
  await open(page, 'device=cpu&model=digits');
  await modelIs(page, 'digits');
  await teach(page);
  if (count) await page.setInputFiles('#tune-files', await strokes(page, count));
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(count);
  await page.fill('#teach-steps', String(steps));
}

/** @param {Page} page */
async function teach(page) {
  await room(page, 'tune');
  await page.click('#tune-mode label:has([value=teach])');
  await expect(page.locator('#teach-steps')).toBeVisible();
  await expect(page.locator('#tune-steps')).toBeHidden();
}

const NOW = '#teach-view figure[data-stage=now] canvas';
const chosen = (/** @type {Page} */ page) =>
  page.locator('#sampling-prior').evaluate((list) => /** @type {HTMLSelectElement} */ (list).selectedOptions[0].text);

test.beforeEach(({ page }) => withPriors(page));

test('a prior learns the pictures, is stopped and kept, and Sample draws with it', async ({ page }) => {
  await ready(page, 0, 100_000);
  // There is nothing to learn from.
  await expect(page.locator('#tune-pictures')).toContainText('Add pictures to learn from');
  await expect(page.locator('#tune-run')).toBeDisabled();
  await page.setInputFiles('#tune-files', await strokes(page, 3));
  await page.fill('#teach-name', 'my strokes');
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await expect(page.locator('#teach-window')).toHaveText('It will draw pictures of 28 × 28 pixels, which are 7 × 7 tokens.');
  await expect(page.locator('#tune-left')).toContainText('This training is saved');
  await expect(page.locator('#tune-step')).toBeHidden();
  const untrained = await pixels(page, NOW);
  await expect.poll(() => value(page, 'teach-at')).toBeGreaterThan(3);
  const first = await value(page, 'teach-loss');
  await expect(page.locator('#rooms a[data-room=tune] .room-work')).toContainText('0 %');
  await press(page, '#tune-run');
  await tuning(page, 'paused');
  const at = await value(page, 'teach-at');
  await press(page, '#tune-run');
  await expect.poll(() => value(page, 'teach-at')).toBeGreaterThan(Math.max(60, at));
  // A uniform guess among 128 codes takes 7 bits.
  expect(await value(page, 'teach-loss')).toBeLessThan(Math.min(first, 6));
  await expect(page.locator('#teach-loss')).toHaveText(/^\d+\.\d\d \(cross-entropy \d+\.\d\d\)$/);
  expect((await pixels(page, NOW)).rgba.equals(untrained.rgba)).toBe(false);

  await page.click('#tune-stop');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await sampling(page, 'done');
  await expect.poll(() => chosen(page)).toBe('my strokes (yours)');
  await expect(page.locator('#sampling-at')).toHaveText(/^4 pictures, seeds 1 to 4, in /);
  const drawn = await pictures(page);
  expect(drawn.map(({ width, height }) => [width, height])).toEqual(Array.from({ length: 4 }, () => [SIDE, SIDE]));
  await page.click('#sampling-open');
  await modelIs(page, 'digits');
  await reaches(page, 'done');

  // It stays in the room where it was trained, to be saved or drawn with again.
  await room(page, 'tune');
  await tuning(page, 'ended');
  const file = await saved(page, '#teach-save');
  expect(file.name).toBe('my strokes.safetensors');
  const facts = inFolder((folder) => {
    const path = join(folder, 'mine.safetensors');
    writeFileSync(path, file.buffer);
    return commandLine('inspect', path);
  });
  expect(facts).toMatchObject({ name: 'my strokes' });
  await press(page, '#teach-draw');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await sampling(page, 'done');
  await expect(page.locator('#sampling-prior option', { hasText: 'my strokes' })).toHaveCount(1);
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await expect(page.locator('#teach-view')).toBeHidden();
  // What Sample has is not taken back, and its file brings it to another page.
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toBeHidden();
  await room(page, 'sample');
  await dropOn(page, '#sampling', file);
  await expect.poll(() => chosen(page)).toBe('my strokes (yours)');
  await sampling(page, 'done');
  const again = await pictures(page);
  expect(again.map(({ rgba }, i) => rgba.equals(drawn[i].rgba))).toEqual([true, true, true, true]);
});

test('a training that all steps are done of opens Sample, but not from another room', async ({ page }) => {
  await ready(page, 2, 3);
  await press(page, '#tune-run');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await sampling(page, 'done');
  expect(await chosen(page)).toBe('stroke-0 (yours)');
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await page.fill('#teach-steps', '12');
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await room(page, 'rebuild');
  await tuning(page, 'ended');
  await expect(page.locator('.room[data-room=rebuild]')).toBeVisible();
  await expect(page.locator('#sampling-prior option', { hasText: '(yours)' })).toHaveCount(2);
  await press(page, '#teach-draw');
  await expect.poll(() => chosen(page)).toBe('stroke-0 2 (yours)');
});

test('a closed tab leaves the training to be resumed, with the same result', async ({ page }) => {
  await ready(page, 2, 24);
  await page.fill('#teach-name', 'twice');
  await press(page, '#tune-run');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await sampling(page, 'done');
  const whole = await pictures(page);
  await press(page, '#tune-undo');
  await tuning(page, 'idle');
  await page.fill('#teach-steps', '24');
  // Slow enough to be stopped in the middle.
  await press(page, '#tune-run');
  await expect.poll(() => value(page, 'teach-at')).toBeGreaterThan(0);
  await press(page, '#tune-run');
  await expect(page.locator('#tune')).toHaveAttribute('data-tuning', /paused|ended/);
  await page.reload();
  await reaches(page, 'ready');
  await expect(page.locator('#tune-offer')).toContainText(/The training of twice 2 on your pictures stopped at step \d+ of 24\./);
  await page.click('#tune-on');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await sampling(page, 'done');
  expect(await chosen(page)).toBe('twice 2 (yours)');
  expect((await pictures(page)).map(({ rgba }, i) => rgba.equals(whole[i].rgba))).toEqual([true, true, true, true]);
});

test('pictures of different sizes are learned in windows of the smallest', async ({ page }) => {
  await ready(page, 2, 1);
  const [larger] = await strokes(page, 1, 64);
  await page.setInputFiles('#tune-files', { ...larger, name: 'larger.png' });
  await press(page, '#tune-run');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await room(page, 'tune');
  await expect(page.locator('#teach-window')).toHaveText(
    /7 × 7 tokens\. 1 of the 3 pictures are larger: at each step it sees a part of that size, from a random place\.$/,
  );
});

test('what cannot be learned is refused in a sentence, and nothing is lost', async ({ page }) => {
  await ready(page, 1, 2);
  const { buffer } = await smallPhoto(page);
  await page.setInputFiles('#tune-files', { name: 'broken.png', mimeType: 'image/png', buffer: buffer.subarray(0, 100) });
  await press(page, '#tune-run');
  await complains(page, 'image_corrupt', /^Picture 2 of 2: /);
  await tuning(page, 'idle');
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);
  await expect(page.locator('#teach-steps')).toHaveValue('2');
  await page.click('[aria-label="Remove picture 2"]');
  const many = Array.from({ length: 50 }, (_, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer }));
  await page.setInputFiles('#tune-files', many);
  await complains(page, 'too_many', /at most 50 pictures; the rest were left out\./);
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(50);

  await drop(page, checkpoint('vqvae2').weights);
  await modelIs(page, 'vqvae2.safetensors');
  await room(page, 'tune');
  await expect(page.locator('#tune-not')).toHaveText(
    'vqvae2.safetensors has two grids of tokens; only tokens of a single grid can be learned. Choose another under “Model”.',
  );
  await expect(page.locator('#tune-run')).toBeDisabled();
  const { weights, config } = checkpoint('kl_ldm');
  await drop(page, weights, ...(config ? [config] : []));
  await modelIs(page, 'kl_ldm.safetensors');
  await room(page, 'tune');
  await expect(page.locator('#tune-not')).toContainText('kl_ldm.safetensors has no codebook');
  // The model itself can still be fine-tuned.
  await page.click('#tune-mode label:has([value=tune])');
  await expect(page.locator('#tune-not')).toBeHidden();
  await expect(page.locator('#tune-run')).toBeEnabled();
  await chooseModel(page, 'digits');
  await teach(page);
  await expect(page.locator('#tune-run')).toBeEnabled();
});

test('reading the pictures can be cancelled, which loses nothing', async ({ page }) => {
  await patchWorker(
    page,
    withPackage(`
    const encode = wasm.Model.prototype.encode;
    wasm.Model.prototype.encode = async function (...all) {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return encode.apply(this, all);
    };`),
  );
  await ready(page, 2, 2);
  await page.fill('#teach-name', 'mine');
  await press(page, '#tune-run');
  await tuning(page, 'preparing');
  await page.click('#cancel');
  await tuning(page, 'idle');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);
  await expect(page.locator('#teach-name')).toHaveValue('mine');
  await press(page, '#tune-run');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await expect.poll(() => chosen(page)).toBe('mine (yours)');
});

test('without memory it says so, and smaller pictures work', async ({ page }) => {
  await patchWorker(
    page,
    withPackage(`
    const begin = wasm.PriorTrainer.begin;
    wasm.PriorTrainer.begin = (engine, model, tokens, options) => {
      if (tokens[0].facts.grids[0].rows > 8) throw new RangeError('Array buffer allocation failed');
      return begin(engine, model, tokens, options);
    };`),
  );
  await ready(page, 0, 1);
  await page.setInputFiles('#tune-files', await strokes(page, 1, 64));
  await press(page, '#tune-run');
  await complains(
    page,
    'out_of_memory',
    /^The training ran out of memory, so the engine was restarted\. Smaller pictures or crops need less\.$/,
  );
  await tuning(page, 'idle');
  await page.click('#alert button:has-text("Start with squares of 32 pixels")');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await room(page, 'tune');
  await expect(page.locator('#teach-window')).toHaveText('It will draw pictures of 32 × 32 pixels, which are 8 × 8 tokens.');
});

test('the picture on the stage can be left out', async ({ page }) => {
  await ready(page, 2, 2);
  await drop(page, await smallPhoto(page, SIDE));
  await reaches(page, 'done');
  await room(page, 'tune');
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(3);
  await page.click('[aria-label="Remove picture 1"]');
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);
  // For a tuning it is there again.
  await page.click('#tune-mode label:has([value=tune])');
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(3);
  await expect(page.locator('[aria-label="Remove picture 1"]')).toHaveCount(0);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`it fits a narrow page, works by keyboard, and axe finds nothing, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page, 'device=cpu&model=digits');
    await room(page, 'tune');
    await page.focus('#tune-mode input:checked');
    await page.keyboard.press('ArrowRight');
    await expect(page.locator('#teach-steps')).toBeVisible();
    await page.setInputFiles('#tune-files', await strokes(page, 2));
    await page.fill('#teach-steps', '100000');
    const fits = async () => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      expect(await violations(page)).toEqual([]);
    };
    await fits();
    await page.focus('#teach-steps');
    await page.keyboard.press('Enter');
    await expect.poll(() => value(page, 'teach-at')).toBeGreaterThan(1);
    await page.focus('#tune-run');
    await page.keyboard.press('Enter');
    await tuning(page, 'paused');
    await fits();
  });
}
