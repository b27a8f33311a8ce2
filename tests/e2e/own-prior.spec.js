// A prior that the visitor brings to the room Sample, alone or with the model that decodes its tokens, and what the room Edit
// does with it.
import { readFileSync } from 'node:fs';
import {
  PRIORS,
  SHIPPED,
  TINY,
  complains,
  drop,
  dropOn,
  expect,
  file,
  modelIs,
  open,
  reaches,
  room,
  saved,
  smallPhoto,
  test,
} from './app.js';
import { digit, draws, masked, tokensNow, tool } from './editing.js';
import { PRIOR, RASTER, STRANGER, TOKENIZER, WEIGHTS, classIs, pictures, sampled, sampling, withPriors } from './sampling.js';

/** @typedef {import('@playwright/test').Page} Page */

const OWN = { name: 'mine.safetensors', mimeType: '', buffer: RASTER.body };
const model = SHIPPED.find(({ name }) => name === TOKENIZER);
const DECODER = { name: 'decoder.safetensors', mimeType: '', buffer: file(`www/models/${model.file}`) };
const OTHER = { name: 'other.safetensors', mimeType: '', buffer: readFileSync(TINY) };

/** Waits until the list of priors has the shipped ones and these. @param {Page} page @param {(string | RegExp)[]} own */
const lists = (page, ...own) => expect(page.locator('#sampling-prior option')).toHaveText([...PRIORS.map(({ name }) => name), ...own]);
/** Which of them is chosen. @param {Page} page */
const chosen = (page) =>
  page.locator('#sampling-prior').evaluate((list) => /** @type {HTMLSelectElement} */ (list).selectedOptions[0].text);
/** @param {Page} page @param {{name: string, mimeType: string, buffer: Buffer}[]} files */
const bring = (page, ...files) => page.locator('#sampling-own-file').setInputFiles(files);
const quiet = (/** @type {Page} */ page) => expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
/** Opens the room, and waits for the pictures of the shipped prior. @param {Page} page @param {string} [more] */
async function start(page, more = '') {
  await page.goto(`/#room=sample&device=cpu&count=1${more}`);
  await sampled(page, 1);
}

test.beforeEach(({ page }) => withPriors(page));

test('a prior without its tokenizer asks for it, and is used once that is here', async ({ page }) => {
  await start(page);
  const before = await pictures(page);
  const link = page.url();
  await bring(page, OWN);
  await complains(
    page,
    'tokenizer_wanted',
    /^The prior mine draws the tokens of a model with [\d,]+ codes, which is not on this page\. Add/,
  );
  await sampling(page, 'done');
  expect((await pictures(page))[0].rgba.equals(before[0].rgba)).toBe(true);
  await lists(page);

  // A model with other codes is refused, and the prior goes on waiting.
  await bring(page, OTHER);
  await complains(page, 'prior_files', /the prior has \d+ codes, but the model has \d+\. Choose a prior/);
  await bring(page, DECODER);
  await lists(page, 'mine (yours)');
  await expect(page.locator('#sampling-at')).toHaveText(/^1 picture of 0, seed 1,/);
  await quiet(page);
  expect(await chosen(page)).toBe('mine (yours)');
  expect((await pictures(page))[0].rgba.equals(before[0].rgba)).toBe(false);
  await expect(page.locator('#sampling-classes input')).toHaveCount(PRIOR.config.classes + 1);
  // No link can carry it.
  expect(page.url()).toBe(link);

  await classIs(page, '3');
  await expect(page.locator('#sampling-at')).toHaveText(/^1 picture of 3, seed 1,/);
  const tokens = await saved(page, '#sampling-save-tokens');
  expect(tokens.name).toBe('mine-3-1.tokens');
  const [own] = await pictures(page);
  await page.click('#sampling-open');
  await modelIs(page, DECODER.name);
  await reaches(page, 'done');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  expect((await saved(page, '#save-tokens')).buffer.equals(tokens.buffer)).toBe(true);

  // The shipped one still works, and so does going back.
  await room(page, 'sample');
  await page.click('#sampling-more summary');
  await page.selectOption('#sampling-prior', PRIOR.name);
  await classIs(page, '0');
  await expect(page.locator('#sampling-at')).toHaveText(/^1 picture of 0, seed 1,/);
  expect((await pictures(page))[0].rgba.equals(before[0].rgba)).toBe(true);
  await page.selectOption('#sampling-prior', { label: 'mine (yours)' });
  await classIs(page, '3');
  await expect(page.locator('#sampling-at')).toHaveText(/^1 picture of 3, seed 1,/);
  expect((await pictures(page))[0].rgba.equals(own.rgba)).toBe(true);
});

