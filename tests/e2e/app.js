// Shared by the tests: a page that must not contact other machines, models, drops and pixels.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base } from '@playwright/test';

/** @typedef {import('@playwright/test').Page} Page */

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.TESSERAE || join(root, 'target/release/tesserae');

/** @param {string} path within the repository */
export const file = (path) => readFileSync(join(root, path));
/** @param {string} name */
export const sample = (name) => ({
  name,
  mimeType: name.endsWith('.png') ? 'image/png' : 'image/jpeg',
  buffer: file(`www/samples/${name}`),
});

/** @type {any[]} */
const INDEX = JSON.parse(file('www/models/index.json').toString()).models;
/** The models the page ships; the first is the one it starts with. */
export const SHIPPED = INDEX.filter(({ stage }) => stage !== 'prior' && stage !== 'generator');
/** The priors it ships, which draw tokens of those. */
export const PRIORS = INDEX.filter(({ stage }) => stage === 'prior');
/** Those that make pictures out of numbers. */
export const GENERATORS = INDEX.filter(({ stage }) => stage === 'generator');
/** A model small enough for a software graphics device. */
export const TINY = fileURLToPath(new URL('fixtures/tiny.safetensors', import.meta.url));

/** What axe finds wrong with the page, and where. @param {Page} page @returns {Promise<string[]>} */
export async function violations(page) {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`);
}

/** The command line's answer. @param {string[]} words */
export const commandLine = (...words) => JSON.parse(execFileSync(program, [...words, '--json'], { cwd: root, encoding: 'utf8' }));

/** Provides a temporary folder. @template T @param {(folder: string) => T} use @returns {T} */
export function inFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'tesserae-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Watches a page: any request to another machine and any exception fails the test at its end. */
export function watch(/** @type {Page} */ page, /** @type {string} */ origin) {
  /** @type {string[]} */ const wrong = [];
  page.context().on('request', (request) => {
    const url = new URL(request.url());
    const local = url.origin === origin || ['blob:', 'data:', 'about:'].includes(url.protocol);
    if (!local || !['GET', 'HEAD'].includes(request.method())) wrong.push(`${request.method()} ${url}`);
  });
  page.on('websocket', (socket) => wrong.push(`websocket ${socket.url()}`));
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) wrong.push(message.text());
  });
  return wrong;
}

export const test = base.extend({
  page: async ({ page, baseURL }, use) => {
    const wrong = watch(page, new URL(String(baseURL)).origin);
    await use(page);
    expect(wrong).toEqual([]);
  },
});

/**
 * Adds the tiny model to the page's list, as the one it starts with.
 * @param {Page} page @param {object} [more] of its entry @param {object[]} [others] entries at the end of the list
 */
export async function withTiny(page, more = {}, others = []) {
  const bytes = readFileSync(TINY);
  const entry = {
    name: 'tiny',
    kind: SHIPPED[0].kind,
    stage: 'vqvae',
    file: 'tiny.safetensors',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    config: {},
    codebook: null,
    card: 'tiny.md',
    trained_on: '',
    licence: '',
    quality: {},
    ...more,
  };
  await page.route('**/models/index.json', (route) => route.fulfill({ json: { models: [entry, ...INDEX, ...others] } }));
  await page.route('**/models/tiny.safetensors', (route) => route.fulfill({ body: bytes, contentType: 'application/octet-stream' }));
}

/** Runs JavaScript in the engine's worker before the engine itself. @param {Page} page @param {string} code */
export const patchWorker = (page, code) => patch(page, 'worker.js', code);
/** The same in the worker that decodes pictures. @param {Page} page @param {string} code */
export const patchDecoder = (page, code) => patch(page, 'decoder.js', code);

/** @param {Page} page @param {string} script @param {string} code */
async function patch(page, script, code) {
  await page.route(`**/engine/${script}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${code};\n${await response.text()}` });
  });
}

/** JavaScript that gets the wasm package of the worker that it is injected into. @param {string} use of `wasm` */
export const withPackage = (use) => `{ const wasm = await import(new URL('../pkg/tesserae.js', import.meta.url).href); ${use} }`;

/** The workers that run an engine, without those that decode pictures. @param {Page} page */
export async function engines(page) {
  const named = await Promise.all(
    page.workers().map(async (worker) => ({ worker, name: await worker.evaluate(() => self.name).catch(() => '') })),
  );
  return named.filter(({ name }) => name === 'tesserae').map(({ worker }) => worker);
}

/** @param {Buffer} bytes */
export function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ -1) >>> 0;
}

/** A PNG of one colour: a small file whatever the size of the picture. @param {number} width @param {number} height */
export function flatPng(width, height) {
  const chunk = (/** @type {string} */ type, /** @type {Buffer} */ data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length, 0);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const samples = deflateSync(Buffer.alloc(height * (width * 3 + 1)));
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', samples),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @param {Page} page @param {string} name */
export const reaches = (page, name) => expect(page.locator('html')).toHaveAttribute('data-state', name);

/** Opens the page and waits for its model. @param {Page} page @param {string} [settings] */
export async function open(page, settings = 'device=cpu') {
  await page.goto(`/#${settings}`);
  await reaches(page, 'ready');
}

