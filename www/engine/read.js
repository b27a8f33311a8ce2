// @ts-check
// Files as bytes, up to a limit.
import { Code, FILE_LIMITS, TesseraeError } from './protocol.js';

/** @param {Blob} blob @param {number} limit @param {string} code */
function checkSize(blob, limit, code) {
  if (blob.size > limit) {
    throw new TesseraeError(code, `This file is ${Math.ceil(blob.size / 2 ** 20)} MB; at most ${limit / 2 ** 20} MB can be read.`);
  }
}

/** @param {Blob} blob @param {number} limit @param {string} code */
export async function read(blob, limit, code) {
  checkSize(blob, limit, code);
  const buffer = await blob.arrayBuffer().catch(() => {
    throw new TesseraeError(Code.IO, 'The file could not be read: it may have been moved or changed.');
  });
  return new Uint8Array(buffer);
}

/** @param {import('./protocol.js').Dropped} source The weights stay a file, which the engine reads in chunks. */
export async function dropped({ blob, config }) {
  checkSize(blob, FILE_LIMITS.weights, Code.WEIGHTS_CORRUPT);
  const json = config ? new TextDecoder().decode(await read(config, FILE_LIMITS.config, Code.CONFIG_INVALID)) : undefined;
  return { bytes: blob, json, origin: /** @type {const} */ ('file') };
}
