// A host of the page that a test can deploy to, slow down and shut down.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readRelease } from '../../scripts/server/release.js';
import { site } from '../../scripts/server/site.js';

/** @typedef {import('../../scripts/server/release.js').Release} Release */

const root = fileURLToPath(new URL('../..', import.meta.url));
const PKG = join(root, 'pkg');

/** The page as it is in this clone. */
export const release = () => readRelease({ www: join(root, 'www'), pkg: PKG });

/** @returns {Release} the source tree as it is, which has no releases */
function sourceTree() {
  const { files, ...rest } = release();
  const plain = Array.from(files, ([path, { source }]) => /** @type {const} */ ([path.replace(/^r\/[^/]+\//, ''), { source, text: null }]));
  return { ...rest, files: new Map(plain) };
}

export class Host {
  /** @type {Release} */ #release;
  /** @type {import('node:http').Server} */ #server;
  /** @type {string[]} */ #folders = [];
  /** @type {string[]} the requests, in order */ asked = [];
  /** @type {(path: string) => boolean} requests that are never answered */ hangs = () => false;
  /** @type {(path: string) => Promise<unknown> | null} requests that are answered only then */ waits = () => null;
  /** @type {(path: string) => boolean} files that are missing */ lacks = () => false;
  /** @type {(path: string) => boolean} files that are changed in transit */ changes = () => false;
  /** @type {number | null} seconds for which browsers may cache everything */ maxAge = null;
  /** Whether missing files are answered with the page, as on some hosts. */ fallback = false;
  /** Whether headers other than those of the file go out. */ headers = true;

  /** @param {{plain?: boolean}} [kind] whether the source tree itself is served, without a release */
  constructor({ plain = false } = {}) {
    this.#release = plain ? sourceTree() : release();
    const files = site(() => this.#release);
    this.#server = createServer(async (request, response) => {
      const path = String(request.url);
      this.asked.push(path);
      if (this.hangs(path)) return;
      await this.waits(path);
      if (this.lacks(path)) return void response.writeHead(404).end();
      if (this.changes(path)) {
        const { source } = /** @type {import('../../scripts/server/release.js').Entry} */ (this.#release.files.get(path.slice(1)));
        return void response
          .writeHead(200, { 'Content-Type': 'text/javascript' })
          .end(`${readFileSync(source, 'utf8')}\n// Changed in transit.\n`);
      }
      if (this.fallback && !this.#release.files.has(path.slice(1).replace(/[?#].*/, ''))) request.url = '/';
      const { writeHead, setHeader } = response;
      if (!this.headers) {
        response.setHeader = (name, value) =>
          /^(content-|etag|vary|cache)/i.test(name) && !/policy/i.test(name) ? setHeader.call(response, name, value) : response;
      }
      if (this.maxAge !== null) {
        response.writeHead = (/** @type {number} */ status, /** @type {any} */ more) => {
          response.setHeader('Cache-Control', `public, max-age=${this.maxAge}`);
          if (more) delete more['Cache-Control'];
          return writeHead.call(response, status, more);
        };
      }
      files(request, response);
    });
  }

  get id() {
    return this.#release.id;
  }

  /** @returns {Promise<string>} its address */
  open() {
    return new Promise((resolve) =>
      this.#server.listen(0, '127.0.0.1', () => {
        const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
        resolve(`http://127.0.0.1:${port}/`);
      }),
    );
  }

  /** Replaces the current release with another one. @param {Record<string, (text: string) => string>} changes to files of www/ */
  deploy(changes) {
    const www = mkdtempSync(join(tmpdir(), 'tesserae-www-'));
    this.#folders.push(www);
    cpSync(join(root, 'www'), www, { recursive: true });
    for (const [path, change] of Object.entries(changes)) {
      const file = join(www, path);
      writeFileSync(file, change(readFileSync(file, 'utf8')));
    }
    this.#release = readRelease({ www, pkg: PKG });
  }

  /** Shuts the host down: nothing listens any more. */
  async close() {
    if (this.#server.listening) {
      this.#server.closeAllConnections();
      await new Promise((resolve) => this.#server.close(resolve));
    }
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true });
  }
}
