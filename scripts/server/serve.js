// The page's static server, for `./build.sh serve` and the tests: a release made of www/ and pkg/ as
// they are now, remade when one of their files has changed.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { readRelease, signatureOf } from './release.js';
import { site } from './site.js';

const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const port = Number(process.env.PORT || 8080);
const folders = { www: root('www'), pkg: root('pkg') };

let seen = '';
/** @type {import('./release.js').Release} */ let release;
const server = createServer(
  site(() => {
    const now = signatureOf(folders);
    if (now !== seen) [seen, release] = [now, readRelease(folders)];
    return release;
  }),
);

server.on('error', (error) => {
  const taken = /** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE';
  console.error(taken ? `serve: port ${port} of 127.0.0.1 is taken; choose another with PORT` : `serve: ${error.message}`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