test('a prior and its tokenizer come together, in any order, and a link goes back to the shipped prior', async ({ page }) => {
  await start(page);
  const before = await pictures(page);
  // The config is only the prior's.
  const config = { name: 'config.json', mimeType: '', buffer: Buffer.from(JSON.stringify(RASTER.entry.config)) };
  await bring(page, DECODER, config, OWN);
  await lists(page, 'mine (yours)');
  await sampled(page, 1);
  await page.click('#sampling-how summary');
  await expect(page.locator('#sampling-how p')).toContainText(`codebook of ${DECODER.name}`);
  await expect(page.locator('#sampling-how a')).toHaveCount(0);
  await page.click('#sampling-run');
  await sampled(page, 2);
  await page.evaluate((hash) => (location.hash = hash), `#room=sample&device=cpu&count=1&seed=1&prior=${PRIOR.name}&class=0`);
  await sampled(page, 1);
  expect(await chosen(page)).toBe(PRIOR.name);
  expect((await pictures(page))[0].rgba.equals(before[0].rgba)).toBe(true);
});

test('a prior that says what it was trained on finds its model, and draws what the shipped one draws', async ({ page }) => {
  await start(page);
  const before = await pictures(page);
  await dropOn(page, '#sampling', { name: 'copy.safetensors', buffer: WEIGHTS });
  await lists(page, / \(yours\)$/);
  await expect(page.locator('#sampling-at')).toHaveText(/^1 picture of .+, seed 1,/);
  await sampling(page, 'done');
  expect(await chosen(page)).toMatch(/ \(yours\)$/);
  expect((await pictures(page))[0].rgba.equals(before[0].rgba)).toBe(true);
  await page.click('#sampling-open');
  await modelIs(page, TOKENIZER);
  await reaches(page, 'done');
});

test('the model in use decodes a prior that does not say what it was trained on', async ({ page }) => {
  await start(page, `&model=${TOKENIZER}`);
  await modelIs(page, TOKENIZER);
  await bring(page, OWN);
  await lists(page, 'mine (yours)');
  await sampled(page, 1);
  await quiet(page);
});

test('what does not go together is refused in a sentence, and what was there stays', async ({ page }) => {
  await start(page);
  const before = await pictures(page);
  await bring(page, { ...OWN, name: 'stranger.safetensors', buffer: STRANGER.body });
  await complains(page, 'tokenizer_wanted', new RegExp(` draws the tokens of ${TOKENIZER}, which is not on this page\\.`));
  await bring(page, { ...OWN, name: 'stranger.safetensors', buffer: STRANGER.body }, DECODER);
  await complains(page, 'prior_files', /^This prior predicts the tokens of /);
  await bring(page, OWN, OTHER);
  await complains(page, 'prior_files', /the prior has \d+ codes/);
  await bring(page, OTHER, DECODER);
  await complains(page, 'prior_files', /^Neither of these files is a prior\./);
  await bring(page, OWN, { ...OWN, name: 'twin.safetensors' });
  await complains(page, 'prior_files', /^Both of these files are priors/);
  await bring(page, OWN, OTHER, DECODER);
  await complains(page, 'prior_files', /two files/);
  await bring(page, { ...OWN, buffer: OWN.buffer.subarray(0, 5000) });
  await complains(page, 'weights_corrupt', /./);
  await lists(page);
  await sampling(page, 'done');
  expect((await pictures(page))[0].rgba.equals(before[0].rgba)).toBe(true);
  await modelIs(page, 'tiny');
  await page.click('#sampling-run');
  await sampled(page, 2);
  await quiet(page);
});

