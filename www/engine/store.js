// @ts-check
// Weights: fetched with byte-accurate progress, checked by length and SHA-256, stored in the Cache API
// and checked again at every read, so that a corrupted cache costs a download but never gives a wrong model.
import { Code, PageCode, TesseraeError } from './protocol.js';

export const CACHE = 'tesserae-weights-1';

/** @typedef {import('./protocol.js').Shipped} Shipped */
/** @typedef {(done: number, total: number) => boolean | void} Watch returns false to cancel */

/**
 * The bytes of a shipped model, from the cache if they are there and intact.
 * @param {Shipped} source @param {Watch} watch @param {AbortSignal} cancel for a server that does not answer
 * @returns {Promise<{bytes: Uint8Array<ArrayBuffer>, origin: 'cache' | 'network' | 'healed'}>}
 */
export async function weights(source, watch, cancel) {
  if (!globalThis.crypto?.subtle) {
    throw new TesseraeError(
      PageCode.DOWNLOAD_FAILED,
      'Weights can only be checked on a secure page: open this one over https or on localhost.',
    );
  }
  const cache = await openCache();
  const key = keyOf(source);
  const kept = await cache?.match(key).catch(() => undefined);
  if (kept) {
    const bytes = await kept.arrayBuffer().then(
      (b) => new Uint8Array(b),
      () => null,
    );
    if (bytes && bytes.length === source.bytes && (await sha256(bytes)) === source.sha256) {
      watch(source.bytes, source.bytes);
      return { bytes, origin: 'cache' };
    }
    await cache?.delete(key).catch(() => false);
  }
  const bytes = await download(source, watch, cancel);
  if (cache) await keep(cache, key, bytes);
  return { bytes, origin: kept ? 'healed' : 'network' };
}

// Private windows and full disks refuse the Cache API; the model then works without being stored.
async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/** @param {Shipped} source The hash is part of the key, so a new release never uses an old file. */
function keyOf(source) {
  const url = new URL(source.url);
  url.search = `sha256=${source.sha256}`;
  return url.href;
}

/** @param {Cache} cache @param {string} key @param {Uint8Array<ArrayBuffer>} bytes */
async function keep(cache, key, bytes) {
  try {
    const path = new URL(key).pathname;
    for (const old of await cache.keys()) {
      if (new URL(old.url).pathname === path) await cache.delete(old);
    }
    await cache.put(key, new Response(bytes, { headers: { 'content-type': 'application/octet-stream' } }));
  } catch {
    await cache.delete(key).catch(() => false);
  }
}

/** @param {Shipped} source @param {Watch} watch @param {AbortSignal} cancel @returns {Promise<Uint8Array<ArrayBuffer>>} */
async function download(source, watch, cancel) {
  const stop = new AbortController();
  const cancelled = new TesseraeError(Code.CANCELLED, 'The download was cancelled.');
  // The HTTP cache would keep a second copy, and could return the corrupted one.
  const response = await fetch(source.url, { cache: 'no-store', signal: AbortSignal.any([stop.signal, cancel]) }).catch((error) => {
    throw cancel.aborted ? cancelled : failed(source, `the server did not answer (${error.message})`);
  });
  if (!response.ok) throw failed(source, `the server answered ${response.status}`);
  if (!response.body) throw failed(source, 'the server sent nothing');
  const bytes = new Uint8Array(source.bytes);
  const reader = response.body.getReader();
  let done = 0;
  try {
    watch(0, source.bytes);
    for (;;) {
      const chunk = await reader.read().catch((error) => {
        throw cancel.aborted ? cancelled : failed(source, `the connection broke (${error.message})`);
      });
      if (chunk.done) break;
      if (done + chunk.value.length > bytes.length) throw wrongLength(source, 'more');
      bytes.set(chunk.value, done);
      done += chunk.value.length;
      if (watch(done, source.bytes) === false) {
        throw cancelled;
      }
    }
  } catch (error) {
    stop.abort();
    throw error;
  }
  if (done < bytes.length) throw wrongLength(source, `only ${done}`);
  if ((await sha256(bytes)) !== source.sha256) {
    throw new TesseraeError(PageCode.DOWNLOAD_HASH, `The download of ${source.name} does not match its checksum, so it was discarded.`);
  }
  return bytes;
}

/** @param {Shipped} source @param {string} why */
function failed(source, why) {
  return new TesseraeError(PageCode.DOWNLOAD_FAILED, `${source.name} could not be downloaded: ${why}.`);
}

/** @param {Shipped} source @param {string} came */
function wrongLength(source, came) {
  return new TesseraeError(
    PageCode.DOWNLOAD_LENGTH,
    `The download of ${source.name} should be ${source.bytes} bytes, but ${came} arrived, so it was discarded.`,
  );
}

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Promise<string>} in lower-case hexadecimal */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
