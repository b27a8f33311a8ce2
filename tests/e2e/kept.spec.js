// What the page saves in the browser's private files: complete or not at all, never over something else,
// available without a network, and never discarded without asking.
import { readFileSync } from 'node:fs';
import {
  TINY,
  chooseModel,
  complains,
  drop,
  expect,
  modelIs,
  open,
  patchWorker,
  reaches,
  smallPhoto,
  test,
  value,
  withTiny,
} from './app.js';
import { fill, more, press, ready, tuning } from './panel.js';

/** @typedef {import('@playwright/test').Page} Page */

test.beforeEach(({ page }) => withTiny(page));

/** Puts a file into the page's private files. @param {Page} page @param {string} folder @param {string} name @param {Buffer} bytes */
const put = (page, folder, name, bytes) =>
  page.evaluate(
    async ([into, called, base64]) => {
      const root = await navigator.storage.getDirectory();
      const handle = await (await root.getDirectoryHandle(into, { create: true })).getFileHandle(called, { create: true });
      const writer = await handle.createWritable();
      await writer.write(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
      await writer.close();
    },
    [folder, name, bytes.toString('base64')],
  );

/** The page's private files with their lengths. @param {Page} page @returns {Promise<Record<string, number>>} */
const listed = (page) =>
  page.evaluate(async () => {
    /** @type {Record<string, number>} */ const found = {};
    const root = await navigator.storage.getDirectory();
    for await (const [folder, handle] of root.entries()) {
      for await (const [name, file] of /** @type {any} */ (handle).entries()) found[`${folder}/${name}`] = (await file.getFile()).size;
    }
    return found;
  });

const own = (/** @type {Page} */ page) => page.locator('#models [data-own] .card-name');

/** A tuning of one step under a name. @param {Page} page @param {string} name */
async function tuneOnce(page, name) {
  await ready(page, { steps: 1 });
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  await fill(page, '#tune-name', name);
}

const keep = (/** @type {Page} */ page) => press(page, '#tune-keep button:has-text("Keep")');

test('half a model, as a closed tab or a full disk leaves it, is not listed, and is removed', async ({ page }) => {
  await tuneOnce(page, 'mine');
  await keep(page);
  await modelIs(page, 'mine');
  const whole = await listed(page);
  const bytes = Buffer.from(
    await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('tesserae-models');
      const file = await (await folder.getFileHandle('mine.safetensors')).getFile();
      return [...new Uint8Array(await file.arrayBuffer())];
    }),
  );
  await put(page, 'tesserae-models', 'half.safetensors', bytes.subarray(0, bytes.length >> 1));
  await put(page, 'tesserae-models', 'half.base', Buffer.from('tiny'));
  await put(page, 'tesserae-models', 'none.safetensors', Buffer.alloc(0));
  await page.reload();
  await reaches(page, 'ready');
  await expect(own(page)).toHaveText(['mine']);
  expect(await listed(page)).toEqual(whole);
});

test('a full disk leaves nothing of the model, and the tuning is still there to keep or download', async ({ page }) => {
  await patchWorker(
    page,
    `
    const { write } = FileSystemSyncAccessHandle.prototype;
    FileSystemSyncAccessHandle.prototype.write = function (bytes, ...rest) {
      if (!self.full) return write.call(this, bytes, ...rest);
      write.call(this, bytes.subarray(0, bytes.length >> 1), ...rest);
      throw new DOMException('no room', 'QuotaExceededError');
    };`,
  );
  await tuneOnce(page, 'mine');
  const full = (/** @type {boolean} */ is) =>
    page.workers()[0].evaluate((how) => {
      /** @type {any} */ (self).full = how;
    }, is);
  await full(true);
  await keep(page);
  await complains(page, 'not_kept', /no room/);
  await tuning(page, 'ended');
  expect(Object.keys(await listed(page)).filter((path) => path.includes('models/'))).toEqual([]);
  await full(false);
  await keep(page);
  await modelIs(page, 'mine');
});

test('of two tabs that keep a model under the same name, the second is asked for another', async ({ page, context }) => {
  const second = await context.newPage();
  await withTiny(second);
  await tuneOnce(second, 'mine');
  await tuneOnce(page, 'mine');
  await keep(page);
  await modelIs(page, 'mine');
  const before = await listed(page);
  await keep(second);
  await complains(second, 'name_taken', /^A model called “mine” already exists\. Choose another name\.$/);
  await tuning(second, 'ended');
  const { 'tesserae-models/mine.safetensors': length } = await listed(page);
  expect(length).toBe(before['tesserae-models/mine.safetensors']);
  // The other tab's model is here by now.
  await expect(own(second)).toHaveText(['mine']);
  await modelIs(second, 'tiny');
  await fill(second, '#tune-name', 'mine too');
  await keep(second);
  await modelIs(second, 'mine too');
  await second.close();
});

