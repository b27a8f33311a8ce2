// The room where pictures are edited by their tokens: a prior fills, extends and varies them, and the visitor paints and
// blends.
import {
  SHIPPED,
  chooseModel,
  complains,
  decoded,
  drop,
  dropOn,
  expect,
  modelIs,
  open,
  patchWorker,
  pixels,
  reaches,
  room,
  sample,
  saved,
  smallPhoto,
  test,
  violations,
} from './app.js';
import { checkpoint } from './checkpoint.js';
import { PICTURE, UNTRAINED, at, choose, digit, draws, settled, stroke, tokensIn, tokensNow, tool, way } from './editing.js';
import { hand } from './hand.js';
import { EDITS, PRIOR, TOKENIZER, dial, sampled, sampledTokens, slow, withPriors } from './sampling.js';

test.beforeEach(async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await withPriors(page, UNTRAINED);
});

/** The cells in which two pictures of one shape differ. @param {{indices: number[]}} a @param {{indices: number[]}} b */
const differing = (a, b) => a.indices.flatMap((code, i) => (code === b.indices[i] ? [] : [i]));

test('a part is filled, the rest keeps its tokens to the bit, and everything can be undone', async ({ page }) => {
  const file = await digit(page);
  const before = await tokensIn(page, file);
  // One token at a time, in the second row.
  await dial(page, '#fill-size', 1);
  await page.click('#edit-run');
  await expect(page.locator('#edit-at')).toHaveText('Mark the part to fill first: brush over it in the picture.');
  await stroke(page, [
    [1, 0],
    [1, 6],
  ]);
  await expect(page.locator('#fill-count')).toHaveText('7 of 49 tokens are marked.');
  await expect(page.locator('#edit-at')).toBeEmpty();
  await way(page, '#fill-ways', 'eraser');
  await stroke(page, [[1, 6]]);
  await way(page, '#fill-ways', 'rectangle');
  await stroke(page, [
    [4, 2],
    [3, 4],
  ]);
  await expect(page.locator('#fill-count')).toHaveText('12 of 49 tokens are marked.');
  const marked = [7, 8, 9, 10, 11, 12, 23, 24, 25, 30, 31, 32];
  await draws(page);
  await expect(page.locator('#fill-count')).toHaveText('Nothing is marked yet.');
  /** @type {Buffer[]} */ const files = [];
  for (let i = 0; i < 4; i += 1) {
    await choose(page, i);
    const { buffer, name } = await saved(page, '#edit-save-tokens');
    expect(name).toBe('three.edited.tokens');
    files.push(buffer);
    const now = await tokensIn(page, buffer);
    for (const cell of differing(before, now)) expect(marked).toContain(cell);
  }
  expect(new Set(files.map((one) => one.toString('base64'))).size).toBeGreaterThan(1);
  const png = await saved(page, '#edit-save-picture');
  expect(png.name).toBe('three.edited.png');
  expect((await decoded(page, png.buffer)).equals((await pixels(page, PICTURE)).rgba)).toBe(true);

  // Other seeds; then back to the picture as it was, in one step.
  await draws(page, '#edit-again');
  await expect(page.locator('#edit-seed')).toHaveValue('5');
  const last = (await saved(page, '#edit-save-tokens')).buffer;
  expect(files.some((one) => one.equals(last))).toBe(false);
  await page.click('#edit-undo');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
  await expect(page.locator('#edit-undo')).toBeDisabled();
  await expect(page.locator('#edit-proposals')).toBeHidden();
  await page.click('#edit-redo');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(last)).toBe(true);
  await page.locator('#edit-picture').press('Control+z');
  await page.locator('#edit-picture').press('Control+Shift+Z');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(last)).toBe(true);

  // It opens in Rebuild as it is, which changes nothing here.
  await page.click('#edit-open');
  await expect(page.locator('.room[data-room=rebuild]')).toBeVisible();
  await reaches(page, 'done');
  expect((await saved(page, '#save-tokens')).buffer.equals(last)).toBe(true);
  await room(page, 'edit');
  await page.click('#edit-undo');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
});

