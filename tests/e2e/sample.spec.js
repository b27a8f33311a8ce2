// The room where new pictures are sampled: a prior draws tokens, which the model that they belong to decodes.
import {
  GRID,
  PRIORS,
  SHIPPED,
  chooseDevice,
  complains,
  expect,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  rebuildSample,
  room,
  saved,
  test,
  value,
  violations,
} from './app.js';
import { press, ready, tuning } from './panel.js';
import {
  PRIOR,
  RASTER,
  STRANGER,
  TOKENIZER,
  classIs,
  dial,
  pictures,
  sampled,
  sampledTokens,
  sampling,
  slow,
  withPriors,
} from './sampling.js';

/** The longest that a visitor's first pictures may take on a busy machine. */
const FIRST_MS = 120_000;
const WORK = '#rooms a[data-room=sample] .room-work';

test.beforeEach(({ page }) => withPriors(page));

test('the room opens with pictures, and its link makes them again, as the command line does', async ({ page, context }) => {
  const began = Date.now();
  await page.goto('/#room=sample&device=cpu');
  await sampling(page, 'done');
  const took = Date.now() - began;
  console.log(`the first ${await page.locator('#sampling-pictures canvas').count()} pictures after ${(took / 1000).toFixed(1)} s`);
  expect(took).toBeLessThan(FIRST_MS);
  const first = await pictures(page);
  expect(first.map(({ width, height }) => [width, height])).toEqual(Array(4).fill([28, 28]));
  expect(new Set(first.map(({ rgba }) => rgba.toString('base64'))).size).toBe(4);
  for (const { rgba } of first) expect(rgba.every((sample, i) => i % 4 !== 3 || sample === 255)).toBe(true);
  await expect(page.locator('#sampling-at')).toHaveText(/^4 pictures of .+, seeds 1 to 4, in [\d.]+ s\.$/);
  for (const part of ['room=sample', `prior=${PRIOR.name}`, 'class=0', 'seed=1', 'count=4', 'guidance=2'])
    expect(page.url()).toContain(part);

  // Of the second picture, which has the second seed.
  await page.locator('#sampling-pictures label').nth(1).click();
  const tokens = await saved(page, '#sampling-save-tokens');
  const png = await saved(page, '#sampling-save-picture');
  expect([tokens.name, png.name]).toEqual([`${PRIOR.name}-${PRIOR.classes[0]}-2.tokens`, `${PRIOR.name}-${PRIOR.classes[0]}-2.png`]);

  const other = await context.newPage();
  await withPriors(other);
  await other.goto(page.url());
  await sampling(other, 'done');
  expect((await pictures(other)).map(({ rgba }) => rgba.toString('base64'))).toEqual(first.map(({ rgba }) => rgba.toString('base64')));
  await other.locator('#sampling-pictures label').nth(1).click();
  expect((await saved(other, '#sampling-save-tokens')).buffer.equals(tokens.buffer)).toBe(true);
  await other.close();

  expect(tokens.buffer.equals(sampledTokens(0, 2))).toBe(true);
});

