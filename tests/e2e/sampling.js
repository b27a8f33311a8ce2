// Shared by the tests of the room where pictures are sampled.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PRIORS, commandLine, expect, file, inFolder, pixels, withPackage, withTiny } from './app.js';

/** @typedef {import('@playwright/test').Page} Page */

/** A shipped prior that draws several tokens at once, and its file. */
export const PRIOR = PRIORS.find(({ kind }) => kind === 'maskgit');
export const WEIGHTS = file(`www/models/${PRIOR.file}`);
export const [{ name: TOKENIZER }] = PRIOR.needs;

/** @param {string} name @param {Buffer} body @param {object} more of its entry */
const shipped = (name, body, more = {}) => ({
  body,
  entry: {
    ...PRIOR,
    name,
    file: `${name}.safetensors`,
    bytes: body.length,
    sha256: createHash('sha256').update(body).digest('hex'),
    ...more,
  },
});

/** The same prior, trained for another codebook by what its file says. */
export const STRANGER = shipped(
  'stranger',
  Buffer.from(WEIGHTS.toString('latin1').replace(PRIOR.needs[0].hash, '0123456789abcdef'), 'latin1'),
);

/** A prior with random weights that draws row by row. */
export const RASTER = (() => {
  const { codes, rows, columns, classes } = PRIOR.config;
  const config = { kind: 'llamagen', codes, rows, columns, classes, width: 32, layers: 2, heads: 2, hidden: 64 };
  const body = inFolder((folder) => {
    const [json, weights] = ['config.json', 'raster.safetensors'].map((name) => join(folder, name));
    writeFileSync(json, JSON.stringify(config));
    commandLine('init', json, weights);
    return readFileSync(weights);
  });
  return shipped('raster', body, { kind: config.kind, config });
})();

/** Adds priors to the page's list, next to the tiny model. @param {Page} page @param {{body: Buffer, entry: any}[]} others */
export async function withPriors(page, ...others) {
  const entries = others.map(({ entry }) => entry);
  await withTiny(page, {}, entries);
  for (const { entry, body } of others) {
    await page.route(`**/models/${entry.file}`, (route) => route.fulfill({ body, contentType: 'application/octet-stream' }));
  }
}

/** How the room Sample draws, unless it is changed; and the room Edit. */
export const [SAMPLES, EDITS] = [
  { temperature: 1, guidance: 2 },
  { temperature: 0.7, guidance: 1 },
];

/** The token file that the command line makes. @param {number} kind of class @param {number} seed @param {typeof SAMPLES} [how] */
export const sampledTokens = (kind, seed, { temperature, guidance } = SAMPLES) =>
  inFolder((folder) => {
    const words = ['--model', PRIOR.name, '--models', 'www/models', '--class', String(kind), '--seed', String(seed)];
    const how = ['--temperature', String(temperature), '--guidance', String(guidance)];
    commandLine('sample', ...words, ...how, '--tokens', '--out', folder);
    return readFileSync(join(folder, String(readdirSync(folder).find((name) => name.endsWith('.tokens')))));
  });

/** For the worker: each step takes this much longer. @param {number} ms */
export const slow = (ms) =>
  withPackage(`
  const step = wasm.Sampler.prototype.step;
  wasm.Sampler.prototype.step = async function () {
    await new Promise((resolve) => setTimeout(resolve, ${ms}));
    return step.call(this);
  };`);

/** @param {Page} page @param {'idle' | 'working' | 'done'} state */
export const sampling = (page, state) => expect(page.locator('#sampling')).toHaveAttribute('data-sampling', state);

/** Waits for pictures of this seed and the ones after it. @param {Page} page @param {number} seed */
export async function sampled(page, seed) {
  await expect(page.locator('#sampling')).toHaveAttribute('data-seed', String(seed));
  await sampling(page, 'done');
}

/** The pictures that are shown. @param {Page} page */
export async function pictures(page) {
  const count = await page.locator('#sampling-pictures canvas').count();
  const all = [];
  for (let i = 1; i <= count; i += 1) all.push(await pixels(page, `#sampling-pictures label:nth-of-type(${i}) canvas`));
  return all;
}

/** Chooses a class by its chip. @param {Page} page @param {string} value */
export const classIs = (page, value) => page.locator(`#sampling-classes label:has(input[value="${value}"])`).click();

/** Moves a slider as a hand does. @param {Page} page @param {string} id @param {number} to */
export async function dial(page, id, to) {
  await page.locator(id).fill(String(to));
  await page.locator(id).dispatchEvent('change');
}