test('everything can be drawn anew, of the class that is chosen', async ({ page }) => {
  await digit(page);
  await page.click('#fill-all');
  await expect(page.locator('#fill-count')).toHaveText('49 of 49 tokens are marked.');
  await page.locator('#edit-classes label:has(input[value="7"])').click();
  await page.click('#edit-more summary');
  await page.selectOption('#edit-count', '1');
  await dial(page, '#edit-steps', 8);
  await draws(page);
  const { indices } = await tokensNow(page);
  // As the command line does it, from an empty grid.
  const seven = await tokensIn(page, sampledTokens(7, 1, EDITS));
  expect(indices).toHaveLength(seven.indices.length);
  await dial(page, '#edit-steps', 16);
  await page.click('#fill-all');
  await draws(page);
  expect((await tokensNow(page)).indices).toEqual(seven.indices);
});

test('a picture is extended, and a share of it is varied', async ({ page }) => {
  const before = await tokensIn(page, await digit(page));
  await tool(page, 'extend');
  for (const [side, count] of [
    ['top', 1],
    ['right', 2],
    ['bottom', 0],
    ['left', 3],
  ])
    await page.fill(`#extend-${side}`, String(count));
  await expect(page.locator('.board-frame')).toHaveAttribute('data-surrounded');
  await draws(page);
  await expect(page.locator('.board-frame')).not.toHaveAttribute('data-surrounded');
  const wide = await tokensNow(page);
  expect([wide.rows, wide.columns, wide.width, wide.height]).toEqual([8, 12, 48, 32]);
  before.indices.forEach((code, i) => expect(wide.indices[(1 + Math.floor(i / 7)) * 12 + 3 + (i % 7)]).toBe(code));

  await tool(page, 'vary');
  await dial(page, '#vary-share', 25);
  await draws(page);
  const varied = await tokensNow(page);
  const changed = differing(wide, varied).length;
  expect(changed).toBeGreaterThan(0);
  expect(changed).toBeLessThanOrEqual(24);
  await page.click('#edit-undo');
  await page.click('#edit-undo');
  expect((await tokensNow(page)).indices).toEqual(before.indices);

  await tool(page, 'extend');
  for (const side of ['top', 'right', 'bottom', 'left']) await page.fill(`#extend-${side}`, '0');
  await page.click('#edit-run');
  await expect(page.locator('#edit-at')).toHaveText('Say how many rows or columns to add first.');
});

test('a code is picked from the picture or the codebook, and painted', async ({ page }) => {
  const file = await digit(page);
  const before = await tokensIn(page, file);
  await tool(page, 'paint');
  const tiles = page.locator('#atlas button');
  await expect(tiles).toHaveCount(new Set(before.indices).size);
  // Each is decoded alone, the most used one first.
  await expect
    .poll(() =>
      tiles
        .first()
        .locator('canvas')
        .evaluate((c) => /** @type {HTMLCanvasElement} */ (c).width),
    )
    .toBe(4);
  const { x, y } = await at(page, 0, 0);
  await page.mouse.click(x, y);
  const [code] = before.indices;
  await expect(page.locator('#paint-code')).toHaveText(`Code ${code} is on the brush.`);
  await expect(page.locator(`#atlas button[data-code="${code}"]`)).toHaveAttribute('aria-pressed', 'true');
  await dial(page, '#paint-size', 2);
  await stroke(page, [
    [3, 2],
    [3, 4],
  ]);
  await settled(page);
  const painted = await tokensNow(page);
  const under = [23, 24, 25, 26, 30, 31, 32, 33];
  for (const cell of under) expect(painted.indices[cell]).toBe(code);
  for (const cell of differing(before, painted)) expect(under).toContain(cell);
  const png = await saved(page, '#edit-save-picture');
  expect((await decoded(page, png.buffer)).equals((await pixels(page, PICTURE)).rgba)).toBe(true);

  // A stroke that changes nothing is nothing to undo.
  await stroke(page, [[3, 3]]);
  // A code that the picture does not have; pointing at one shows where it is used.
  await page.selectOption('#atlas-which', 'all');
  await expect(page.locator('#atlas button')).toHaveCount(96);
  await page.getByRole('button', { name: 'Next page' }).click();
  await expect(page.locator('#atlas button')).toHaveCount(32);
  const unused = Number(await page.locator('#atlas button[aria-label$="not used"]').first().getAttribute('data-code'));
  await page.locator(`#atlas button[data-code="${unused}"]`).click();
  await stroke(page, [[0, 6]]);
  await settled(page);
  expect((await tokensNow(page)).indices[6]).toBe(unused);
  await page.selectOption('#atlas-which', 'used');
  await page.locator(`#atlas button[data-code="${unused}"]`).hover();
  await expect(page.locator('#edit-picture canvas').last()).toBeVisible();
  await page.mouse.move(0, 0);
  await expect(page.locator('#edit-picture canvas').last()).toBeHidden();
  for (let i = 0; i < 2; i += 1) await page.click('#edit-undo');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
});

