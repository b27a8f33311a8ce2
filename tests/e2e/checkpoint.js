// Other projects' checkpoints, in their own format, from the golden files.
import { file } from './app.js';

/** @typedef {{name: string, mimeType: string, buffer: Buffer}} Dropped */

/**
 * The checkpoint inside a golden file, and the config.json that belongs to it, null where none is
 * needed. Tensors whose name begins with `except` are left out.
 * @param {string} golden @param {string} [except] @returns {{weights: Dropped, config: Dropped | null}}
 */
export function checkpoint(golden, except = 'nothing.') {
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
  const config = JSON.parse(metadata.config)['config.json'];
  return {
    weights: { name: `${golden}.safetensors`, mimeType: '', buffer: Buffer.concat([prefix, json, ...data]) },
    config: config ? { name: 'config.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(config)) } : null,
  };
}