/** Goes to a room by its link. @param {Page} page @param {'rebuild' | 'edit' | 'sample' | 'compare' | 'tune'} id */
export async function room(page, id) {
  const link = page.locator(`#rooms a[data-room=${id}]`);
  if ((await link.getAttribute('aria-current')) === null) await link.click();
  await expect(page.locator(`.room[data-room=${id}]`)).toBeVisible();
}

/** Chooses a model by its card. @param {Page} page @param {string} name */
export async function chooseModel(page, name) {
  await page.click('#model');
  await page.click(`#models button[data-model=${JSON.stringify(name)}]`);
}

/** Expects the header to name this model as the one in use. @param {Page} page @param {string} name */
export const modelIs = (page, name) => expect(page.locator('#model')).toHaveAttribute('data-value', name);

/** @param {Page} page */
export const modelInUse = async (page) => String(await page.locator('#model').getAttribute('data-value'));

/** @param {Page} page @param {string} choice */
export async function chooseDevice(page, choice) {
  await page.click('#device-chip');
  await page.click(`#device-choice button[data-device=${choice}]`);
}

/** Opens the facts about the device. @param {Page} page */
export async function deviceFacts(page) {
  await page.click('#device-chip');
  await page.click('#device-facts summary');
}

/** @typedef {{name: string, mimeType?: string, buffer: Buffer}} Dropped */

/** Drops files on the page with the mouse, in the room where pictures are rebuilt. @param {Page} page @param {Dropped[]} dropped */
export async function drop(page, ...dropped) {
  await room(page, 'rebuild');
  await dropOn(page, '#drop', ...dropped);
}

/** @param {Page} page @param {string} selector @param {Dropped[]} dropped */
export async function dropOn(page, selector, ...dropped) {
  const files = dropped.map(({ name, mimeType = '', buffer }) => ({ name, mimeType, base64: buffer.toString('base64') }));
  const transfer = await page.evaluateHandle((all) => {
    const data = new DataTransfer();
    for (const { name, mimeType, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      data.items.add(new File([bytes], name, { type: mimeType }));
    }
    return data;
  }, files);
  for (const type of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent(selector, type, { dataTransfer: transfer });
  }
}

/** Clicks a sample and waits for its result. @param {Page} page @param {string} name */
export async function rebuildSample(page, name) {
  await room(page, 'rebuild');
  await page.click(`#samples button[data-sample=${name}]`);
  await expect(page.locator(`#samples button[data-sample=${name}]`)).toHaveAttribute('aria-pressed', 'true');
  await reaches(page, 'done');
}

/** A sample scaled down, for models that would be slow on a larger one. @param {Page} page @param {number} [side] */
export async function smallPhoto(page, side = 64) {
  const base64 = await page.evaluate(async (size) => {
    const photo = await createImageBitmap(await (await fetch('samples/chelsea.png')).blob());
    const canvas = new OffscreenCanvas(size, size);
    /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d')).drawImage(photo, 0, 0, size, size);
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  }, side);
  return { name: 'small.png', mimeType: 'image/png', buffer: Buffer.from(base64, 'base64') };
}

/** The pixels of a picture file, as decoded by the browser. @param {Page} page @param {Buffer} bytes */
export async function decoded(page, bytes) {
  const samples = await page.evaluate(async (base64) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(image.width, image.height).getContext('2d'));
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let text = '';
    for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
    return btoa(text);
  }, bytes.toString('base64'));
  return Buffer.from(samples, 'base64');
}

/** The pixels of one canvas. @param {Page} page @param {string} selector */
export async function pixels(page, selector) {
  const { width, height, base64 } = await page.evaluate((css) => {
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector(css));
    const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let i = 0; i < data.length; i += 8192) text += String.fromCharCode(...data.subarray(i, i + 8192));
    return { width: canvas.width, height: canvas.height, base64: btoa(text) };
  }, selector);
  return { width, height, rgba: Buffer.from(base64, 'base64') };
}

export const ORIGINAL = '#compare canvas.compare-original';
export const REBUILT = '#compare canvas.compare-rebuilt';
export const GRID = '#tokens canvas:not(.tokens-twins)';

/** By what the names of their buttons begin with. @type {Record<string, 'edit' | 'sample' | 'compare' | 'tune'>} */
const ROOM_OF = { edit: 'edit', sampling: 'sample', tune: 'tune', teach: 'tune', learn: 'compare' };

/** What a button saves. @param {Page} page @param {string} button */
export async function saved(page, button) {
  await room(page, ROOM_OF[button.slice(1, button.indexOf('-'))] ?? 'rebuild');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: download.suggestedFilename(), buffer: readFileSync(await download.path()) };
}

/** A number that the page shows, from its element's `data-value`. @param {Page} page @param {string} id */
export const value = async (page, id) => Number(await page.locator(`#${id}`).getAttribute('data-value'));

/** @param {Page} page @param {string} code @param {RegExp | string} sentence with what is code in backticks */
export async function complains(page, code, sentence) {
  await expect(page.locator('#alert')).toHaveAttribute('data-code', code);
  const words = () =>
    page.locator('#alert p').evaluate((p) =>
      Array.from(p.childNodes, (part) => {
        return part.nodeName === 'CODE' ? `\`${part.textContent}\`` : part.textContent;
      }).join(''),
    );
  await expect.poll(words).toMatch(sentence);
}

export { expect };
