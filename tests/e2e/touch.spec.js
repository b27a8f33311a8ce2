// The compare slider under fingers: they pinch, move, hold and tap the pictures, and scroll the page.
import { ORIGINAL, REBUILT, drop, expect, open, reaches, smallPhoto, test, withTiny } from './app.js';
import { hand } from './hand.js';

/** @typedef {import('@playwright/test').Page} Page */
/** @typedef {import('./hand.js').Point} Point */

const VIEW = '#compare .compare-view';
const FRAME = '#compare .compare-frame';
const MARK = '#compare .compare-mark';

test.use({ hasTouch: true, isMobile: true, viewport: { width: 390, height: 700 } });

test.beforeEach(async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await withTiny(page);
  await open(page);
  await drop(page, await smallPhoto(page));
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
  await page.evaluate(() => scrollTo(0, 0));
});

/** The picture's position and the size of its pixels; both pictures are in the same place. @param {Page} page */
async function look(page) {
  const boxes = await page.evaluate(
    (selectors) => selectors.map((selector) => /** @type {Element} */ (document.querySelector(selector)).getBoundingClientRect().toJSON()),
    [ORIGINAL, REBUILT, VIEW],
  );
  expect(boxes[1]).toEqual(boxes[0]);
  return { picture: boxes[0], frame: boxes[2], scale: boxes[0].width / 64 };
}

/** The pixel under a point. @param {Page} page @param {Point} at */
async function under(page, { x, y }) {
  const { picture, scale } = await look(page);
  return { x: (x - picture.x) / scale, y: (y - picture.y) / scale };
}

/** @param {Point[]} points @param {number} x @param {number} y */
const shifted = (points, x, y) => points.map((point) => ({ x: point.x + x, y: point.y + y }));
const close = (/** @type {Point} */ { x, y }) => ({ x: expect.closeTo(x, 1), y: expect.closeTo(y, 1) });

test('a pinch zooms both pictures, carries what is under the fingers, and leaves the page alone', async ({ page }) => {
  const { send } = await hand(page);
  const { scale: fitted, frame } = await look(page);
  const start = shifted(
    [
      { x: 120, y: 150 },
      { x: 200, y: 150 },
    ],
    frame.x,
    frame.y,
  );
  const middle = { x: frame.x + 160, y: frame.y + 150 };
  const before = await under(page, middle);
  await send('touchStart', start[0]);
  await send('touchStart', ...start);
  let [left, right] = start;
  for (let i = 0; i < 10; i += 1) {
    left = { x: left.x - 4, y: left.y };
    right = { x: right.x + 4, y: right.y };
    await send('touchMove', left, right);
  }
  expect((await look(page)).scale / fitted).toBeCloseTo(2, 1);
  expect(await under(page, middle)).toEqual(close(before));
  // Both fingers move on together.
  for (let i = 0; i < 5; i += 1) await send('touchMove', ...shifted([left, right], 4 * (i + 1), -2 * (i + 1)));
  expect((await look(page)).scale / fitted).toBeCloseTo(2, 1);
  expect(await under(page, { x: middle.x + 20, y: middle.y - 10 })).toEqual(close(before));
  // The remaining finger moves the picture, although it is near the divider.
  await send('touchEnd', { x: left.x + 20, y: left.y - 10 });
  await send('touchMove', { x: right.x + 40, y: right.y - 10, id: 1 });
  expect(await under(page, { x: middle.x + 40, y: middle.y - 10 })).toEqual(close(before));
  await send('touchEnd');
  await expect(page.locator(MARK)).toBeHidden();
  await expect(page.locator('#compare input[type=range]')).toHaveValue('50');
  expect(await page.evaluate(() => [visualViewport?.scale, scrollY])).toEqual([1, 0]);

  // Together again, and further than the whole picture.
  await send('touchStart', ...shifted(start, -60, 0));
  for (let i = 1; i < 10; i += 1) await send('touchMove', ...shifted([start[0]], -60 + 4 * i, 0), ...shifted([start[1]], -60 - 4 * i, 0));
  await send('touchEnd');
  await send('touchStart', ...shifted(start, -60, 0));
  for (let i = 1; i < 10; i += 1) await send('touchMove', ...shifted([start[0]], -60 + 4 * i, 0), ...shifted([start[1]], -60 - 4 * i, 0));
  await send('touchEnd');
  const { scale, picture, frame: now } = await look(page);
  expect(scale).toBeCloseTo(fitted, 3);
  expect([picture.x, picture.y]).toEqual([expect.closeTo(now.x, 1), expect.closeTo(now.y, 1)]);
});

