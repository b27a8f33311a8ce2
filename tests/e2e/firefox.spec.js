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

for (const device of /** @type {const} */ (['cpu', 'webgpu'])) {
  test(`Firefox rebuilds a picture, ${device}`, async ({ baseURL }) => {
    const page = await browser.newPage();
    /** @type {string[]} */ const wrong = [];
    page.on('pageerror', (error) => wrong.push(String(error)));
    await page.goto(`${baseURL}#device=${device}`);
    const state = (/** @type {string} */ name) => page.waitForSelector(`html[data-state=${name}]`, { timeout: 90_000 });
    await state('ready');
    expect(await page.$eval('#device', (e) => /** @type {HTMLElement} */ (e).dataset.kind)).toBe(device);
    if (device === 'webgpu') {
      // The shipped model would take minutes on a software device: a visitor's own weights will do.
      const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$('#file'));
      await input.uploadFile(TINY);
      await page.waitForFunction(() => /** @type {HTMLSelectElement} */ (document.getElementById('model')).value === 'tiny.safetensors');
      await state('ready');
    }
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
}
