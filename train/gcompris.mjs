// Called by photos.sh and held-out.sh: node gcompris.mjs RCC FOLDER train|judge
// Takes the pictures out of gcompris-qt-data's resource files. No picture is on both sides.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [rcc, folder, side] = process.argv.slice(2);
// Every landmark is in one picture only: the even ones train, the odd ones judge.
const SHARED = ['erase', 'explore_farm_animals', 'explore_monuments', 'explore_world_animals', 'explore_world_music'];
// All for training; photos.txt names those that are photographs.
const TRAINING = ['categorization', 'clickgame', 'details', 'leftright'];
const HEADER = 8; // 'RIFF' and the length of the rest

// Qt's resource files hold their pictures as they are, one after the other.
function* pictures(bytes) {
  let at = 0;
  while ((at = bytes.indexOf('RIFF', at)) >= 0) {
    if (bytes.toString('latin1', at + HEADER, at + HEADER + 4) !== 'WEBP') {
      at += HEADER;
      continue;
    }
    const end = at + HEADER + bytes.readUInt32LE(at + 4);
    yield bytes.subarray(at, end);
    at = end;
  }
}

const trains = (bundle, n) => !SHARED.includes(bundle) || n % 2 === 0;

mkdirSync(folder, { recursive: true });
for (const bundle of [...SHARED, ...TRAINING]) {
  let n = 0;
  for (const picture of pictures(readFileSync(join(rcc, `${bundle}.rcc`)))) {
    if (trains(bundle, n) === (side === 'train')) {
      writeFileSync(join(folder, `${bundle}-${`${n}`.padStart(2, '0')}.webp`), picture);
    }
    n++;
  }
}
