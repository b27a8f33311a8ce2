// Weight files as other projects save them, dropped on the page: alone, or with their config.json.
import { complains, drop, expect, file, open, reaches, rebuildSample, test, value } from './app.js';

/** @typedef {{name: string, mimeType?: string, buffer: Buffer}} Dropped */

/**
 * The checkpoint inside a golden file, and the config.json that belongs to it. Tensors whose name
 * begins with `except` are left out.
 * @param {string} golden @param {string} [except] @returns {{weights: Dropped, config: Dropped}}
 */
function checkpoint(golden, except = 'nothing.') {
  const bytes = file(`tests/golden/checkpoint_${golden}.safetensors`);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__: metadata, ...tensors } = JSON.parse(bytes.subarray(8, start).toString());
  /** @type {Record<string, object>} */ const header = { __metadata__: { format: 'pt' } };
  /** @type {Buffer[]} */ const data = [];
  let length = 0;
  for (const [stored, tensor] of Object.entries(tensors)) {
    const name = stored.replace(/^param\./, '');
    if (name === stored || name.startsWith(except)) continue;
    const [from, to] = tensor.data_offsets;
    header[name] = { ...tensor, data_offsets: [length, length + to - from] };
    data.push(bytes.subarray(start + from, start + to));
    length += to - from;
  }
  const json = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(json.length));
  const config = JSON.stringify(JSON.parse(metadata.config)['config.json'] ?? {});
  return {
    weights: { name: `${golden}.safetensors`, buffer: Buffer.concat([prefix, json, ...data]) },
    config: { name: 'config.json', mimeType: 'application/json', buffer: Buffer.from(config) },
  };
}

/** Waits for a model of the visitor, then has it rebuild a sample. @param {import('@playwright/test').Page} page @param {string} name */
async function rebuildsWith(page, name) {
  await expect(page.locator('#model')).toHaveValue(`${name}.safetensors`);
  await rebuildSample(page, 'chelsea');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  // Both have two halvings.
  expect(await value(page, 'count')).toBe(64 * 64);
  await expect(page.locator('#model-facts')).toContainText('16 codes, one for every 4 × 4 pixels');
}

test('a checkpoint of taming-transformers runs as it is', async ({ page }) => {
  await open(page);
  await drop(page, checkpoint('taming').weights);
  await rebuildsWith(page, 'taming');
});

test('a checkpoint of diffusers runs with its config.json, in either order', async ({ page }) => {
  const { weights, config } = checkpoint('diffusers');
  await open(page);
  await drop(page, config, weights);
  await rebuildsWith(page, 'diffusers');
  // The file dialog takes both as well, and the config stays with the weights in another worker.
  await page.setInputFiles('#file', [
    { ...weights, name: 'again.safetensors', mimeType: '' },
    { ...config, mimeType: 'application/json' },
  ]);
  await expect(page.locator('#model')).toHaveValue('again.safetensors');
  await reaches(page, 'done');
  const [worker] = page.workers();
  const ended = new Promise((resolve) => worker.once('close', resolve));
  await page.selectOption('#device-choice', 'auto');
  await ended;
  await reaches(page, 'done');
  await expect(page.locator('#model')).toHaveValue('again.safetensors');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

test('what is missing or of no use is told, and the model in use stays', async ({ page }) => {
  const { weights, config } = checkpoint('diffusers');
  await open(page);
  const before = await page.locator('#model').inputValue();

  await drop(page, weights);
  await complains(page, 'config_invalid', /`norm_groups` 32 does not divide .* drop both together/);
  await drop(page, { ...config, buffer: Buffer.from('{') }, weights);
  await complains(page, 'config_invalid', /config file: EOF/);
  await drop(page, { ...config, buffer: Buffer.alloc(2 ** 20 + 1, 32) }, weights);
  await complains(page, 'config_invalid', /at most 1 MB/);
  await drop(page, config);
  await complains(page, 'config_invalid', /no use by itself/);

  await drop(page, checkpoint('taming', 'quantize.').weights);
  await complains(page, 'no_codebook', /no codebook.*the model in use stays/);
  await drop(page, checkpoint('taming', 'encoder.').weights);
  await complains(page, 'weights_unknown', /no kind of model .*the model in use stays/);

  await expect(page.locator('#model')).toHaveValue(before);
  await rebuildSample(page, 'coffee');
});