/** A grid of 3 × 3 codes as the digits' model decodes it. @param {import('@playwright/test').Page} page @param {number[]} grid @returns {Promise<number[]>} RGBA */
const decodedGrid = (page, grid) =>
  page.evaluate(
    async ([codes, file]) => {
      const { src } = /** @type {HTMLScriptElement} */ (document.querySelector('script[type=module]'));
      const wasm = await import(new URL('pkg/tesserae.js', src).href);
      await wasm.default();
      const weights = new Uint8Array(await (await fetch(`models/${file}`)).arrayBuffer());
      const model = await wasm.Model.load(await wasm.Engine.open('cpu'), weights);
      return [...(await model.decode(model.tokens(3, 3, Uint32Array.from(codes)))).rgba()];
    },
    /** @type {const} */ ([grid, SHIPPED.find(({ name }) => name === TOKENIZER).file]),
  );

test('each code is shown with the neighbours that it most often has, and pointing at a token shows its code', async ({ page }) => {
  const { indices } = await tokensIn(page, await digit(page));
  await tool(page, 'paint');
  await way(page, '#atlas-looks', 'among');
  const tiles = page.locator('#atlas button');
  const tile = (/** @type {number} */ code) => page.locator(`#atlas button[data-code="${code}"]`);
  await expect(page.locator('#atlas button:not([data-look=among])')).toHaveCount(0);
  const widths = () => tiles.locator('canvas').evaluateAll((all) => all.map((canvas) => /** @type {HTMLCanvasElement} */ (canvas).width));
  await expect.poll(async () => new Set(await widths())).toEqual(new Set([12]));
  // What is around a code that is in the picture once, not at its edge.
  const inner = indices.flatMap((_, i) => (i % 7 > 0 && i % 7 < 6 && i > 6 && i < 42 ? [i] : []));
  const once = inner.find((i) => indices.filter((code) => code === indices[i]).length === 1) ?? -1;
  const around = [-8, -7, -6, -1, 0, 1, 6, 7, 8].map((by) => indices[once + by]);
  const shown = await pixels(page, `#atlas button[data-code="${indices[once]}"] canvas`);
  expect([...shown.rgba]).toEqual(await decodedGrid(page, around));
  await expect(tile(indices[once])).toHaveAttribute('aria-label', `Code ${indices[once]}, used once, in the middle of its neighbours`);

  // The commonest of several: 1 has 2 on its right twice, and 3 once. Beyond the edge the nearest is repeated.
  const commonest = await page.evaluate(async () => {
    const { src } = /** @type {HTMLScriptElement} */ (document.querySelector('script[type=module]'));
    const module = await import(new URL('rooms/edit/neighbours.js', src).href);
    const five = [5, 5, 5, 5];
    const grid = [five, [0, 1, 2, 5], five, [0, 1, 2, 5], five, [0, 1, 3, 5], five];
    const found = module.commonest(grid.flat(), 4);
    return [...found].map(([code, grid]) => [code, ...grid]);
  });
  expect(commonest).toContainEqual([1, 5, 5, 5, 0, 1, 2, 5, 5, 5]);
  expect(commonest).toContainEqual([3, 5, 5, 5, 1, 3, 5, 5, 5, 5]);
  expect(commonest).toContainEqual([0, 5, 5, 5, 0, 0, 1, 5, 5, 5]);

  // A code that is not in the picture is alone.
  await page.selectOption('#atlas-which', 'all');
  await page.selectOption('#atlas-order', 'colour');
  await expect(page.locator('#atlas-words')).toHaveText(/ \d+ codes are not in this picture, so alone, in a dashed frame\.$/);
  const unused = page.locator('#atlas button[data-look=alone]').first();
  await expect(unused).toHaveAttribute('aria-label', /, not used$/);
  await expect.poll(() => unused.locator('canvas').evaluate((canvas) => /** @type {HTMLCanvasElement} */ (canvas).width)).toBe(4);
  // Pointing at a token turns to the page that has its code; so does picking it.
  for (const turn of [once, 0]) {
    const { x, y } = await at(page, Math.floor(turn / 7), turn % 7);
    await page.mouse.move(x, y);
    await expect(tile(indices[turn])).toHaveAttribute('data-pointed');
    const [list, shows] = await Promise.all([page.locator('#atlas').boundingBox(), tile(indices[turn]).boundingBox()]);
    expect(shows?.y).toBeGreaterThanOrEqual(Number(list?.y));
    expect(Number(shows?.y) + Number(shows?.height)).toBeLessThanOrEqual(Number(list?.y) + Number(list?.height));
  }
  await page.getByRole('button', { name: /^(Next page|Page before)$/, disabled: false }).click();
  const { x, y } = await at(page, Math.floor(once / 7), once % 7);
  await page.mouse.click(x, y);
  await expect(tile(indices[once])).toHaveAttribute('aria-pressed', 'true');
  expect((await pixels(page, '.atlas-swatch')).rgba.equals(shown.rgba)).toBe(true);

  // The neighbours are those of the picture as it is by now.
  await stroke(page, [[Math.floor(once / 7) - 1, (once % 7) - 1]]);
  await settled(page);
  const painted = (await tokensNow(page)).indices;
  expect(painted.filter((code) => code === indices[once]).length).toBeGreaterThan(1);
  await expect(tile(indices[once])).toHaveAttribute('aria-label', /, used \d times, in the middle of its neighbours$/);
});