test('one finger scrolls the page over a fitted picture and moves the divider, and moves a zoomed one', async ({ page }) => {
  const { swipe } = await hand(page);
  const range = page.locator('#compare input[type=range]');
  const { frame } = await look(page);
  const at = (/** @type {number} */ x, /** @type {number} */ y) => [{ x: frame.x + x, y: frame.y + y }];
  const steps = (/** @type {number} */ count, /** @type {(i: number) => Point[]} */ place) =>
    Array.from({ length: count }, (_, i) => place(i));
  await swipe(...steps(12, (i) => at(60 + 10 * i, 100)));
  expect(Number(await range.inputValue())).toBeCloseTo((170 / frame.width) * 100, 0);
  expect(await page.evaluate(() => scrollY)).toBe(0);
  const part = await range.inputValue();
  await swipe(...steps(12, (i) => at(60, 200 - 10 * i)));
  await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(50);
  await expect(range).toHaveValue(part);
  // The page keeps scrolling for a while.
  const rolled = () => page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200, scrollY)));
  for (let last = -1, now = await rolled(); now !== last; now = await rolled()) last = Number(now);
  await page.evaluate(() => scrollTo(0, 0));

  await page.locator(VIEW).focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  const before = await look(page);
  await swipe(...steps(9, (i) => at(60 - 2 * i, 200 - 10 * i)));
  const after = await look(page);
  expect(after.picture.y - before.picture.y).toBeCloseTo(-80, 0);
  expect(after.picture.x - before.picture.x).toBeCloseTo(-16, 0);
  expect(await page.evaluate(() => scrollY)).toBe(0);
  // At the divider it still is the divider that moves.
  await swipe(...steps(9, (i) => at(frame.width * (Number(part) / 100) - 10 * i, 300)));
  expect(Number(await range.inputValue())).toBeCloseTo(Number(part) - (80 / frame.width) * 100, 0);
  expect((await look(page)).picture).toEqual(after.picture);
});

test('a tap selects a token, two taps are one to one, and a long touch shows the original', async ({ page }) => {
  const { send, tap } = await hand(page);
  const { scale: fitted, frame, picture } = await look(page);
  const at = { x: picture.x + 42.5 * fitted, y: picture.y + 17.5 * fitted };
  await tap(at);
  await expect(page.locator('#token-readout')).toContainText('Token 75 at row 5, column 11: code ');
  await expect(page.locator(MARK)).toBeVisible();
  await page.waitForTimeout(400);
  await tap(at);
  await expect(page.locator(MARK)).toBeHidden();
  expect((await look(page)).scale).toBeCloseTo(fitted, 3);
  await page.waitForTimeout(400);

  await tap(at, 2);
  await expect.poll(async () => (await look(page)).scale).toBeCloseTo(1, 6);
  await expect(page.locator(MARK)).toBeHidden();
  await page.waitForTimeout(400);
  await tap({ x: frame.x + 60, y: frame.y + 60 }, 2);
  await expect.poll(async () => (await look(page)).scale).toBeCloseTo(fitted, 3);

  await send('touchStart', { x: frame.x + 250, y: frame.y + 100 });
  await expect(page.locator(FRAME)).toHaveAttribute('data-held');
  await expect(page.locator('#compare .compare-handle')).toBeHidden();
  expect(await page.locator('#compare .compare-half').evaluate((e) => getComputedStyle(e).clipPath)).toBe('none');
  await send('touchEnd');
  await expect(page.locator(FRAME)).not.toHaveAttribute('data-held');
  await expect(page.locator(MARK)).toBeHidden();
});

test('a token that is tapped is framed, and a second tap deselects it', async ({ page }) => {
  const { tap } = await hand(page);
  const tokens = page.locator('#tokens .tokens-box');
  await tokens.scrollIntoViewIfNeeded();
  const box = /** @type {{x: number, y: number, width: number, height: number}} */ (await tokens.boundingBox());
  const at = { x: box.x + (box.width * 3.5) / 16, y: box.y + (box.height * 2.5) / 16 };
  await tap(at);
  await expect(page.locator('#token-readout')).toContainText(/Token 36 at row 3, column 4: code \d+, used .*, selected/);
  await tap(at);
  await expect(page.locator('#token-readout')).toContainText('Point at a token');
  await expect(page.locator('.tokens-cursor')).toBeHidden();
});

test('the pinch of a trackpad in Safari zooms', async ({ page }) => {
  const { scale: fitted, frame } = await look(page);
  // Chromium sends a wheel with Ctrl instead, so Safari's events are made by hand.
  const [x, y] = [frame.x + 50, frame.y + 80].map(Math.round);
  const prevented = await page.locator(VIEW).evaluate(
    (element, [clientX, clientY]) =>
      [
        ['gesturestart', 1],
        ['gesturechange', 1.5],
        ['gesturechange', 2],
      ].map(([type, scale]) => {
        const event = Object.assign(new MouseEvent(String(type), { bubbles: true, cancelable: true, clientX, clientY }), { scale });
        element.dispatchEvent(event);
        return event.defaultPrevented;
      }),
    [x, y],
  );
  expect(prevented).toEqual([true, true, true]);
  const { scale, picture } = await look(page);
  expect(scale / fitted).toBeCloseTo(2, 4);
  expect([picture.x - frame.x, picture.y - frame.y]).toEqual([expect.closeTo(frame.x - x, 1), expect.closeTo(frame.y - y, 1)]);
});
