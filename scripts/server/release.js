// One release of the page: its files, their addresses, and the id that ties them together.
//
// All code is under r/ID/, where ID is a hash of all of it. Relative imports, the worker,
// the wasm glue and url() in styles stay inside that folder by themselves, so no cache on the way can
// pair files of two releases: their addresses differ. (A query would have to be repeated in every
// import, and an import map does not reach workers.) index.html, sw.js and the manifest are rewritten
// to name the folder. Weights and samples keep their addresses: the index, which is inside the folder,
// has the checksums of the weights.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { headersOf } from './headers.js';

/** @typedef {{source: string, text: string | null}} Entry the file on disk, and its text where the release changes it */
/**
 * @typedef {object} Release
 * @property {string} id 16 hexadecimal digits
 * @property {string} prefix of the versioned files, with a slash at the end
 * @property {Map<string, Entry>} files by their path from the root of the site, without a leading slash
 * @property {[string, string][]} headers for every file
 * @property {Folders} folders
 */
/** @typedef {{www: string, pkg: string}} Folders */

/** Files whose addresses a release does not change: a browser asks for them by name. */
const FIXED = /^(index\.html|sw\.js|manifest\.webmanifest|samples\/.*|models\/(?!index\.json$).*)$/;
/** Fetched and stored by the page itself, or only read on request. */
const NOT_KEPT = /^(models\/|sw\.js$|release\.json$)/;

/** @param {string} folder @returns {string[]} paths within it, sorted, without hidden files and types */
function walk(folder) {
  return (
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      // Before 18.20 Node.js calls it `path`.
      .map((file) =>
        join(file.parentPath ?? file.path, file.name)
          .slice(folder.length + 1)
          .replaceAll('\\', '/'),
      )
      .filter((path) => !/(^|\/)[._]|\.d\.ts$/.test(path))
      .sort()
  );
}

/** What a release is made of, by path. @param {Folders} folders @returns {Map<string, string>} */
function sources({ www, pkg }) {
  const found = new Map(walk(www).map((path) => [path, join(www, path)]));
  // The npm package's copy of engine/ is not the page's.
  if (existsSync(pkg))
    for (const path of walk(pkg)) if (/^(?!engine\/).*\.(js|wasm)$/.test(path)) found.set(`pkg/${path}`, join(pkg, path));
  return found;
}

/** @param {Folders} folders @returns {string} a hash that changes whenever one of the release's files does */
export const signatureOf = (folders) =>
  Array.from(sources(folders).values(), (path) => {
    const { size, mtimeMs } = statSync(path);
    return `${path} ${size} ${mtimeMs}`;
  }).join('\n');

/** @param {string | Buffer} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes);

/** Replaces what must be there exactly once. @param {string} text @param {string} old @param {string} now @param {string} where */
function replaced(text, old, now, where) {
  if (text.split(old).length !== 2) throw new Error(`${where} must contain ${old} exactly once`);
  return text.replace(old, () => now);
}

/** @param {Folders} folders @returns {Release} */
export function readRelease(folders) {
  const found = sources(folders);
  const headers = headersOf(readFileSync(join(folders.www, 'index.html'), 'utf8'));
  // This file's own code is part of the release as well, and so are the headers, which are stored with it.
  const all = sha256(readFileSync(fileURLToPath(import.meta.url))).update(JSON.stringify(headers));
  for (const [path, source] of found) {
    // The index has the weights' checksums.
    if (path.endsWith('.safetensors')) continue;
    all.update(`${path}\n${sha256(readFileSync(source)).digest('hex')}\n`);
  }
  const id = all.digest('hex').slice(0, 16);
  const prefix = `r/${id}/`;
  const placed = (/** @type {string} */ path) => (FIXED.test(path) ? path : prefix + path);

  /** @type {Map<string, Entry>} */ const files = new Map();
  for (const [path, source] of found) files.set(placed(path), { source, text: null });
  /** @param {string} path @param {(text: string) => string} change */
  const rewrite = (path, change) => {
    const source = join(folders.www, path);
    files.set(placed(path), { source, text: change(readFileSync(source, 'utf8')) });
  };
  const linked = (/** @type {string} */ text) =>
    text.replace(/((?:src|href)"?\s*[=:]\s*")([^"#:?]+)(?=")/g, (whole, before, path) => (found.has(path) ? before + placed(path) : whole));
  rewrite('index.html', linked);
  rewrite('manifest.webmanifest', linked);
  rewrite('engine/release.js', (text) => replaced(text, "RELEASE = 'source'", `RELEASE = '${id}'`, 'engine/release.js'));

  /** @type {Record<string, string>} */ const kept = {};
  for (const [path, { source, text }] of files) {
    if (NOT_KEPT.test(path)) continue;
    kept[path === 'index.html' ? './' : path] = `sha256-${sha256(text ?? readFileSync(source)).digest('base64')}`;
  }
  rewrite('sw.js', (text) =>
    replaced(
      replaced(text, "RELEASE = 'source'", `RELEASE = '${id}'`, 'sw.js'),
      'FILES = {}',
      `FILES = ${JSON.stringify(kept, null, 2)}`,
      'sw.js',
    ),
  );
  files.set('release.json', { source: 'release.json', text: `${JSON.stringify({ release: id })}\n` });
  return { id, prefix, files, headers, folders };
}

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html;charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
};
/** Of the files whose text a release changes. @param {string} path */
export const typeOf = (path) => TYPES[extname(path)] ?? 'text/plain;charset=utf-8';