test('two pictures are blended, by the slider and by the brush', async ({ page }) => {
  await open(page, `device=cpu&model=${TOKENIZER}`);
  const small = await smallPhoto(page, 32);
  await drop(page, small);
  await reaches(page, 'done');
  const file = (await saved(page, '#save-tokens')).buffer;
  await room(page, 'edit');
  await tool(page, 'blend');
  await dropOn(page, '#edit', sample('coffee.png'));
  await expect(page.locator('#blend-share')).toHaveValue('50');
  await expect(page.locator('#edit-undo')).toBeEnabled();
  const half = await tokensNow(page);
  // Nothing of it is the first picture, to the bit; all of it is the second one.
  await page.locator('#blend-share').fill('0');
  await expect(page.locator('#edit-undo')).toBeDisabled();
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
  await page.locator('#blend-share').fill('100');
  await expect(page.locator('#edit-undo')).toBeEnabled();
  const second = await tokensNow(page);
  const first = await tokensIn(page, file);
  expect([half.rows, half.columns]).toEqual([8, 8]);
  expect(differing(first, second).length).toBeGreaterThan(8);
  expect(differing(second, half).length).toBeGreaterThan(0);
  expect((await pixels(page, '#blend-second')).rgba.equals((await pixels(page, PICTURE)).rgba)).toBe(true);
  await page.click('#edit-undo');

  await way(page, '#blend-ways', 'brush');
  await dial(page, '#blend-size', 3);
  await stroke(page, [
    [2, 2],
    [2, 5],
  ]);
  await settled(page);
  const brushed = await tokensNow(page);
  brushed.indices.forEach((code, i) => {
    const [row, column] = [Math.floor(i / 8), i % 8];
    const under = row >= 1 && row <= 3 && column >= 1 && column <= 6;
    expect(code).toBe((under ? second : first).indices[i]);
  });

  // What is no picture leaves both as they are.
  await page.setInputFiles('#blend-file', { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await complains(page, 'image_unsupported', /./);
  await expect(page.locator('#blend-second')).toBeVisible();
  expect((await tokensNow(page)).indices).toEqual(brushed.indices);
  await page.click('#blend-samples button[data-sample=rocket]');
  await expect(page.locator('#blend-samples button[data-sample=rocket]')).toHaveAttribute('aria-pressed', 'true');
});

test('a photo is filled and extended by priors without classes that see a window at a time', async ({ page }) => {
  await open(page, `device=cpu&model=${SHIPPED[0].name}`);
  await room(page, 'edit');
  await page.click('#edit-samples button[data-sample=chelsea]');
  await expect(page.locator('#edit-picture')).toBeVisible();
  await expect(page.locator('#edit-classes')).toBeHidden();
  const before = await tokensNow(page);
  await page.click('#edit-more summary');
  await page.selectOption('#edit-count', '1');
  await dial(page, '#edit-steps', 4);
  await way(page, '#fill-ways', 'rectangle');
  await stroke(
    page,
    [
      [10, 10],
      [15, 20],
    ],
    8,
  );
  await expect(page.locator('#fill-count')).toHaveText(`66 of ${before.indices.length} tokens are marked.`);
  await draws(page);
  const filled = await tokensNow(page);
  expect([filled.width, filled.height]).toEqual([before.width, before.height]);
  for (const cell of differing(before, filled)) {
    const [row, column] = [Math.floor(cell / before.columns), cell % before.columns];
    expect(row >= 10 && row <= 15 && column >= 10 && column <= 20).toBe(true);
  }
  // Of two priors another one can be chosen.
  await tool(page, 'extend');
  await page.selectOption('#edit-prior', UNTRAINED.entry.name);
  await page.fill('#extend-right', '3');
  await draws(page);
  const wide = await tokensNow(page);
  expect(wide.columns).toBe(before.columns + 3);
  filled.indices.forEach((code, i) =>
    expect(wide.indices[Math.floor(i / before.columns) * wide.columns + (i % before.columns)]).toBe(code),
  );
});

test('what is missing is said, with a way on', async ({ page }) => {
  await open(page);
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await room(page, 'edit');
  await expect(page.locator('#edit-missing')).toHaveText(
    /^Nothing here can draw tokens of tiny anew, for no prior of its codebook is here\. If you have one, add it in Sample\./,
  );
  await expect(page.locator('#edit-form')).toBeHidden();
  // Paint and Blend need no prior.
  await tool(page, 'paint');
  await expect(page.locator('#edit-missing')).toBeHidden();
  const { x, y } = await at(page, 0, 0);
  await page.mouse.click(x, y);
  await stroke(page, [
    [8, 8],
    [8, 12],
  ]);
  await settled(page);
  const edited = (await saved(page, '#edit-save-tokens')).buffer;

  // Another model makes other tokens of the photo; the edited ones are one step back.
  await tool(page, 'vary');
  await page.click(`.edit-missing button[data-model=${TOKENIZER}]`);
  await modelIs(page, TOKENIZER);
  await expect(page.locator('#edit-form')).toBeVisible();
  await reaches(page, 'done');
  await page.click('#edit-undo');
  await expect(page.locator('#edit-missing')).toHaveText(`This picture consists of tokens of tiny, which ${TOKENIZER} cannot read.`);
  await expect(page.locator('#edit-save-tokens')).toBeDisabled();
  await page.click('.edit-missing button[data-model=tiny]');
  await modelIs(page, 'tiny');
  await reaches(page, 'done');
  await settled(page);
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(edited)).toBe(true);

  for (const [golden, words] of /** @type {[string, RegExp][]} */ ([
    ['kl_ldm', /has no codebook, so its pictures have no tokens to edit\.$/],
    ['vqvae2', /has two grids of tokens; only pictures with one can be edited\.$/],
  ])) {
    const { weights, config } = checkpoint(golden);
    await drop(page, weights, ...(config ? [config] : []));
    await modelIs(page, weights.name);
    await reaches(page, 'done');
    await room(page, 'edit');
    await expect(page.locator('#edit-missing')).toHaveText(words);
    await expect(page.locator('#edit-form')).toBeHidden();
  }
  await page.click('.edit-missing button');
  await modelIs(page, 'tiny');
});

test('the picture that one goes back to stays, when its model is loaded for it', async ({ page }) => {
  await open(page, `device=cpu&model=${TOKENIZER}`);
  await drop(page, await smallPhoto(page, 32));
  await reaches(page, 'done');
  await room(page, 'edit');
  await tool(page, 'vary');
  await draws(page);
  const varied = (await saved(page, '#edit-save-tokens')).buffer;
  await chooseModel(page, 'tiny');
  await modelIs(page, 'tiny');
  await reaches(page, 'done');
  await page.click('#edit-undo');
  await page.click(`.edit-missing button[data-model=${TOKENIZER}]`);
  await modelIs(page, TOKENIZER);
  await reaches(page, 'done');
  await expect(page.locator('#edit-missing')).toBeHidden();
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(varied)).toBe(true);
});

