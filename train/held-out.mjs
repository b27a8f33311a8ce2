// Called by held-out.sh: node held-out.mjs RCC FOLDER
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [rcc, folder] = process.argv.slice(2);
const BUNDLES = ['erase', 'explore_farm_animals', 'explore_monuments', 'explore_world_animals', 'explore_world_music'];
const HEADER = 8; // 'RIFF' and the length of the rest

mkdirSync(folder, { recursive: true });
let count = 0;
for (const bundle of BUNDLES) {
  // Qt's resource files hold their pictures as they are, one after the other.
  const bytes = readFileSync(join(rcc, `${bundle}.rcc`));
  let at = 0;
  for (let n = 0; (at = bytes.indexOf('RIFF', at)) >= 0;) {
    if (bytes.toString('latin1', at + HEADER, at + HEADER + 4) !== 'WEBP') {
      at += HEADER;
      continue;
    }
    const end = at + HEADER + bytes.readUInt32LE(at + 4);
    writeFileSync(join(folder, `${bundle}-${`${n++}`.padStart(2, '0')}.webp`), bytes.subarray(at, end));
    at = end;
    count++;
  }
}
console.log(`${count} photographs in ${folder}`);