test('class, seed and settings change the pictures and the address; what an address has wrong is ignored', async ({ page }) => {
  await page.goto('/#room=sample&device=cpu&class=99&seed=-3&count=5&steps=zero&temperature=9&order=sideways&prior=none');
  await sampled(page, 1);
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  const shots = [await pictures(page)];
  /** Expects pictures that were never there before. */
  const others = async () => {
    shots.push(await pictures(page));
    const texts = shots.map((all) => all.map(({ rgba }) => rgba.toString('base64')).join());
    expect(new Set(texts).size).toBe(texts.length);
  };
  await classIs(page, '7');
  await expect(page.locator('#sampling-at')).toContainText(`of ${PRIOR.classes[7]},`);
  expect(page.url()).toContain('class=7');
  await others();

  await expect(page.locator('#sampling-run')).toHaveText('Again');
  await page.click('#sampling-run');
  await sampled(page, 5);
  await expect(page.locator('#sampling-seed')).toHaveValue('5');
  await others();
  // Enter in the field takes the number typed, and no other.
  await page.fill('#sampling-seed', '40');
  await expect(page.locator('#sampling-run')).toHaveText('Sample');
  await page.press('#sampling-seed', 'Enter');
  await sampled(page, 40);
  await others();

  await page.click('#sampling-more summary');
  await page.selectOption('#sampling-count', '9');
  await expect(page.locator('#sampling-at')).toContainText('9 pictures');
  await dial(page, '#sampling-steps', 3);
  await expect.poll(() => page.url()).toContain('steps=3');
  await sampling(page, 'done');
  await others();
  await dial(page, '#sampling-temperature', 0);
  await expect.poll(() => page.url()).toContain('temperature=0');
  await sampling(page, 'done');
  await others();
  await page.selectOption('#sampling-order', 'raster');
  await expect.poll(() => page.url()).toContain('order=raster');
  await sampling(page, 'done');
  await others();
  const link = page.url();
  await page.click('#sampling-reset');
  await expect.poll(() => page.url()).not.toMatch(/steps|temperature|order/);
  await expect(page.locator('#sampling-at')).toContainText('4 pictures');

  // A link that is opened in the same page.
  await page.evaluate((hash) => (location.hash = hash), new URL(link).hash);
  await expect(page.locator('#sampling-at')).toContainText('9 pictures');
  await expect(page.locator('#sampling-steps')).toHaveValue('3');
  await expect(page.locator('#sampling-order')).toHaveValue('raster');
  expect((await pictures(page)).map(({ rgba }) => rgba.toString('base64'))).toEqual(
    shots.at(-1)?.map(({ rgba }) => rgba.toString('base64')),
  );

  // Any class, which cannot be guided.
  await expect(page.locator('#sampling-guidance')).toHaveValue('2');
  await dial(page, '#sampling-guidance', 3);
  await expect.poll(() => page.url()).toContain('guidance=3');
  await sampling(page, 'done');
  await classIs(page, 'any');
  await expect(page.locator('#sampling-guidance')).toBeDisabled();
  await expect(page.locator('#sampling-at')).toHaveText(/^9 pictures, seeds/);
  expect(page.url()).toContain('class=any');
});

test('pictures form step by step, a newer sample takes the place of an older one, and stop leaves the rest as it is', async ({ page }) => {
  await patchWorker(page, slow(300));
  await page.goto('/#room=sample&device=cpu&count=1&steps=30');
  await expect(page.locator('#sampling-at')).toHaveText(/^Step \d+ of 30$/);
  const opaque = async () => {
    const [{ rgba }] = await pictures(page);
    const alphas = [...rgba].filter((_, i) => i % 4 === 3);
    // What is not drawn yet is faded.
    for (const alpha of new Set(alphas)) expect([64, 255]).toContain(alpha);
    return alphas.filter((alpha) => alpha === 255).length;
  };
  await expect.poll(() => page.locator('#sampling-pictures canvas').evaluate((c) => /** @type {HTMLCanvasElement} */ (c).width)).toBe(28);
  const early = await opaque();
  expect(early % 16).toBe(0);
  expect(early).toBeLessThan(28 * 28);
  await expect.poll(opaque).toBeGreaterThan(early);

  // The link shows the work while another room is open, and the work goes on.
  await room(page, 'rebuild');
  await expect(page.locator(WORK)).toHaveText(/^in progress \d+ %$/);
  await room(page, 'sample');
  await classIs(page, '3');
  await classIs(page, '4');
  await expect(page.locator('#sampling-at')).toContainText(/^Step \d+ of/);
  await page.click('#sampling-stop');
  await sampling(page, 'idle');
  await expect(page.locator('#sampling-at')).toHaveText('Stopped.');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  await expect(page.locator('#sampling-open')).toBeDisabled();
  await expect(page.locator(WORK)).toBeHidden();
  await expect(page.locator('#sampling-run')).toHaveText('Sample');
  await modelIs(page, 'tiny');
  await page.click('#sampling-run');
  await sampled(page, 1);
  await expect(page.locator('#sampling-at')).toHaveText(/^1 picture of 4, seed 1,/);
  await rebuildSample(page, 'coffee');
});

test('what is chosen during the download does not begin it again, and the last choice counts', async ({ page }) => {
  /** @type {(value?: unknown) => void} */ let letGo = () => {};
  const held = new Promise((resolve) => (letGo = resolve));
  let asked = 0;
  await page.route(`**/models/${PRIOR.file}`, async (route) => {
    asked += 1;
    await held;
    await route.fallback();
  });
  await page.goto('/#room=sample&device=cpu');
  await sampling(page, 'working');
  await expect.poll(() => asked).toBe(1);
  for (const value of ['3', '5', '8']) await classIs(page, value);
  letGo();
  await expect(page.locator('#sampling-at')).toHaveText(/^4 pictures of 8,/);
  expect(asked).toBe(1);
  // The work of the first choice ended with its download.
  await expect(page.locator('#sampling-stop')).toBeHidden();
});

