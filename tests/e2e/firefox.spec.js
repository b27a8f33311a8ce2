// A smoke run in Firefox ESR over WebDriver BiDi, on both devices; lavapipe stands in for a GPU.
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import puppeteer from 'puppeteer-core';
import { TINY } from './app.js';

const ICDS = '/usr/share/vulkan/icd.d';
const lavapipe = existsSync(ICDS) && readdirSync(ICDS).find((name) => name.startsWith('lvp_icd'));

/** @type {import('puppeteer-core').Browser} */ let browser;

test.beforeAll(async () => {
  browser = await puppeteer.launch({
    browser: 'firefox',
    // A wait is one call; puppeteer's own limit is three minutes.
    protocolTimeout: 600_000,
    executablePath: process.env.FIREFOX || '/usr/bin/firefox-esr',
    env: { ...process.env, ...(lavapipe && { VK_ICD_FILENAMES: `${ICDS}/${lavapipe}` }) },
    extraPrefsFirefox: {
      'dom.webgpu.enabled': true,
      'dom.webgpu.workers.enabled': true,
      'gfx.webgpu.ignore-blocklist': true,
      'gfx.webgpu.force-enabled': true,
      'webgl.force-enabled': true,
      'gfx.webrender.software': true,
    },
  });
});

test.afterAll(() => browser?.close());

/** @typedef {'cpu' | 'webgpu'} Device */

/** @param {string | undefined} baseURL @param {Device} device */
async function open(baseURL, device) {
  const page = await browser.newPage();
  /** @type {string[]} */ const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  const state = (/** @type {string} */ name) => page.waitForSelector(`html[data-state=${name}]`, { timeout: 90_000 });
  await page.goto(`${baseURL}#device=${device}`);
  await state('ready');
  expect(await page.$eval('#device', (e) => /** @type {HTMLElement} */ (e).dataset.kind)).toBe(device);
  /** The shipped model would take minutes on a software device: a visitor's own weights will do. */
  const loadTiny = async () => {
    const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$('#file'));
    await input.uploadFile(TINY);
    await page.waitForFunction(() => /** @type {HTMLSelectElement} */ (document.getElementById('model')).value === 'tiny.safetensors');
    await state('ready');
  };
  return { page, wrong, state, loadTiny };
}

for (const device of /** @type {Device[]} */ (['cpu', 'webgpu'])) {
  test(`Firefox rebuilds a picture, ${device}`, async ({ baseURL }) => {
    const { page, wrong, state, loadTiny } = await open(baseURL, device);
    if (device === 'webgpu') await loadTiny();
    await page.click('#samples button[data-sample=astronaut]');
    await page.waitForSelector('#compare[data-shows=both]', { timeout: 90_000 });
    await state('done');
    const psnr = Number(await page.$eval('#psnr', (e) => /** @type {HTMLElement} */ (e).dataset.value));
    expect(psnr).toBeGreaterThan(device === 'cpu' ? 19 : 1);
    const colours = await page.$eval('#compare canvas.compare-rebuilt', (canvas) => {
      const c = /** @type {HTMLCanvasElement} */ (canvas);
      const { data } = /** @type {CanvasRenderingContext2D} */ (c.getContext('2d')).getImageData(0, 0, c.width, c.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
    expect(colours).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test(`Firefox tunes a model, ${device}`, async ({ baseURL }) => {
    // Hundreds of kernels to compile, and as many tensors to read for a snapshot.
    test.setTimeout(600_000);
    const { page, wrong, state, loadTiny } = await open(baseURL, device);
    await loadTiny();
    await page.$eval('#file', async (input) => {
      const photo = await createImageBitmap(await (await fetch('samples/chelsea.png')).blob(), { resizeWidth: 32, resizeHeight: 32 });
      const canvas = new OffscreenCanvas(32, 32);
      /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d')).drawImage(photo, 0, 0);
      const transfer = new DataTransfer();
      transfer.items.add(new File([await canvas.convertToBlob()], 'small.png', { type: 'image/png' }));
      /** @type {HTMLInputElement} */ (input).files = transfer.files;
      input.dispatchEvent(new Event('change'));
    });
    await state('done');
    await page.$eval('#tune-steps', (input) => { /** @type {HTMLInputElement} */ (input).value = '2'; });
    const began = Date.now();
    await page.click('#tune-run');
    await page.waitForSelector('#tune[data-tuning=ended]', { timeout: 480_000 });
    console.log(`Firefox, ${device}: 2 steps at 32 × 32 pixels in ${((Date.now() - began) / 1000).toFixed(1)} s`);
    const { losses, before, now } = await page.$eval('#tune-view', (view) => {
      const painted = (/** @type {string} */ stage) => {
        const canvas = /** @type {HTMLCanvasElement} */ (view.querySelector(`figure[data-stage=${stage}] canvas`));
        return String(/** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, canvas.width, canvas.height).data);
      };
      const losses = /** @type {number[]} */ (/** @type {any} */ (view).losses);
      return { losses, before: painted('before'), now: painted('now') };
    });
    expect(losses).toHaveLength(2);
    expect(losses[1]).toBeLessThan(losses[0]);
    expect(now).not.toBe(before);
    expect(wrong).toEqual([]);
    await page.close();
  });
}
