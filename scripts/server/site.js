// Answers requests with the files of a release and the headers for every file.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import sirv from 'sirv';
import { typeOf } from './release.js';

/** @typedef {import('node:http').IncomingMessage} Request */
/** @typedef {import('node:http').ServerResponse} Response */
/** @typedef {(request: Request, response: Response) => void} Handler */

// Read from disk on every request and revalidated by the browser, so that a rebuilt file is seen;
// files that `./build.sh build` compressed are sent as they are.
const OPTIONS = { dev: true, etag: true, brotli: true, gzip: true };

/** @param {() => import('./release.js').Release} current the release to serve @returns {Handler} */
export function site(current) {
  /** @type {Map<string, Handler>} */ const folders = new Map();
  const folder = (/** @type {string} */ path) => {
    if (!folders.has(path)) folders.set(path, sirv(path, OPTIONS));
    return /** @type {Handler} */ (folders.get(path));
  };
  return (request, response) => {
    /** @type {import('./release.js').Release} */ let release;
    try {
      release = current();
    } catch (error) {
      // During a build a file may be missing.
      response.writeHead(503, { 'Content-Type': 'text/plain;charset=utf-8' });
      return void response.end(`The page cannot be read at the moment: ${error}`);
    }
    const {
      files,
      folders: { www, pkg },
    } = release;
    for (const [name, value] of release.headers) response.setHeader(name, value);
    response.setHeader('Vary', 'Accept-Encoding');
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    const path = pathOf(request);
    const entry = files.get(path);
    if (!entry) return void response.writeHead(404, { 'Cache-Control': 'no-store' }).end();
    if (entry.text !== null) return send(request, response, path, entry.text);
    const home = entry.source.startsWith(join(pkg, '/')) ? pkg : www;
    request.url = encodeURI(entry.source.slice(home.length).replaceAll('\\', '/'));
    return folder(home)(request, response);
  };
}

/** @param {Request} request @returns {string} the path without a leading slash; the page's own for the root */
function pathOf({ url = '/' }) {
  try {
    return decodeURIComponent(new URL(url, 'http://localhost').pathname).slice(1) || 'index.html';
  } catch {
    return '';
  }
}

/** @param {Request} request @param {Response} response @param {string} path @param {string} text */
function send(request, response, path, text) {
  const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  response.setHeader('ETag', etag);
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end();
  response.writeHead(200, { 'Content-Type': typeOf(path), 'Content-Length': Buffer.byteLength(text) });
  response.end(request.method === 'HEAD' ? undefined : text);
}
