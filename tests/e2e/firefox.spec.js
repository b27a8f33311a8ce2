// A smoke run in Firefox ESR over WebDriver BiDi, on both devices; lavapipe stands in for a GPU.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import puppeteer from 'puppeteer-core';
import { TINY } from './app.js';
import { WAYS } from './comparing.js';
import { Host } from './host.js';
import { EDITS, PRIOR, sampledTokens } from './sampling.js';

const ICDS = '/usr/share/vulkan/icd.d';
const lavapipe = existsSync(ICDS) && readdirSync(ICDS).find((name) => name.startsWith('lvp_icd'));

// Well above what a busy machine needs: a test only waits this long for something that hangs.
const WAIT_MS = 280_000;

const downloads = mkdtempSync(join(tmpdir(), 'tesserae-firefox-'));

/** @type {import('puppeteer-core').Browser} */ let browser;

test.beforeAll(async () => {
  browser = await puppeteer.launch({
    browser: 'firefox',
    timeout: WAIT_MS,
    // Each wait is one call; puppeteer's own limit is three minutes.
    protocolTimeout: 900_000,
    executablePath: process.env.FIREFOX || '/usr/bin/firefox-esr',
    env: { ...process.env, ...(lavapipe && { VK_ICD_FILENAMES: `${ICDS}/${lavapipe}` }) },
    extraPrefsFirefox: {
      'dom.webgpu.enabled': true,
      'dom.webgpu.workers.enabled': true,
      'gfx.webgpu.ignore-blocklist': true,
      'gfx.webgpu.force-enabled': true,
      'webgl.force-enabled': true,
      'gfx.webrender.software': true,
      'browser.download.folderList': 2,
      'browser.download.dir': downloads,
      'browser.download.always_ask_before_handling_new_types': false,
    },
  });
});

test.afterAll(async () => {
  await browser?.close();
  rmSync(downloads, { recursive: true, force: true });
});

/** @typedef {'cpu' | 'webgpu'} Device */
/** @typedef {import('puppeteer-core').Page} Page */

/** @param {string | undefined} baseURL @param {Device} device */
async function open(baseURL, device) {
  const page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  /** @type {string[]} */ const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  // One test leaves an unfinished tuning, which the next one discards.
  page.on('dialog', (dialog) => void dialog.accept());
  const state = (/** @type {string} */ name) => page.waitForSelector(`html[data-state=${name}]`);
  await page.goto(`${baseURL}#device=${device}`);
  await state('ready');
  expect(await page.$eval('#device', (e) => /** @type {HTMLElement} */ (e).dataset.kind)).toBe(device);
  return { page, wrong, state };
}

/** Weights of the visitor's own: the shipped model would take minutes on a software device. @param {Page} page @param {string} path */
async function load(page, path) {
  const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$('#model-file'));
  await input.uploadFile(path);
  const name = path.split('/').at(-1);
  await page.waitForFunction((wanted) => document.getElementById('model')?.dataset.value === wanted, {}, name);
  await page.waitForSelector('html[data-state=ready]');
}

/** Goes to a room by its link. @param {Page} page @param {string} id */
async function room(page, id) {
  await page.$eval(`#rooms a[data-room=${id}]`, (link) => /** @type {HTMLElement} */ (link).click());
  await page.waitForSelector(`.room[data-room=${id}]:not([hidden])`);
}

/** A photo of 32 × 32 pixels on the stage. @param {Page} page */
async function dropSmall(page) {
  await room(page, 'rebuild');
  await page.$eval('#file', async (input) => {
    const photo = await createImageBitmap(await (await fetch('samples/chelsea.png')).blob(), { resizeWidth: 32, resizeHeight: 32 });
    const canvas = new OffscreenCanvas(32, 32);
    /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d')).drawImage(photo, 0, 0);
    const transfer = new DataTransfer();
    transfer.items.add(new File([await canvas.convertToBlob()], 'small.png', { type: 'image/png' }));
    /** @type {HTMLInputElement} */ (input).files = transfer.files;
    input.dispatchEvent(new Event('change'));
  });
  await page.waitForSelector('html[data-state=done]');
}

/** @param {Page} page @param {string} canvas a selector */
const pixels = (page, canvas) =>
  page.$eval(canvas, (element) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (element);
    const context = /** @type {CanvasRenderingContext2D} */ (/** @type {HTMLCanvasElement} */ (element).getContext('2d'));
    return [...context.getImageData(0, 0, width, height).data];
  });

/** @param {Page} page @param {string} element a selector */
const value = (page, element) => page.$eval(element, (e) => Number(/** @type {HTMLElement} */ (e).dataset.value));

