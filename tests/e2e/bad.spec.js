// Invalid files: each gets its error message, and the next good picture still works. One page goes
// through all of them in turn.
import {
  SHIPPED,
  chooseModel,
  complains,
  crc32,
  drop,
  expect,
  file,
  open,
  reaches,
  rebuildSample,
  sample,
  saved,
  test as base,
  watch,
  withTiny,
} from './app.js';

/** @type {import('@playwright/test').Page} */ let page;
/** @type {string[]} */ let wrong;
/** @type {{name: string, buffer: Buffer}} */ let foreign;
/** @type {{name: string, buffer: Buffer}} */ let own;

base.describe.configure({ mode: 'default' });

base.beforeAll(async ({ browser, baseURL }) => {
  const context = await browser.newContext({ baseURL, serviceWorkers: 'block' });
  page = await context.newPage();
  wrong = watch(page, new URL(String(baseURL)).origin);
  await withTiny(page);
  await open(page, `device=cpu&model=${SHIPPED[0].name}`);
  await rebuildSample(page, 'chelsea');
  foreign = await saved(page, '#save-tokens');
  await chooseModel(page, 'tiny');
  await expect(page.locator('#model-facts')).not.toContainText('2,048 codes');
  await reaches(page, 'done');
  own = await saved(page, '#save-tokens');
});

base.afterAll(async () => {
  expect(wrong).toEqual([]);
  await page?.context().close();
});

/** A PNG signature and a header chunk that promises 65535 × 65535 pixels. */
function hugePng() {
  const png = Buffer.from(file('www/samples/coffee.png').subarray(0, 4096));
  png.writeUInt32BE(65535, 16);
  png.writeUInt32BE(65535, 20);
  png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
  return png;
}

const picture = (/** @type {string} */ name) => file(`tests/pictures/cases/${name}`);
const jpeg = () => sample('rocket.jpg').buffer;
const flipped = (/** @type {Buffer} */ bytes) => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] ^= 0x10;
  return copy;
};

/** @type {[string, () => {name: string, buffer: Buffer}, string, RegExp][]} */
const CASES = [
  ['a file without a byte', () => ({ name: 'empty.png', buffer: Buffer.alloc(0) }), 'image_empty', /empty/],
  ['a truncated JPEG', () => ({ name: 'half.jpg', buffer: jpeg().subarray(0, jpeg().length >> 1) }), 'image_corrupt', /damaged/],
  [
    'a WebP with a frame that is smaller than it says',
    () => ({ name: 'panic.webp', buffer: picture('panic.webp') }),
    'image_corrupt',
    /two different sizes/,
  ],
  ['a 12-bit JPEG', () => ({ name: 'deep.jpg', buffer: picture('jpeg-12bit.jpg') }), 'image_unsupported', /12-bit JPEG/],
  ['a PNG that claims 65535 × 65535 pixels', () => ({ name: 'huge.png', buffer: hugePng() }), 'image_too_large', /65535×65535/],
  [
    'an SVG',
    () => ({
      name: 'drawing.svg',
      buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'),
    }),
    'image_unsupported',
    /not a PNG, JPEG or WebP/,
  ],
  [
    'text that is named .png',
    () => ({ name: 'notes.png', buffer: Buffer.from('Dear diary, today I was a picture.') }),
    'image_unsupported',
    /not a PNG, JPEG or WebP/,
  ],
  ['tokens of another model', () => foreign, 'tokens_other_codebook', /another model/],
  [
    'tokens of a model before its codebook was replaced',
    () => ({ name: 'earlier.tokens', buffer: file('tests/e2e/fixtures/earlier.tokens') }),
    'tokens_retired',
    /an earlier version of photos-f8/,
  ],
  ['a damaged token file', () => ({ name: 'hurt.tokens', buffer: flipped(own.buffer) }), 'tokens_corrupt', /damaged/],
  [
    'a truncated token file',
    () => ({ name: 'short.tokens', buffer: own.buffer.subarray(0, own.buffer.length - 9) }),
    'tokens_corrupt',
    /damaged/,
  ],
  ['an empty token file', () => ({ name: 'empty.tokens', buffer: Buffer.alloc(0) }), 'tokens_corrupt', /damaged/],
  [
    'text that is named .safetensors',
    () => ({ name: 'notes.safetensors', buffer: Buffer.from('Not one tensor, however safe.') }),
    'weights_corrupt',
    /a text file, not a weight file/,
  ],
  [
    'a name that looks like markup',
    () => ({ name: '<img src=x onerror=alert(1)>.safetensors', buffer: Buffer.alloc(16, 255) }),
    'weights_corrupt',
    /weight file is damaged/,
  ],
];

for (const [what, make, code, sentence] of CASES) {
  base(what, async () => {
    await drop(page, make());
    await complains(page, code, sentence);
    await reaches(page, 'error');
    expect(await page.locator('#alert img').count()).toBe(0);
    await rebuildSample(page, 'coffee');
    await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
    await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  });
}

base('every code of an error has its way on', () => {
  const found = (/** @type {string} */ path, /** @type {RegExp} */ one) => [...file(path).toString().matchAll(one)].map(([, code]) => code);
  const codes = [...found('src/error.rs', /=> "(\w+)",/g), ...found('www/engine/protocol.js', /^ +[A-Z_]+: '(\w+_\w+)',$/gm)];
  const alert = file('www/ui/alert.js').toString();
  expect(codes).toEqual(expect.arrayContaining(['weights_corrupt', 'worker_failed']));
  // Whoever cancels needs no message.
  const known = codes.filter((code) => code !== 'cancelled');
  expect(known.filter((code) => !new RegExp(`^  ${code}:\\s+'`, 'm').test(alert))).toEqual([]);
});

base('its own tokens are still good', async () => {
  await drop(page, own);
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'rebuilt');
  await reaches(page, 'done');
});
