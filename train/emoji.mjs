// Called by emoji.sh: node emoji.mjs PACKAGES FOLDER
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, folder] = process.argv.slice(2);
const installed = (path) => join(packages, 'node_modules', path);
const require = createRequire(installed('package.json'));
const sharp = require('sharp');
const hb = await import(pathToFileURL(installed('harfbuzzjs/dist/index.mjs')));

const SIDE = 64;
const WHITE = '#ffffff';

// U+FE0F only asks for colour, and vendors disagree on whether it belongs to a name.
const plain = (emoji) => emoji.replaceAll('\uFE0F', '');
const codePoints = (emoji) => Array.from(plain(emoji), (c) => c.codePointAt(0).toString(16)).join('-');

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

// Drawings that differ in gender or direction alone are nearly one, so they fall on one side.
function heldOut(emoji) {
  const kin = plain(emoji)
    .replace(/[👨👩]/gu, '🧑')
    .replace(/\u200D[♀♂➡]/gu, '');
  return BigInt(`0x${sha256(codePoints(kin))}`) % 10n === 0n;
}

// `units` is the side of the vendor's square: at this density it comes out as SIDE pixels.
function drawings(directory, units) {
  const name = (file) => file.toLowerCase().replace(/^0+|-fe0f|\.svg$/g, '');
  const files = new Map(readdirSync(directory).map((file) => [name(file), join(directory, file)]));
  return (emoji) => {
    const file = files.get(codePoints(emoji));
    return file && sharp(file, { density: (72 * SIDE) / units });
  };
}

// The font holds a PNG of 136×128 pixels for each emoji; shaping finds the one of a sequence.
function bitmaps(file) {
  const font = new hb.Font(new hb.Face(new hb.Blob(readFileSync(file))));
  const glyph = (emoji) => {
    const buffer = new hb.Buffer();
    buffer.addText(plain(emoji));
    buffer.guessSegmentProperties();
    hb.shape(font, buffer);
    // A sequence that the font does not know comes out as several glyphs, its parts.
    const glyphs = buffer.getGlyphInfos();
    return glyphs.length === 1 ? glyphs[0].codepoint : 0;
  };
  const unknownFlag = glyph('🇽🇽'); // no country's: a question mark on white
  return (emoji) => {
    const found = glyph(emoji);
    const png = found !== unknownFlag && font.getGlyphColorPng(found);
    return png && sharp(png);
  };
}

const vendors = {
  openmoji: drawings(installed('openmoji/color/svg'), 72),
  twemoji: drawings(installed('@twemoji/svg'), 36),
  noto: bitmaps(join(packages, 'debian/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf')),
};
const list = Object.entries(require('unicode-emoji-json/data-by-emoji.json')); // has no skin tones

for (const [vendor, find] of Object.entries(vendors)) {
  const counts = { train: 0, 'held-out': 0, absent: 0, repeated: 0 };
  const seen = new Set();
  for (const [emoji, { group }] of list) {
    const picture = find(emoji);
    if (!picture) {
      counts.absent++;
      continue;
    }
    const png = await picture
      .resize(SIDE, SIDE, { fit: 'contain', background: WHITE, kernel: 'lanczos3' })
      .flatten({ background: WHITE })
      .png()
      .toBuffer();
    // Some flags and people are the same drawing, which must not be on both sides.
    const hash = sha256(png);
    if (seen.has(hash)) {
      counts.repeated++;
      continue;
    }
    seen.add(hash);
    const part = heldOut(emoji) ? 'held-out' : 'train';
    const place = join(folder, part, vendor, group.toLowerCase().replace(/[^a-z]+/g, '-'));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `${codePoints(emoji)}.png`), png);
    counts[part]++;
  }
  console.log(
    `${vendor}: ${counts.train} emoji to train on, ${counts['held-out']} held out; ` +
      `${counts.absent} absent, ${counts.repeated} repeated`,
  );
}