for (const device of /** @type {Device[]} */ (['cpu', 'webgpu'])) {
  test(`Firefox rebuilds a picture, ${device}`, async ({ baseURL }) => {
    test.setTimeout(600_000);
    const { page, wrong, state } = await open(baseURL, device);
    if (device === 'webgpu') await load(page, TINY);
    await page.click('#samples button[data-sample=astronaut]');
    await page.waitForSelector('#compare[data-shows=both]');
    await state('done');
    expect(await value(page, '#psnr')).toBeGreaterThan(device === 'cpu' ? 19 : 1);
    const samples = await pixels(page, '#compare canvas.compare-rebuilt');
    const colours = new Set(new Uint32Array(Uint8Array.from(samples).buffer));
    expect(colours.size).toBeGreaterThan(50);
    if (device === 'cpu') {
      // The faithful stage is nearer to the photo.
      const lifelike = await value(page, '#psnr');
      await page.focus('#stages input');
      await page.keyboard.press('Home');
      await page.waitForSelector('#stages[data-value="0"]:not([data-busy])');
      await state('done');
      expect(await value(page, '#psnr')).toBeGreaterThan(lifelike + 1);
      expect(await pixels(page, '#compare canvas.compare-rebuilt')).not.toEqual(samples);
    }
    expect(wrong).toEqual([]);
    await page.close();
  });

  test(`Firefox tunes a model, and its file makes the same picture after a reload, ${device}`, async ({ baseURL }) => {
    // Hundreds of kernels to compile.
    test.setTimeout(1_200_000);
    const { page, wrong, state } = await open(baseURL, device);
    await load(page, TINY);
    await dropSmall(page);
    await room(page, 'tune');
    await page.$eval('#tune-steps', (input) => {
      /** @type {HTMLInputElement} */ (input).value = '2';
    });
    const began = Date.now();
    await page.click('#tune-run');
    await page.waitForSelector('#tune[data-tuning=ended]', { timeout: 900_000 });
    console.log(`Firefox, ${device}: 2 steps at 32 × 32 pixels in ${((Date.now() - began) / 1000).toFixed(1)} s`);
    const losses = await page.$eval('#tune-view', (view) => /** @type {number[]} */ (/** @type {any} */ (view).losses));
    expect(losses).toHaveLength(2);
    expect(losses[1]).toBeLessThan(losses[0]);
    const now = await pixels(page, '#tune-view figure[data-stage=now] canvas');
    expect(now).not.toEqual(await pixels(page, '#tune-view figure[data-stage=before] canvas'));
    const tuned = await value(page, '#tune-view figure[data-stage=now] .figure-psnr');

    const name = `${device}-mine`;
    await page.$eval(
      '#tune-name',
      (input, text) => {
        /** @type {HTMLInputElement} */ (input).value = text;
      },
      name,
    );
    await page.click('#tune-save');
    // Firefox reserves the name with an empty file until the download is complete.
    const weights = join(downloads, `${name}.safetensors`);
    await expect.poll(() => existsSync(weights) && statSync(weights).size).toBeGreaterThan(0);
    await page.reload();
    await state('ready');
    await load(page, weights);
    await dropSmall(page);
    expect(await value(page, '#psnr')).toBeCloseTo(tuned, 1);
    const again = await pixels(page, '#compare canvas.compare-rebuilt');
    const far = again.reduce((most, sample, i) => Math.max(most, Math.abs(sample - now[i])), 0);
    // The file has exactly these weights; a different choice of kernels may change a sample by one.
    expect(far).toBeLessThanOrEqual(1);
    expect(again).toHaveLength(now.length);
    expect(wrong).toEqual([]);
    await page.close();
  });
}

test('Firefox zooms and moves both pictures, and finds the token of a click', async ({ baseURL }) => {
  const { page, wrong, state } = await open(baseURL, 'cpu');
  await page.click('#samples button[data-sample=chelsea]');
  await page.waitForSelector('#compare[data-shows=both]');
  await state('done');
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.querySelector('#compare input')).value === '50');
  /** The position of the pictures, and of a patch's outline in them. */
  const look = async () => {
    const [original, rebuilt, mark] = await page.$$eval('.compare-original, .compare-rebuilt, .compare-mark', (all) =>
      ['original', 'rebuilt', 'mark'].map((part) => {
        const { x, y, width, height } = /** @type {Element} */ (all.find((e) => e.className === `compare-${part}`)).getBoundingClientRect();
        return { x, y, width, height };
      }),
    );
    expect(rebuilt).toEqual(original);
    const { x, y, width } = original;
    return { x, y, width, mark: [mark.x - x, mark.y - y, mark.width, mark.height].map((length) => (length / width) * 256) };
  };
  const fitted = await look();
  /** @param {number} x @param {number} y @returns {[number, number]} */
  const at = (x, y) => [Math.round(fitted.x + fitted.width * x), Math.round(fitted.y + fitted.width * y)];
  const readout = () => page.$eval('#token-readout', (e) => e.textContent);
  await page.mouse.click(...at(0.9, 0.4));
  expect(await readout()).toContain('Token 413 at row 13, column 29: code ');
  const patch = [224, 96, 8, 8].map((length) => expect.closeTo(length, 1));
  expect((await look()).mark).toEqual(patch);
  // The wheel zooms about the point under it.
  const [x, y] = at(0.9, 0.4);
  await page.mouse.move(x, y);
  await page.keyboard.down('Control');
  for (let i = 0; i < 2; i += 1) await page.mouse.wheel({ deltaY: -100 });
  await page.keyboard.up('Control');
  const zoomed = await look();
  expect(zoomed.width / fitted.width).toBeCloseTo(2, 3);
  expect([zoomed.x - x, zoomed.y - y]).toEqual([2 * (fitted.x - x), 2 * (fitted.y - y)].map((length) => expect.closeTo(length, 1)));
  expect(zoomed.mark).toEqual(patch);
  const [from, to] = [at(0.2, 0.5), at(0.3, 0.6)];
  await page.mouse.move(...from);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 3 });
  await page.mouse.up();
  const moved = await look();
  expect([moved.x - zoomed.x, moved.y - zoomed.y]).toEqual([to[0] - from[0], to[1] - from[1]].map((length) => expect.closeTo(length, 1)));
  await page.mouse.click(...at(0.7, 0.7), { count: 2 });
  expect((await look()).width).toBeCloseTo(fitted.width, 2);
  expect(await readout()).toContain('Point at a token');
  expect(wrong).toEqual([]);
  await page.close();
});

