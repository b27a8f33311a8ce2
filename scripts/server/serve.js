// The page's static server: www/ is the root, pkg/ lies beside it under /pkg/.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const port = Number(process.env.PORT || 8080);

// Read from disk on every request and revalidated by the browser, so that a rebuilt file is seen;
// files that `./build.sh build` compressed are sent as they are.
const options = { dev: true, etag: true, brotli: true, gzip: true };
const pages = sirv(root('www'), options);
const pkg = sirv(root('pkg'), options);

// A worker obeys the policy its own script came with, not the page's, so the one in the page's meta
// tag goes out with every file.
const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/i.exec(
  readFileSync(root('www/index.html'), 'utf8'),
);

const server = createServer((request, response) => {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Vary', 'Accept-Encoding');
  if (policy) response.setHeader('Content-Security-Policy', policy[1].replace(/\s+/g, ' '));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405).end();
  } else if (request.url?.startsWith('/pkg/')) {
    request.url = request.url.slice('/pkg'.length);
    pkg(request, response);
  } else {
    pages(request, response);
  }
});

server.on('error', (error) => {
  const taken = /** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE';
  console.error(taken ? `serve: port ${port} of 127.0.0.1 is taken; choose another with PORT` : `serve: ${error.message}`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