test('what is dropped here or opened from Sample is edited, and the picture before is one step back', async ({ page }) => {
  const file = await digit(page);
  await dropOn(page, '#edit', await smallPhoto(page, 32));
  await expect(page.locator('#edit-undo')).toBeEnabled();
  expect((await tokensNow(page)).indices).toHaveLength(64);
  await page.click('#edit-undo');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
  const other = sampledTokens(5, 2);
  await dropOn(page, '#edit', { name: 'five.tokens', buffer: other });
  await expect(page.locator('#edit-redo')).toBeDisabled();
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(other)).toBe(true);
  await page.keyboard.press('Control+z');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);

  await room(page, 'sample');
  await sampled(page, 1);
  await page.click('#sampling-open');
  await reaches(page, 'done');
  const opened = (await saved(page, '#save-tokens')).buffer;
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(opened)).toBe(true);
  await page.click('#edit-undo');
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
  // What is no picture changes nothing.
  await dropOn(page, '#edit', { name: 'notes.png', buffer: Buffer.from('no picture') });
  await complains(page, 'image_unsupported', /./);
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
});

test('drawing can be stopped, and fails without harm', async ({ page }) => {
  await patchWorker(page, slow(300));
  const file = await digit(page);
  await page.click('#fill-all');
  await page.click('#edit-run');
  await expect(page.locator('#edit-at')).toHaveText(/^Step \d+ of 16$/);
  await page.click('#edit-stop');
  await expect(page.locator('#edit-at')).toHaveText('Stopped.');
  await expect(page.locator('#fill-count')).toHaveText('49 of 49 tokens are marked.');
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
  // Another tool stops it too, and the link shows the work meanwhile.
  await page.click('#edit-run');
  await expect(page.locator('#edit-at')).toHaveText(/^Step \d+ of 16$/);
  await room(page, 'rebuild');
  await expect(page.locator('#rooms a[data-room=edit] .room-work')).toHaveText(/^in progress \d+ %$/);
  await room(page, 'edit');
  await tool(page, 'paint');
  await expect(page.locator('#rooms a[data-room=edit] .room-work')).toBeHidden();
  await expect(page.locator('#edit-proposals')).toBeHidden();
  expect((await saved(page, '#edit-save-tokens')).buffer.equals(file)).toBe(true);
  await expect(page.locator('#edit-undo')).toBeDisabled();
  await expect(page.locator('#atlas button canvas').first()).toBeVisible();
});