test('Firefox samples the pictures that the command line samples, and fills them', async ({ baseURL }) => {
  const { page, wrong, state } = await open(baseURL, 'cpu');
  await room(page, 'sample');
  await page.waitForSelector('#sampling[data-sampling=done]');
  const first = await pixels(page, '#sampling-pictures canvas');
  expect(first).toHaveLength(28 * 28 * 4);
  await page.click('#sampling-classes label:nth-of-type(4)');
  await page.waitForSelector('#sampling[data-sampling=working]');
  await page.waitForSelector('#sampling[data-sampling=done]');
  expect(await pixels(page, '#sampling-pictures canvas')).not.toEqual(first);
  await page.click('#sampling-save-tokens');
  const tokens = join(downloads, `${PRIOR.name}-${PRIOR.classes[3]}-1.tokens`);
  await expect.poll(() => existsSync(tokens) && statSync(tokens).size).toBeGreaterThan(0);
  expect(readFileSync(tokens).equals(sampledTokens(3, 1))).toBe(true);
  await page.click('#sampling-open');
  await page.waitForSelector('#compare[data-shows=rebuilt]');
  await state('done');
  expect(await value(page, '#count')).toBe(PRIOR.config.rows * PRIOR.config.columns);

  // All of it drawn anew is what is drawn from nothing.
  await room(page, 'edit');
  await page.click('#edit-classes label:nth-of-type(6)');
  await page.click('#fill-all');
  await page.click('#edit-run');
  await page.waitForSelector('#edit-form[data-state=done]');
  await page.click('#edit-save-tokens');
  const edited = join(downloads, `${PRIOR.name}-${PRIOR.classes[3]}-1.edited.tokens`);
  await expect.poll(() => existsSync(edited) && statSync(edited).size).toBeGreaterThan(0);
  expect(readFileSync(edited).equals(sampledTokens(5, 1, EDITS))).toBe(true);
  expect(wrong).toEqual([]);
  await page.close();
});

test('Firefox makes a digit in five ways, and trains a VAE', async ({ baseURL }) => {
  const { page, wrong } = await open(baseURL, 'cpu');
  await room(page, 'compare');
  await page.waitForSelector('#comparing[data-comparing=done]');
  for (const way of WAYS) {
    expect(await pixels(page, `.way[data-way=${way}][data-drawn=yes] canvas`)).toHaveLength(28 * 28 * 4);
  }
  await page.click('#comparing-mode label:has(input[value=learn])');
  await page.click('#learn-run');
  await page.waitForFunction(() => Number(document.querySelector('#learn-step')?.textContent?.match(/\d+/)?.[0]) >= 3);
  await page.click('#learn-run');
  await page.waitForSelector('.learn-view[data-learn=paused]');
  expect(wrong).toEqual([]);
  await page.close();
});

test('Firefox: the second visit works offline, from a host that sends no headers', async () => {
  const host = new Host();
  host.headers = false;
  const { page, wrong, state } = await open(await host.open(), 'cpu');
  await page.waitForSelector('html[data-offline=ready]', { timeout: 90_000 });
  await host.close();
  await page.reload();
  await state('ready');
  await page.click('#samples button[data-sample=astronaut]');
  await page.waitForSelector('#compare[data-shows=both]', { timeout: 90_000 });
  await state('done');
  expect(wrong).toEqual([]);
  // The page's own policy: a string cannot become a script, and the worker cannot contact anyone.
  expect(
    await page.evaluate(() => {
      try {
        return String(new Worker('engine/worker.js'));
      } catch (error) {
        return /** @type {Error} */ (error).name;
      }
    }),
  ).toBe('TypeError');
  await page.close();
});