test('kept models are there when the list of models is not', async ({ page }) => {
  await tuneOnce(page, 'mine');
  await keep(page);
  await modelIs(page, 'mine');
  await page.unrouteAll();
  await page.route('**/models/index.json', (route) => route.abort());
  await page.reload();
  await complains(page, 'download_failed', /^The list of models could not be loaded\. Yours are under “Model”\./);
  await reaches(page, 'error');
  await chooseModel(page, 'mine');
  await reaches(page, 'ready');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await modelIs(page, 'mine');
});

test('the browser is asked to keep the files when there is something to keep, once', async ({ page }) => {
  await page.addInitScript(() => {
    const scope = /** @type {any} */ (globalThis);
    scope.asked = 0;
    StorageManager.prototype.persisted = async () => scope.asked > 0;
    StorageManager.prototype.persist = async () => (scope.asked += 1) > 0;
  });
  const asked = () => page.evaluate(() => /** @type {any} */ (globalThis).asked);
  await ready(page, { steps: 1 });
  expect(await asked()).toBe(0);
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  await expect.poll(asked).toBe(1);
  await fill(page, '#tune-name', 'mine');
  await keep(page);
  await modelIs(page, 'mine');
  expect(await asked()).toBe(1);
});

test('an unfinished tuning is not discarded for a new one unless the visitor agrees', async ({ page }) => {
  /** @type {string[]} */ const questions = [];
  let answer = false;
  page.on('dialog', (dialog) => (questions.push(dialog.message()), answer ? dialog.accept() : dialog.dismiss()));
  await ready(page);
  await press(page, '#tune-step');
  await tuning(page, 'paused');
  await page.reload();
  await reaches(page, 'ready');
  const offer = page.locator('#tune-offer');
  await expect(offer).toContainText('A tuning of tiny stopped at step 1 of 12.');
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await press(page, '#tune-run');
  await expect.poll(() => questions).toEqual(['A new tuning discards the one of tiny that stopped at step 1 of 12. Start it?']);
  await tuning(page, 'idle');
  await expect(offer).toBeVisible();
  await page.reload();
  await reaches(page, 'ready');
  await expect(offer).toContainText('step 1 of 12');
  answer = true;
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await more(page);
  await fill(page, '#tune-steps', '2');
  await press(page, '#tune-run');
  await tuning(page, 'ended');
  expect(questions.length).toBe(2);
  expect(await value(page, 'tune-at')).toBe(2);
  await expect(page.locator('#tune-left')).toContainText('This tuning is saved');
  await page.reload();
  await reaches(page, 'ready');
  await expect(offer).toContainText('stopped at step 2 of 2.');
  await page.click('#tune-discard');
  await expect(offer).toBeHidden();
  expect(await listed(page)).toEqual({});
});

test('the pictures of a tuning that never took a step are removed', async ({ page }) => {
  // From a page of this origin without code, which could otherwise be cleaning up while this writes.
  await page.goto('/manifest.webmanifest');
  await put(page, 'tesserae-tuning', 'picture-0', Buffer.from('a photo of the visitor’s'));
  expect(Object.keys(await listed(page))).toEqual(['tesserae-tuning/picture-0']);
  await open(page);
  await expect.poll(() => listed(page)).toEqual({});
  await expect(page.locator('#tune-offer')).toBeHidden();
});

test('what was kept under the folders’ former names is found, and nothing of other pages is touched', async ({ page }) => {
  await tuneOnce(page, 'mine');
  await keep(page);
  await modelIs(page, 'mine');
  await reaches(page, 'done');
  await press(page, '#tune-step');
  await tuning(page, 'ended');
  const before = await listed(page);
  await page.goto('about:blank');
  await page.goto('/manifest.webmanifest');
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    for (const name of ['models', 'tuning']) {
      const [from, to] = [await root.getDirectoryHandle(`tesserae-${name}`), await root.getDirectoryHandle(name, { create: true })];
      const files = [];
      for await (const file of from.keys()) files.push(file);
      for (const file of files) await /** @type {any} */ (await from.getFileHandle(file)).move(to, file);
      await root.removeEntry(`tesserae-${name}`);
    }
  });
  // Another page's weights, and half a file of this page's.
  await put(page, 'models', 'theirs.safetensors', readFileSync(TINY));
  await put(page, 'models', 'notes.txt', Buffer.from('theirs as well'));
  await open(page);
  await expect(own(page)).toHaveText(['mine']);
  await expect(page.locator('#tune-offer')).toContainText('A tuning of mine stopped at step 1 of 1.');
  expect(await listed(page)).toEqual({ ...before, 'models/theirs.safetensors': readFileSync(TINY).length, 'models/notes.txt': 14 });
  await page.click('#tune-on');
  await tuning(page, 'ended');
});
