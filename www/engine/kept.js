// @ts-check
// What the visitor's own work leaves in the browser's private files: tuned models by name, and the
// tuning under way with its pictures and its last snapshot, so that it outlives the page.
import { PageCode, TesseraeError } from './protocol.js';

const MODELS = 'models';
const TUNING = 'tuning';
const SUFFIX = '.safetensors';
/** Of a file with the name of the shipped model that the one beside it was tuned from. */
const BASE = '.base';
const LOCK = 'tesserae-tuning';
/** A worker that has just ended gives its lock back within this time. */
export const PATIENCE_MS = 3000;

/** @typedef {import('./protocol.js').Tuning} Tuning */
/** @typedef {{tuning: Tuning, snapshot: Blob}} Left */

/** @param {string} name */
const open = async (name) => (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
/** @param {string} name of a model @param {string} suffix @returns {string} of its file: names may hold what paths may not */
const fileName = (name, suffix) => encodeURIComponent(name) + suffix;
const text = new TextEncoder();

/** In a worker only. @param {FileSystemDirectoryHandle} folder @param {string} name @param {Uint8Array<ArrayBuffer>} bytes */
async function write(folder, name, bytes) {
  // The types are those of a page, which has no such access.
  const handle = /** @type {any} */ (await folder.getFileHandle(name, { create: true }));
  const access = await handle.createSyncAccessHandle();
  try {
    access.truncate(0);
    access.write(bytes);
    access.flush();
  } finally {
    access.close();
  }
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name */
const read = async (folder, name) => (await folder.getFileHandle(name)).getFile();

/** In a worker only. @param {string} name @param {Uint8Array<ArrayBuffer>} bytes @param {string | null} base */
export async function keepModel(name, bytes, base) {
  try {
    const folder = await open(MODELS);
    if (base) await write(folder, fileName(name, BASE), text.encode(base));
    await write(folder, fileName(name, SUFFIX), bytes);
  } catch {
    throw new TesseraeError(PageCode.NOT_KEPT, 'This browser has no room to keep the model, or keeps nothing for this page.');
  }
}

/** @returns {Promise<import('./protocol.js').Dropped[]>} */
export async function keptModels() {
  const folder = await open(MODELS);
  /** @type {import('./protocol.js').Dropped[]} */ const found = [];
  for await (const file of folder.keys()) {
    if (!file.endsWith(SUFFIX)) continue;
    const name = decodeURIComponent(file.slice(0, -SUFFIX.length));
    const base = await read(folder, fileName(name, BASE)).then((blob) => blob.text(), () => null);
    found.push({ from: 'file', name, blob: await read(folder, file), config: null, base });
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** @param {string} name */
export async function removeModel(name) {
  const folder = await open(MODELS);
  await folder.removeEntry(fileName(name, SUFFIX));
  await folder.removeEntry(fileName(name, BASE)).catch(() => {});
}

/**
 * In a worker only. A tab may be closed in the middle of it, so the record and the snapshot before
 * stay until both are whole.
 * @param {Tuning} tuning @param {Uint8Array<ArrayBuffer>} snapshot
 */
export async function keepTuning(tuning, snapshot) {
  const folder = await open(TUNING);
  const done = tuning.losses.length;
  if (done === 0) {
    await forgetTuning();
    return keepPictures(tuning);
  }
  await write(folder, `snapshot-${done}`, snapshot);
  const photos = tuning.photos.map(({ blob, ...rest }, i) => ({ ...rest, file: `picture-${i}`, type: blob.type }));
  await write(folder, `record-${done}`, text.encode(JSON.stringify({ ...tuning, photos })));
  for await (const name of folder.keys()) {
    if (!name.startsWith('picture-') && !name.endsWith(`-${done}`)) await folder.removeEntry(name);
  }
}

/** @param {Tuning} tuning */
async function keepPictures({ photos }) {
  const folder = await open(TUNING);
  for (const [i, { blob }] of photos.entries()) {
    await write(folder, `picture-${i}`, new Uint8Array(await blob.arrayBuffer()));
  }
}

/**
 * The right to the one record of a tuning that all tabs share. It ends with the page or the worker
 * that has it.
 * @param {number} patience milliseconds to wait for it, or Infinity
 * @returns {Promise<(() => void) | null>} what gives it back; null while another tab has it
 */
export function holdTuning(patience) {
  return new Promise((resolve) => {
    // Pages that are not secure have no locks, and no files to keep anything in either.
    if (!navigator.locks) return resolve(() => {});
    const hold = () => new Promise((release) => resolve(() => release(null)));
    const options = patience < Infinity ? { signal: AbortSignal.timeout(patience) } : {};
    navigator.locks.request(LOCK, options, hold).catch(() => resolve(null));
  });
}

/**
 * The tuning that was left, if one was, once no tab is at it.
 * @param {number} patience milliseconds to wait for that, or Infinity
 * @returns {Promise<Left | null>}
 */
export async function leftTuning(patience) {
  const release = await holdTuning(patience);
  if (!release) return null;
  try {
    const folder = await open(TUNING);
    /** @type {number[]} */ const records = [];
    for await (const name of folder.keys()) if (name.startsWith('record-')) records.push(Number(name.slice('record-'.length)));
    for (const done of records.sort((a, b) => b - a)) {
      const left = await readTuning(folder, done).catch(() => null);
      if (left) return left;
    }
    return null;
  } catch {
    return null;
  } finally {
    release();
  }
}

/** @param {FileSystemDirectoryHandle} folder @param {number} done @returns {Promise<Left>} */
async function readTuning(folder, done) {
  const { photos, ...tuning } = JSON.parse(await (await read(folder, `record-${done}`)).text());
  // The pictures themselves, as the next tuning writes over their files.
  /** @type {import('./protocol.js').Photo[]} */ const found = [];
  for (const { file, type, ...photo } of photos) found.push({ ...photo, blob: new Blob([await (await read(folder, file)).arrayBuffer()], { type }) });
  return { tuning: { ...tuning, photos: found }, snapshot: await read(folder, `snapshot-${done}`) };
}

/** The tuning that was left is not wanted, unless another tab has taken it up. */
export async function discardTuning() {
  const release = await holdTuning(PATIENCE_MS);
  if (!release) return;
  await forgetTuning().catch(() => {});
  release();
}

/** For who has the right to it. */
export async function forgetTuning() {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(TUNING, { recursive: true }).catch(() => {});
}
