// @ts-check
// The visitor's work in the browser's private files: tuned models by name, and the current tuning with
// its pictures and its last snapshot, so that it survives closing the page.
import { PageCode, TesseraeError, nameTaken } from './protocol.js';

// Other pages of the same origin share the root.
const MODELS = 'tesserae-models';
const TUNING = 'tesserae-tuning';
const SUFFIX = '.safetensors';
/** For a file with the name of the shipped model that the one next to it was tuned from. */
const BASE = '.base';
const RECORD = 'record-';
const MODELS_LOCK = 'tesserae-models';
const TUNING_LOCK = 'tesserae-tuning';
/** The folders' former names, by their current ones. */
const FORMER = { [MODELS]: 'models', [TUNING]: 'tuning' };
/** A metadata key of every model that was tuned here. */
const OURS = 'tuning';
/** A worker that has just ended releases its lock within this time. */
export const PATIENCE_MS = 3000;

/** @typedef {import('./protocol.js').Training} Tuning of either kind */
/** @typedef {{tuning: Tuning, snapshot: Blob}} Left */

/** @param {string} name */
const open = async (name) => (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true });
/** @param {string} name of a model @param {string} suffix @returns {string} of its file: names may contain characters that paths may not */
const fileName = (name, suffix) => encodeURIComponent(name) + suffix;
const text = new TextEncoder();

/** In a worker only. @param {FileSystemDirectoryHandle} folder @param {string} name @param {Uint8Array<ArrayBuffer>} bytes */
async function write(folder, name, bytes) {
  // The types are those of a page, which has no such access.
  const handle = /** @type {any} */ (await folder.getFileHandle(name, { create: true }));
  const access = await handle.createSyncAccessHandle();
  try {
    access.truncate(0);
    if (access.write(bytes) !== bytes.length) throw new Error('the file was not written completely');
    access.flush();
  } finally {
    access.close();
  }
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name */
const read = async (folder, name) => (await folder.getFileHandle(name)).getFile();
/** @param {FileSystemDirectoryHandle} folder @param {string} name */
const exists = (folder, name) =>
  folder.getFileHandle(name).then(
    () => true,
    () => false,
  );
/** @param {FileSystemDirectoryHandle} folder @returns {Promise<string[]>} */
async function names(folder) {
  /** @type {string[]} */ const found = [];
  for await (const name of folder.keys()) found.push(name);
  return found;
}

/**
 * Asks the browser not to clear these files when it needs room.
 * Some browsers ask the visitor, so this waits until there is something to keep.
 */
export async function persist() {
  const { storage } = navigator;
  if (storage?.persist && !(await storage.persisted())) await storage.persist();
}

// ---- models

/**
 * The metadata of a weight file, if the file is complete: a full disk or a closed tab may have left only
 * its beginning.
 * @param {Blob} file @returns {Promise<Record<string, string> | null>}
 */
async function whole(file) {
  try {
    const bytes = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true));
    if (bytes > file.size) return null;
    const { __metadata__: metadata = {}, ...tensors } = JSON.parse(await file.slice(8, 8 + bytes).text());
    const ends = Object.values(tensors).map(({ data_offsets: [, end] }) => end);
    return file.size === 8 + bytes + Math.max(0, ...ends) ? metadata : null;
  } catch {
    return null;
  }
}

/**
 * In a worker only.
 * @param {string} name @param {Uint8Array<ArrayBuffer>} bytes @param {string | null} base
 */
export function keepModel(name, bytes, base) {
  const taken = nameTaken(name);
  // Pages that are not secure have no locks, and no files to keep anything in either.
  const alone = async () => {
    const folder = await open(MODELS);
    await sweep(folder);
    if (await exists(folder, fileName(name, SUFFIX))) throw taken;
    try {
      if (base) await write(folder, fileName(name, BASE), text.encode(base));
      await write(folder, fileName(name, SUFFIX), bytes);
    } catch (error) {
      await remove(folder, name);
      throw error;
    }
  };
  return Promise.resolve(navigator.locks?.request(MODELS_LOCK, alone) ?? alone()).catch((error) => {
    if (error === taken) throw taken;
    throw new TesseraeError(PageCode.NOT_KEPT, 'This browser has no room to save the model, or does not store files for this page.');
  });
}

