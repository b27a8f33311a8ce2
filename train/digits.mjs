// Called by digits.sh: node digits.mjs PACKAGES FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [packages, folder] = process.argv.slice(2);
const require = createRequire(join(packages, 'package.json'));
const { PNG } = require('pngjs');

const SIDE = 28;
const HELD_OUT = 100; // the last of each digit's list: 1,000 in all
const counts = { train: 0, 'held-out': 0 };
// The page's training data: sheet.png, whose tile i is a digit of i mod 10, all to train on.
const [COLUMNS, ROWS] = [40, 50];
const sheet = new PNG({ width: COLUMNS * SIDE, height: ROWS * SIDE, colorType: 0 });

for (let digit = 0; digit < 10; digit++) {
  const { data } = require(`mnist/src/digits/${digit}.json`);
  const length = data.length / SIDE ** 2;
  for (const part in counts) mkdirSync(join(folder, part, `${digit}`), { recursive: true });
  for (let n = 0; n < length; n++) {
    const png = new PNG({ width: SIDE, height: SIDE, colorType: 2 });
    for (let i = 0; i < SIDE ** 2; i++) {
      // The package keeps three decimals, which rounding takes back to the byte they came from.
      const grey = Math.round(data[n * SIDE ** 2 + i] * 255);
      png.data.set([grey, grey, grey, 255], i * 4);
    }
    const tile = n * 10 + digit;
    if (tile < COLUMNS * ROWS) PNG.bitblt(png, sheet, 0, 0, SIDE, SIDE, (tile % COLUMNS) * SIDE, Math.floor(tile / COLUMNS) * SIDE);
    const part = n < length - HELD_OUT ? 'train' : 'held-out';
    const name = `${n}`.padStart(4, '0');
    writeFileSync(join(folder, part, `${digit}`, `${name}.png`), PNG.sync.write(png, { colorType: 2 }));
    counts[part]++;
  }
}
writeFileSync(join(folder, 'sheet.png'), PNG.sync.write(sheet, { colorType: 0, inputColorType: 6 }));
console.log(`${counts.train} digits to train on and ${counts['held-out']} held out in ${folder}`);
