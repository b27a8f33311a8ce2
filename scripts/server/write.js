// Writes dist/: the page as one release, ready for a static host, with configurations of the headers for
// some hosts.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apache, netlify, nginx } from './headers.js';
import { readRelease } from './release.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const out = join(root, 'dist');

const { id, files, headers } = readRelease({ www: join(root, 'www'), pkg: join(root, 'pkg') });
rmSync(out, { recursive: true, force: true });
for (const [path, { source, text }] of files) {
  const target = join(out, path);
  mkdirSync(dirname(target), { recursive: true });
  if (text !== null) writeFileSync(target, text);
  else for (const packed of ['', '.br', '.gz']) if (existsSync(source + packed)) copyFileSync(source + packed, target + packed);
}
// Without it some hosts answer every address with the page.
writeFileSync(
  join(out, '404.html'),
  '<!doctype html>\n<html lang="en">\n<title>Nothing here</title>\n<p>There is nothing at this address.</p>\n</html>\n',
);
writeFileSync(join(out, '_headers'), netlify(headers));
writeFileSync(join(out, '.htaccess'), apache(headers));
writeFileSync(join(out, 'nginx.conf'), nginx(headers));
console.log(`release ${id}: ${files.size} files`);