test('a model dropped here becomes the model in use when asked, and a prior dropped elsewhere comes here', async ({ page }) => {
  await start(page);
  await dropOn(page, '#sampling', OTHER);
  await complains(page, 'weights_mismatch', /a prior over tokens is needed/);
  await page.click('#alert button:has-text("Use it as a model")');
  await modelIs(page, OTHER.name);
  await open(page, 'device=cpu');
  await dropOn(page, '#drop', { name: 'copy.safetensors', buffer: WEIGHTS });
  await complains(page, 'weights_mismatch', /an autoencoder is needed/);
  await modelIs(page, OTHER.name);
  await page.click('#alert button:has-text("in Sample")');
  await expect(page.locator('.room[data-room=sample]')).toBeVisible();
  await lists(page, / \(yours\)$/);
  await expect.poll(() => chosen(page)).toMatch(/ \(yours\)$/);
  await sampling(page, 'done');
});

test('the room Edit draws with a masked prior of the visitor, next to the shipped ones', async ({ page }) => {
  await digit(page);
  const [list, more] = ['#edit-prior', '#edit-more summary'].map((css) => page.locator(css));
  await expect(list.locator('option')).toHaveText([PRIOR.name]);
  // One of the same codebook, and the name of the shipped one; one that draws row by row; and a masked one of another codebook.
  await room(page, 'sample');
  await bring(page, { ...OWN, name: 'copy.safetensors', buffer: WEIGHTS });
  await lists(page, /^.+ \(yours\)$/);
  await bring(page, OWN, DECODER);
  await lists(page, /^.+ \(yours\)$/, 'mine (yours)');
  await bring(page, { ...OWN, name: 'small.safetensors', buffer: masked(32).body }, OTHER);
  await lists(page, /^.+ \(yours\)$/, 'mine (yours)', 'small (yours)');
  await sampling(page, 'done');
  await room(page, 'edit');
  await expect(list.locator('option')).toHaveText([PRIOR.name, /^.+ \(yours\)$/]);
  // The same weights draw the same.
  await more.click();
  await page.selectOption('#edit-count', '1');
  /** @type {number[][]} */ const drawn = [];
  for (const index of [0, 1]) {
    await list.selectOption({ index });
    await page.click('#fill-all');
    await draws(page);
    drawn.push((await tokensNow(page)).indices);
    await page.click('#edit-undo');
  }
  expect(drawn[1]).toEqual(drawn[0]);
  await expect(page.locator('#edit-prior option:checked')).toHaveText(/ \(yours\)$/);
});

test('a prior of the visitor is enough to fill where none is shipped', async ({ page }) => {
  await open(page);
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await room(page, 'edit');
  await expect(page.locator('#edit-missing')).toHaveText(/ If you have one, add it in Sample\./);
  await room(page, 'sample');
  await sampled(page, 1);
  await bring(page, { ...OWN, name: 'small.safetensors', buffer: masked(32).body });
  await lists(page, 'small (yours)');
  await sampling(page, 'done');
  await room(page, 'edit');
  await expect(page.locator('#edit-missing')).toBeHidden();
  const before = await tokensNow(page);
  await tool(page, 'vary');
  await page.click('#edit-more summary');
  // With a single one there is nothing to choose.
  await expect(page.locator('#edit-prior')).toBeHidden();
  await draws(page);
  const { indices } = await tokensNow(page);
  const changed = indices.filter((code, i) => code !== before.indices[i]).length;
  expect(changed).toBeGreaterThan(0);
  expect(changed).toBeLessThanOrEqual(Math.ceil(0.3 * indices.length));
});
