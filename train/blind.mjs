// Called by blind.sh: node blind.mjs WORK LIST PHOTOS FOLDER SEED
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, parse } from 'node:path';

const [work, list, photos, folder, seed] = process.argv.slice(2);
const sharp = createRequire(join(work, 'node_modules/package.json'))('sharp');

const SIDE = 256;
const GAP = 8;
const COLUMNS = 2;

/** Whether the new model is on the left of a photograph's row. */
const newIsLeft = (photo) => createHash('sha256').update(`${seed} ${photo}`).digest()[0] % 2 === 0;

const rows = readFileSync(list, 'utf8').trim().split('\n');
const tiles = [];
const key = [];
for (const [index, row] of rows.entries()) {
  const [photo, what] = row.split('\t');
  const { name } = parse(photo);
  const [left, right] = newIsLeft(photo) ? ['new', 'old'] : ['old', 'new'];
  // The middle square, as `--square` cuts it; a small photograph's are enlarged.
  const square = (file) => sharp(file).rotate().resize(SIDE, SIDE, { fit: 'cover', kernel: 'lanczos3' }).png().toBuffer();
  const three = [join(work, left, `${name}.png`), join(photos, photo), join(work, right, `${name}.png`)];
  const x = (index % COLUMNS) * (3 * SIDE + 4 * GAP);
  const y = Math.floor(index / COLUMNS) * (SIDE + GAP);
  for (const [place, file] of three.entries()) tiles.push({ input: await square(file), left: x + place * (SIDE + GAP / 2), top: y });
  key.push(`${index + 1}\t${left} left, ${right} right\t${photo}\t${what}`);
}
mkdirSync(folder, { recursive: true });
const width = COLUMNS * (3 * SIDE + 4 * GAP) - 3 * GAP;
const height = Math.ceil(rows.length / COLUMNS) * (SIDE + GAP) - GAP;
const sheet = sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite(tiles);
await sheet.jpeg({ quality: 86, chromaSubsampling: '4:4:4' }).toFile(join(folder, 'sheet.jpg'));
writeFileSync(join(folder, 'key.txt'), `${key.join('\n')}\n`);
console.log(`${rows.length} photographs in ${join(folder, 'sheet.jpg')}; the key is beside it`);
