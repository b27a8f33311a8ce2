// What the tests of a model's two stages share: two entries of the index with one codebook, made of a shipped
// model's weights and of a copy with another decoder.
import { createHash } from 'node:crypto';
import { REBUILT, SHIPPED, drop, expect, file, open, pixels, reaches, smallPhoto, value } from './app.js';

/** @typedef {import('@playwright/test').Page} Page */

export const ENTRY = SHIPPED.find((/** @type {any} */ entry) => entry.kind === 'vqgan' && entry.codebook);
const WEIGHTS = file(`www/models/${ENTRY.file}`);
/** The same weights except for the last layer of the decoder. @param {Buffer} weights */
function otherDecoder(weights) {
  const bytes = Buffer.from(weights);
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
export const SHARP = shipped('sharp', 'vqgan', otherDecoder(WEIGHTS));
export const SOFT = shipped('soft', 'vqvae', WEIGHTS);
/** Of a model small enough for a software graphics device. */
export const SMALL = file('tests/e2e/fixtures/tiny.safetensors');
export const PAIR = [shipped('sharp', 'vqgan', otherDecoder(SMALL)), shipped('soft', 'vqvae', SMALL)];

/** @param {Page} page @param {string} [settings] */
export async function withStages(page, settings, both = [SHARP, SOFT]) {
  await page.route('**/models/index.json', (route) => route.fulfill({ json: { models: both.map(({ entry }) => entry) } }));
  for (const { entry, body } of both) {
    await page.route(`**/models/${entry.file}`, (route) => route.fulfill({ body, contentType: 'application/octet-stream' }));
  }
  await open(page, settings);
}

export const STAGES = '#stages';
export const [FAITHFUL, LIFELIKE] = [0, 100];
export const slider = (/** @type {Page} */ page) => page.locator(`${STAGES} input[type=range]`);
/** Moves the slider as a hand does. @param {Page} page @param {number} at */
export const moveTo = (page, at) => slider(page).fill(String(at));

/** The slider is there, and so is its picture. @param {Page} page @param {number} at */
export async function follows(page, at) {
  await expect(page.locator(STAGES)).toHaveAttribute('data-value', String(at));
  await expect(page.locator(STAGES)).not.toHaveAttribute('data-busy', /.*/);
  await reaches(page, 'done');
}

/** What is shown. @param {Page} page */
export const shown = async (page) => ({
  ...(await pixels(page, REBUILT)),
  psnr: await value(page, 'psnr'),
  ssim: await value(page, 'ssim'),
});

/** @param {Page} page */
export async function rebuildSmall(page) {
  await drop(page, await smallPhoto(page));
  await expect(page.locator('#save-picture')).toBeEnabled();
  await reaches(page, 'done');
}
