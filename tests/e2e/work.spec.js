// The queue: cancelling, many pictures at once; and the store: cached weights, damaged ones, bad downloads.
import {
  ORIGINAL,
  REBUILT,
  SHIPPED,
  complains,
  drop,
  engines,
  expect,
  file,
  open,
  pixels,
  reaches,
  rebuildSample,
  sample,
  test,
  withTiny,
} from './app.js';

test('cancel ends the work, and the next picture is rebuilt', async ({ page }) => {
  // Large enough to leave time for it on any machine.
  await open(page, 'device=cpu&size=0');
  await drop(page, { name: 'large.jpg', buffer: sample('rocket.jpg').buffer });
  await reaches(page, 'working');
  await expect(page.locator('#progress')).toHaveAttribute('data-busy', 'true');
  await page.click('#cancel');
  await reaches(page, 'ready');
  await expect(page.locator('#progress')).toHaveAttribute('data-busy', 'false');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  await rebuildSample(page, 'coffee');
});

test('twenty pictures in a row: the last one wins', async ({ page }) => {
  await withTiny(page);
  await open(page);
  const names = ['astronaut.png', 'chelsea.png', 'coffee.png'];
  for (let i = 0; i < 19; i += 1) await drop(page, { ...sample(names[i % 3]), name: `${i}.png` });
  await drop(page, { ...sample('rocket.jpg'), name: 'last.jpg' });
  await reaches(page, 'done');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  const { width, height } = await pixels(page, ORIGINAL);
  expect([width, height]).toEqual([256, 171]);
  expect((await pixels(page, REBUILT)).height).toBe(171);
  const settled = await pixels(page, REBUILT);
  // None of the nineteen arrives late.
  await page.waitForTimeout(1500);
  await reaches(page, 'done');
  expect((await pixels(page, REBUILT)).rgba.equals(settled.rgba)).toBe(true);
  expect((await engines(page)).length).toBe(1);
  expect(page.workers().length).toBeLessThanOrEqual(2);
});

test('weights are downloaded once; a damaged copy is noticed and downloaded again', async ({ page }) => {
  let fetches = 0;
  page.on('request', (request) => (fetches += Number(request.url().endsWith('.safetensors'))));
  await open(page);
  expect(fetches).toBe(1);
  await page.reload();
  await reaches(page, 'ready');
  expect(fetches).toBe(1);

  const hurt = await page.evaluate(async () => {
    const cache = await caches.open('tesserae-weights-1');
    const [key] = await cache.keys();
    const bytes = new Uint8Array(await /** @type {Response} */ (await cache.match(key)).arrayBuffer());
    bytes[bytes.length >> 1] ^= 1;
    await cache.put(key, new Response(bytes));
    return bytes.length;
  });
  expect(hurt).toBe(SHIPPED[0].bytes);
  await page.reload();
  await reaches(page, 'ready');
  expect(fetches).toBe(2);
  await expect(page.locator('#model-facts')).toContainText('downloaded again');
  await page.reload();
  await reaches(page, 'ready');
  expect(fetches).toBe(2);
});

/** @type {[string, (body: Buffer) => object, string, RegExp][]} */
const DOWNLOADS = [
  ['is cut short', (body) => ({ body: body.subarray(0, 1000) }), 'download_length', /bytes/],
  [
    'has another checksum',
    (body) => ({ body: Buffer.concat([body.subarray(0, -1), Buffer.from([body[body.length - 1] ^ 1])]) }),
    'download_hash',
    /checksum/,
  ],
  ['is missing', () => ({ status: 404, body: 'gone' }), 'download_failed', /404/],
];

for (const [what, answer, code, sentence] of DOWNLOADS) {
  test(`a download that ${what} is refused, and can be tried again`, async ({ page }) => {
    const body = file(`www/models/${SHIPPED[0].file}`);
    await page.route('**/*.safetensors', (route) => route.fulfill(answer(body)));
    await page.goto('/#device=cpu');
    await complains(page, code, sentence);
    await reaches(page, 'error');
    await page.unroute('**/*.safetensors');
    await page.click('#alert button:has-text("Try again")');
    await reaches(page, 'ready');
    await rebuildSample(page, 'coffee');
  });
}