test('a picture opens in Rebuild with its tokens, by the model that they belong to', async ({ page }) => {
  await open(page);
  await rebuildSample(page, 'coffee');
  await room(page, 'sample');
  await sampled(page, 1);
  await modelIs(page, 'tiny');
  await room(page, 'rebuild');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await room(page, 'sample');
  await page.locator('#sampling-pictures label').nth(2).click();
  await expect(page.locator('.gallery-picked')).toHaveText('Picture 3, seed 3');
  const [, , third] = await pictures(page);
  const tokens = await saved(page, '#sampling-save-tokens');
  await page.click('#sampling-open');
  await expect(page.locator('.room[data-room=rebuild]')).toBeVisible();
  await modelIs(page, TOKENIZER);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
  expect((await pixels(page, '#compare canvas.compare-rebuilt')).rgba.equals(third.rgba)).toBe(true);
  expect((await pixels(page, GRID)).width).toBe(PRIOR.config.columns);
  expect(await value(page, 'count')).toBe(PRIOR.config.rows * PRIOR.config.columns);
  expect((await saved(page, '#save-tokens')).buffer.equals(tokens.buffer)).toBe(true);
  expect(page.url()).toContain(`model=${TOKENIZER}`);

  // That model is in use by now.
  await room(page, 'sample');
  await page.locator('#sampling-pictures label').first().click();
  const [first] = await pictures(page);
  await page.click('#sampling-open');
  await expect
    .poll(async () => (await pixels(page, '#compare canvas.compare-rebuilt')).rgba.equals(first.rgba), { message: 'the first picture' })
    .toBe(true);
  await reaches(page, 'done');
});

test('priors are no models: the list has none of them, and none is used to rebuild', async ({ page }) => {
  await open(page, `device=cpu&model=${PRIOR.name}`);
  await complains(page, 'model_unknown', /There is no model called/);
  await modelIs(page, 'tiny');
  await page.click('#model');
  const names = await page.locator('#models .card-name').allTextContents();
  expect(names).toEqual(['tiny', ...SHIPPED.map(({ name }) => name)]);
  for (const { name } of PRIORS) expect(names).not.toContain(name);
});

test('the keyboard is enough', async ({ page }) => {
  await page.goto('/#room=sample&device=cpu');
  await sampled(page, 1);
  await page.locator('#sampling-how summary').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#sampling-how p')).toContainText('transformer');
  /** Presses Tab until an element has the focus. @param {string} css */
  const tabTo = async (css) => {
    const target = page.locator(css);
    for (let i = 0; i < 30 && !(await target.evaluate((e) => e === document.activeElement)); i += 1) await page.keyboard.press('Tab');
    await expect(target).toBeFocused();
  };
  await tabTo('#sampling-classes input[value="0"]');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('#sampling-classes input[value="1"]')).toBeChecked();
  await expect(page.locator('#sampling-at')).toHaveText(/^4 pictures of 1, seeds 1 to 4/);
  await tabTo('#sampling-run');
  await page.keyboard.press('Enter');
  await sampled(page, 5);
  await expect(page.locator('#sampling-run')).toBeFocused();
  await tabTo('#sampling-more summary');
  await page.keyboard.press('Enter');
  await tabTo('#sampling-temperature');
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => page.url()).toContain('temperature=0.95');
  await sampling(page, 'done');
  await tabTo('#sampling-pictures input:checked');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('.gallery-picked')).toHaveText('Picture 2, seed 6');
  await tabTo('#sampling-open');
  await page.keyboard.press('Enter');
  await modelIs(page, TOKENIZER);
  await reaches(page, 'done');
});