test('a prior that cannot be downloaded leaves picture and marks, and another try works', async ({ page }) => {
  await page.route(`**/models/${PRIOR.file}`, (route) => route.fulfill({ status: 404, body: 'gone' }));
  await digit(page);
  await page.click('#fill-all');
  await page.click('#edit-run');
  await complains(page, 'download_failed', /404/);
  await expect(page.locator('#fill-count')).toHaveText('49 of 49 tokens are marked.');
  await expect(page.locator('#progress')).toBeHidden();
  await page.unroute(`**/models/${PRIOR.file}`);
  await page.click('#alert button:has-text("Try again")');
  await expect(page.locator('#edit-at')).toHaveText(/^4 proposals/);
  await expect(page.locator('#alert')).not.toHaveAttribute('data-code', /./);
});

test('the keyboard is enough', async ({ page }) => {
  const before = await tokensIn(page, await digit(page));
  const tabTo = async (/** @type {string} */ css) => {
    const target = page.locator(css);
    for (let i = 0; i < 60 && !(await target.evaluate((e) => e === document.activeElement)); i += 1) await page.keyboard.press('Tab');
    await expect(target).toBeFocused();
  };
  await dial(page, '#fill-size', 1);
  await page.locator('#skip').focus();
  await tabTo('#edit-picture');
  // It begins in the middle.
  await expect(page.locator('#edit-readout')).toContainText('Row 4, column 4: code ');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowUp');
  await expect(page.locator('#edit-readout')).toContainText('Row 3, column 1: code ');
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(page.locator('#fill-count')).toHaveText('2 of 49 tokens are marked.');
  await tabTo('#fill-ways input:checked');
  await page.keyboard.press('ArrowRight');
  await page.locator('#edit-picture').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.locator('#fill-count')).toHaveText('4 of 49 tokens are marked.');
  await tabTo('#edit-run');
  await page.keyboard.press('Enter');
  await expect(page.locator('#edit-at')).toHaveText(/^4 proposals/);
  await tabTo('#edit-proposals input:checked');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('#edit-proposals input').nth(1)).toBeChecked();
  for (const cell of differing(before, await tokensNow(page))) expect([14, 15, 22, 29]).toContain(cell);

  await page.locator('#edit-tools input:checked').focus();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowRight');
  await expect(page.locator('#edit')).toHaveAttribute('data-tool', 'paint');
  await tabTo('#atlas button:first-child');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  const code = Number(await page.locator('#atlas button').nth(1).getAttribute('data-code'));
  await expect(page.locator('#paint-code')).toHaveText(`Code ${code} is on the brush.`);
  const filled = await tokensNow(page);
  await page.locator('#edit-picture').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Space');
  await settled(page);
  const painted = await tokensNow(page);
  const cells = differing(filled, painted);
  expect(cells.length).toBeGreaterThan(0);
  for (const cell of cells) expect([cell % 7, painted.indices[cell]]).toEqual([6, code]);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`320 pixels are wide enough for every tool, and axe finds nothing, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const fits = async () => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      expect(await violations(page)).toEqual([]);
      // Fingers need room.
      for (const target of await page.locator('#edit :is(button:not(.atlas-tile), select, input[type=range], .kind):visible').all())
        expect((await target.boundingBox())?.height).toBeGreaterThanOrEqual(40);
    };
    await digit(page);
    await page.click('#edit-more summary');
    await page.click('#fill-all');
    await draws(page);
    await fits();
    for (const name of /** @type {const} */ (['extend', 'vary', 'paint', 'blend'])) {
      await tool(page, name);
      if (name === 'paint') await way(page, '#atlas-looks', 'among');
      if (name === 'blend') {
        await page.click('#blend-samples button[data-sample=coffee]');
        await expect(page.locator('#blend-share')).toHaveValue('50');
      }
      await fits();
    }
    await way(page, '#blend-ways', 'brush');
    await fits();
    await chooseModel(page, 'tiny');
    await modelIs(page, 'tiny');
    await fits();
  });
}

test.describe('with fingers', () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 700 } });

  test('a finger paints instead of scrolling the page, and scrolls it where nothing is painted', async ({ page }) => {
    await digit(page);
    const { swipe } = await hand(page);
    const way = async () => {
      const [from, to] = [await at(page, 6, 3), await at(page, 1, 3)];
      return Array.from({ length: 9 }, (_, i) => [{ x: from.x, y: from.y + ((to.y - from.y) * i) / 8 }]);
    };
    await dial(page, '#fill-size', 1);
    await page.evaluate(() => scrollTo(0, 40));
    await swipe(...(await way()));
    await expect(page.locator('#fill-count')).toHaveText('6 of 49 tokens are marked.');
    const there = await page.evaluate(() => scrollY);
    await tool(page, 'vary');
    await page.evaluate((y) => scrollTo(0, y), there);
    await swipe(...(await way()));
    await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(there + 20);
  });
});