/** @returns {Promise<import('./protocol.js').Dropped[]>} */
export async function keptModels() {
  const folder = await open(MODELS);
  // A tab that is saving one has the lock, and its file is incomplete until it is done.
  await navigator.locks.request(MODELS_LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    await adopt(MODELS, folder).catch(() => {});
    await sweep(folder);
  });
  /** @type {import('./protocol.js').Dropped[]} */ const found = [];
  for (const file of await names(folder)) {
    if (!file.endsWith(SUFFIX)) continue;
    const blob = await read(folder, file).catch(() => null);
    if (!blob || !(await whole(blob))) continue;
    const name = decodeURIComponent(file.slice(0, -SUFFIX.length));
    const base = await read(folder, fileName(name, BASE)).then(
      (words) => words.text(),
      () => null,
    );
    found.push({ from: 'file', name, blob, config: null, base });
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** @param {string} name */
export async function removeModel(name) {
  const folder = await open(MODELS);
  await navigator.locks.request(MODELS_LOCK, () => remove(folder, name));
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name */
async function remove(folder, name) {
  for (const suffix of [SUFFIX, BASE]) await folder.removeEntry(fileName(name, suffix)).catch(() => {});
}

/** Removes incomplete files. Only for the holder of the lock. @param {FileSystemDirectoryHandle} folder */
async function sweep(folder) {
  const files = await names(folder);
  for (const file of files) {
    if (file.endsWith(SUFFIX) && !(await read(folder, file).then(whole, () => ({})))) await folder.removeEntry(file).catch(() => {});
  }
  for (const file of files) {
    if (file.endsWith(BASE) && !(await exists(folder, file.slice(0, -BASE.length) + SUFFIX)))
      await folder.removeEntry(file).catch(() => {});
  }
}

/**
 * Moves this page's files out of the folder whose name had no prefix, where another page's may be too.
 * @param {typeof MODELS | typeof TUNING} name @param {FileSystemDirectoryHandle} folder
 */
async function adopt(name, folder) {
  const root = await navigator.storage.getDirectory();
  const former = await root.getDirectoryHandle(FORMER[name]).catch(() => null);
  if (!former) return;
  const [files, there] = [await names(former), await names(folder)];
  const move = async (/** @type {string} */ file) => {
    await folder.removeEntry(file).catch(() => {});
    await /** @type {any} */ (await former.getFileHandle(file)).move(folder, file);
  };
  if (name === MODELS) {
    for (const file of files.filter((one) => one.endsWith(SUFFIX) && !there.includes(one))) {
      if (!(await read(former, file).then(whole))?.[OURS]) continue;
      const base = file.slice(0, -SUFFIX.length) + BASE;
      if (files.includes(base)) await move(base);
      await move(file);
    }
  } else if (!there.some((file) => file.startsWith(RECORD))) {
    // Records are moved last, since they refer to the rest.
    const kinds = ['picture-', 'snapshot-', RECORD].map((kind) => files.filter((file) => file.startsWith(kind)));
    if (kinds[2].length) for (const file of kinds.flat()) await move(file);
  }
  if (!(await names(former)).length) await root.removeEntry(FORMER[name]);
}

// ---- the tuning

/**
 * In a worker only. A tab may be closed at any time, so the previous record and snapshot stay until the
 * new ones are complete.
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
  await write(folder, RECORD + done, text.encode(JSON.stringify({ ...tuning, photos })));
  for (const name of await names(folder)) {
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
 * The exclusive right to the one record of a tuning that all tabs share. It ends with the page or the
 * worker that has it.
 * @param {number} patience milliseconds to wait for it, or Infinity
 * @returns {Promise<(() => void) | null>} a function that releases it; null while another tab has it
 */
export function holdTuning(patience) {
  return new Promise((resolve) => {
    // Pages that are not secure have no locks, and no files to keep anything in either.
    if (!navigator.locks) return resolve(() => {});
    const hold = (/** @type {Lock | null} */ lock) => (lock ? new Promise((release) => resolve(() => release(null))) : resolve(null));
    const options = patience === 0 ? { ifAvailable: true } : patience < Infinity ? { signal: AbortSignal.timeout(patience) } : {};
    navigator.locks.request(TUNING_LOCK, options, hold).catch(() => resolve(null));
  });
}

/**
 * The unfinished tuning, if there is one, once no tab is running it.
 * @param {number} patience milliseconds to wait for that, or Infinity
 * @returns {Promise<Left | null>}
 */
export async function leftTuning(patience) {
  const release = await holdTuning(patience);
  if (!release) return null;
  const left = await newestTuning();
  release();
  return left;
}

/** Only for the holder of the right. @returns {Promise<Left | null>} */
export async function newestTuning() {
  try {
    const folder = await open(TUNING);
    await adopt(TUNING, folder).catch(() => {});
    const records = (await names(folder)).filter((name) => name.startsWith(RECORD)).map((name) => Number(name.slice(RECORD.length)));
    for (const done of records.sort((a, b) => b - a)) {
      const left = await readTuning(folder, done).catch(() => null);
      if (left) return left;
    }
    // Pictures of a tuning that ended before its first step.
    if (!records.length) await forgetTuning();
  } catch {
    // Then there is no unfinished tuning either.
  }
  return null;
}

/** @param {FileSystemDirectoryHandle} folder @param {number} done @returns {Promise<Left>} */
async function readTuning(folder, done) {
  const { photos, ...tuning } = JSON.parse(await (await read(folder, RECORD + done)).text());
  // Reads the pictures now, since the next tuning overwrites their files.
  /** @type {import('./protocol.js').Photo[]} */ const found = [];
  for (const { file, type, ...photo } of photos)
    found.push({ ...photo, blob: new Blob([await (await read(folder, file)).arrayBuffer()], { type }) });
  return { tuning: { ...tuning, photos: found }, snapshot: await read(folder, `snapshot-${done}`) };
}

/** Discards the unfinished tuning, unless another tab has resumed it. */
export async function discardTuning() {
  const release = await holdTuning(PATIENCE_MS);
  if (!release) return;
  await forgetTuning().catch(() => {});
  release();
}

/** Only for the holder of the right. */
export async function forgetTuning() {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(TUNING, { recursive: true }).catch(() => {});
}