test('a prior that goes row by row has no order and no rounds, and two priors share the room', async ({ page }) => {
  await withPriors(page, RASTER);
  await page.goto('/#room=sample&device=cpu&prior=raster&class=2');
  await sampled(page, 1);
  await expect(page.locator('#sampling-prior')).toHaveValue('raster');
  await expect(page.locator('#sampling-at')).toContainText(`of ${PRIOR.classes[2]},`);
  await page.click('#sampling-more summary');
  await expect(page.locator('#sampling-order')).toBeHidden();
  await expect(page.locator('#sampling-steps')).toBeHidden();
  const before = await pictures(page);
  await page.selectOption('#sampling-prior', PRIOR.name);
  await expect.poll(() => page.url()).toContain(`prior=${PRIOR.name}`);
  await sampling(page, 'done');
  await expect(page.locator('#sampling-order')).toBeVisible();
  expect((await pictures(page))[0].rgba.equals(before[0].rgba)).toBe(false);

  // Few are kept, so going back and forth takes no more memory.
  const used = [];
  for (const name of ['raster', PRIOR.name, 'raster', PRIOR.name]) {
    await page.selectOption('#sampling-prior', name);
    await expect.poll(() => page.url()).toContain(`prior=${name}`);
    await sampling(page, 'done');
    used.push(await value(page, 'memory'));
  }
  expect(used.at(-1)).toBeLessThanOrEqual(used[1] * 1.02);
});

test('what fails here leaves the model in use and its picture alone', async ({ page }) => {
  await withPriors(page, STRANGER);
  await open(page);
  await rebuildSample(page, 'coffee');
  const before = await pixels(page, '#compare canvas.compare-rebuilt');
  await page.route(`**/models/${PRIOR.file}`, (route) => route.fulfill({ status: 404, body: 'gone' }));
  await room(page, 'sample');
  await complains(page, 'download_failed', /404/);
  await sampling(page, 'idle');
  await expect(page.locator('#progress')).toBeHidden();
  await page.unroute(`**/models/${PRIOR.file}`);
  await page.click('#alert button:has-text("Try again")');
  await sampled(page, 1);
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);

  await page.click('#sampling-more summary');
  await page.selectOption('#sampling-prior', 'stranger');
  await complains(page, 'prior_other_codebook', /^This prior predicts the tokens of /);
  await sampling(page, 'idle');
  await modelIs(page, 'tiny');
  await reaches(page, 'done');
  await room(page, 'rebuild');
  expect((await pixels(page, '#compare canvas.compare-rebuilt')).rgba.equals(before.rgba)).toBe(true);
  await rebuildSample(page, 'chelsea');
  await room(page, 'sample');
  await page.selectOption('#sampling-prior', PRIOR.name);
  await sampled(page, 1);
});

test('a sample is made again on another device, and without a list of priors the room says so', async ({ page }) => {
  await patchWorker(page, slow(200));
  await page.goto('/#room=sample&device=auto&count=1');
  await expect(page.locator('#sampling-at')).toContainText(/^Step \d+ of/);
  await chooseDevice(page, 'cpu');
  await sampled(page, 1);
  await expect(page.locator('#device')).toHaveAttribute('data-kind', 'cpu');
  await reaches(page, 'ready');

  await page.route('**/models/index.json', (route) => route.fulfill({ json: { models: SHIPPED } }));
  await page.goto('about:blank');
  await page.goto('/#room=sample&device=cpu');
  await expect(page.locator('#sampling-none')).toBeVisible();
  await expect(page.locator('#sampling-form')).toBeHidden();
});

test('a tuning is only interrupted by the visitor', async ({ page }) => {
  await ready(page, { steps: 100_000 });
  await press(page, '#tune-run');
  await tuning(page, 'running');
  await room(page, 'sample');
  await expect(page.locator('#sampling-at')).toHaveText('A tuning is running. Sampling pauses it.');
  await sampling(page, 'idle');
  await tuning(page, 'running');
  await page.click('#sampling-run');
  await sampled(page, 1);
  await tuning(page, 'paused');
  await press(page, '#tune-run');
  await tuning(page, 'running');
  const at = await value(page, 'tune-at');
  await expect.poll(() => value(page, 'tune-at')).toBeGreaterThan(at + 2);
  await press(page, '#tune-stop');
  await tuning(page, 'ended');
  await press(page, '#tune-undo');
  // A new one frees what sampled, which is loaded again when it is needed.
  await room(page, 'sample');
  await page.click('#sampling-run');
  await sampled(page, 5);
});

test('320 pixels are wide enough for every setting and sixteen pictures, and axe finds nothing', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto('/#room=sample&device=cpu&count=16');
  await sampled(page, 1);
  await page.click('#sampling-more summary');
  await page.click('#sampling-how summary');
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  // Fingers need room.
  for (const target of await page.locator('#sampling :is(button, select, input[type=range], .kind):visible').all()) {
    const box = await target.boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(40);
  }
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
});
