// The picture area: both pictures are zoomed and moved in step, and the original shows while the picture is held.
import { ORIGINAL, REBUILT, drop, expect, open, reaches, test, withTiny } from './app.js';
import { MARK, VIEW, at, box, colours, ctrlWheel, look, mosaic, scale, seen, settled, shot, under } from './look.js';

test.beforeEach(async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await withTiny(page);
});

test('at every zoom both pictures are in the same place, and the pixels drawn are theirs', async ({ page }) => {
  await look(page, 64, 48);
  const original = await colours(page, ORIGINAL);
  const rebuilt = await colours(page, REBUILT);
  const range = page.locator('#compare input[type=range]');
  let count = 0;
  for (const [notches, x, y] of [
    [0, 0.5, 0.5],
    [-1, 0.3, 0.2],
    [-2, 0.8, 0.9],
    [-2, 0.1, 0.6],
    [3, 0.5, 0.5],
  ]) {
    const point = await at(page, x, y);
    const before = await under(page, point);
    await ctrlWheel(page, point, notches);
    const now = await scale(page);
    const after = await under(page, point);
    expect(Math.hypot(after.x - before.x, after.y - before.y)).toBeLessThan(0.01);
    // Smaller ones are drawn smooth.
    if (notches === 0) continue;
    for (const part of [20, 50, 80]) {
      await range.fill(String(part));
      const { clip, colour } = await seen(page);
      const [frame, picture] = [await box(page, VIEW), await box(page, ORIGINAL)];
      const divider = frame.x + (frame.width * part) / 100;
      for (let px = clip.x; px < clip.x + clip.width; px += 37) {
        for (let py = clip.y; py < clip.y + clip.height; py += 29) {
          const [u, v] = [(px + 0.5 - picture.x) / now, (py + 0.5 - picture.y) / now];
          // Where a screen pixel is inside one pixel of the picture, and on one side of the divider.
          const inside = [u, v].every((c) => c % 1 > 1 / now && c % 1 < 1 - 1 / now);
          if (!inside || Math.abs(px - divider) < 2) continue;
          expect(colour(px, py)).toEqual((px < divider ? original : rebuilt)(Math.floor(u), Math.floor(v)));
          count += 1;
        }
      }
    }
  }
  expect(count).toBeGreaterThan(500);
});

test('with one picture in both places the divider cannot be seen', async ({ page }) => {
  await look(page, 61, 45);
  await page.evaluate((rebuilt) => {
    const slider = /** @type {any} */ (document.querySelector('#compare'));
    const canvas = /** @type {HTMLCanvasElement} */ (document.querySelector(rebuilt));
    const { width, height } = canvas;
    const { data } = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')).getImageData(0, 0, width, height);
    const pixels = { width, height, rgba: data };
    slider.showOriginal(pixels, true);
    slider.showRebuilt(pixels);
  }, REBUILT);
  const range = page.locator('#compare input[type=range]');
  for (const notches of [0, -1, -1, -2, 2]) {
    await ctrlWheel(page, await at(page, 0.37, 0.61), notches);
    await range.fill('0');
    const { png } = await shot(page);
    for (const part of ['33', '71.5', '100']) {
      await range.fill(part);
      expect((await shot(page)).png.equals(png)).toBe(true);
    }
  }
});

test('zoom has limits, and the picture cannot be lost', async ({ page }) => {
  await look(page, 64, 48);
  const fitted = await scale(page);
  const frame = await box(page, VIEW);
  await ctrlWheel(page, await at(page, 0.5, 0.5), -30);
  expect(await scale(page)).toBeCloseTo(Math.max(32, 8 * fitted), 3);
  await expect(page.locator('#compare .compare-frame')).toHaveAttribute('data-crisp');
  const { x, y } = await at(page, 0.9, 0.9);
  for (const [toX, toY] of [
    [4000, 3000],
    [-4000, -3000],
  ]) {
    for (let i = 0; i < 6; i += 1) {
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x + toX, y + toY, { steps: 2 });
      await page.mouse.up();
    }
    const picture = await box(page, REBUILT);
    expect(picture.x).toBeLessThanOrEqual(frame.x + 0.01);
    expect(picture.y).toBeLessThanOrEqual(frame.y + 0.01);
    expect(picture.x + picture.width).toBeGreaterThanOrEqual(frame.x + frame.width - 0.01);
    expect(picture.y + picture.height).toBeGreaterThanOrEqual(frame.y + frame.height - 0.01);
    // At the very edge that it was pulled to.
    if (toX > 0) expect([picture.x, picture.y]).toEqual([expect.closeTo(frame.x, 2), expect.closeTo(frame.y, 2)]);
    else expect(picture.x + picture.width).toBeCloseTo(frame.x + frame.width, 2);
  }
  await ctrlWheel(page, await at(page, 0.5, 0.5), 40);
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  await expect(page.locator('#compare .compare-frame')).not.toHaveAttribute('data-crisp');
  const picture = await box(page, REBUILT);
  expect([picture.x, picture.y, picture.width]).toEqual([frame.x, frame.y, frame.width].map((v) => expect.closeTo(v, 1)));
});

test('keys and buttons zoom, fit and move', async ({ page }) => {
  await look(page, 64, 48);
  const fitted = await scale(page);
  const press = async (/** @type {string} */ key) => {
    await page.keyboard.press(key);
    return scale(page);
  };
  const pressed = (/** @type {string} */ name) => page.locator(`#compare button:text-is("${name}")`).getAttribute('aria-pressed');
  const before = await page.evaluate(() => scrollY);
  await page.locator(VIEW).focus();
  const frame = await box(page, VIEW);
  const middle = await at(page, 0.5, 0.5);
  const centre = await under(page, middle);
  expect(await press('+')).toBeCloseTo(fitted * Math.SQRT2, 3);
  expect(await press('=')).toBeCloseTo(fitted * 2, 3);
  expect(await under(page, middle)).toEqual({ x: expect.closeTo(centre.x, 1), y: expect.closeTo(centre.y, 1) });
  // An arrow key moves the view, not the page, to the side that it names.
  for (const [key, dx, dy] of /** @type {[string, number, number][]} */ ([
    ['ArrowRight', -1, 0],
    ['ArrowDown', 0, -1],
    ['ArrowLeft', 1, 0],
    ['ArrowUp', 0, 1],
  ])) {
    const from = await box(page, REBUILT);
    await press(key);
    const to = await box(page, REBUILT);
    expect([to.x - from.x, to.y - from.y]).toEqual([expect.closeTo(dx * 0.1 * frame.width, 2), expect.closeTo(dy * 0.1 * frame.height, 2)]);
  }
  expect(await press('-')).toBeCloseTo(fitted * Math.SQRT2, 3);
  expect(await press('1')).toBeCloseTo(1, 6);
  expect(await pressed('1:1')).toBe('true');
  expect(await press('0')).toBeCloseTo(fitted, 3);
  expect(await pressed('Fit')).toBe('true');
  expect(await pressed('1:1')).toBe('false');
  expect(await page.evaluate(() => scrollY)).toBe(before);
  // With Ctrl these keys belong to the browser's zoom.
  await page.keyboard.press('Control+1');
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  // They also work from the divider, which keeps its own arrow keys.
  const range = page.locator('#compare input[type=range]');
  await range.focus();
  expect(await press('+')).toBeCloseTo(fitted * Math.SQRT2, 3);
  const still = await box(page, REBUILT);
  await page.keyboard.press('ArrowRight');
  await expect(range).toHaveValue('50.5');
  expect(await box(page, REBUILT)).toEqual(still);

  await page.getByRole('button', { name: 'Zoom in' }).click();
  expect(await scale(page)).toBeCloseTo(fitted * 2, 3);
  await page.getByRole('button', { name: 'Zoom out' }).click();
  expect(await scale(page)).toBeCloseTo(fitted * Math.SQRT2, 3);
  await page.getByRole('button', { name: '1:1' }).click();
  expect(await scale(page)).toBeCloseTo(1, 6);
  await page.getByRole('button', { name: 'Fit' }).click();
  expect(await scale(page)).toBeCloseTo(fitted, 3);
});

test('a double click shows the picture one to one around that point, and fits it again', async ({ page }) => {
  // More pixels than the frame has, so that 1:1 is nearer.
  await page.setViewportSize({ width: 440, height: 720 });
  await open(page, 'device=cpu&size=512');
  await drop(page, await mosaic(page, 512, 352));
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
  await reaches(page, 'done');
  const fitted = await scale(page);
  expect(fitted).toBeLessThan(1);
  const point = await at(page, 0.75, 0.3);
  const before = await under(page, point);
  await page.mouse.dblclick(point.x, point.y);
  expect(await scale(page)).toBeCloseTo(1, 6);
  expect(await under(page, point)).toEqual({ x: expect.closeTo(before.x, 1), y: expect.closeTo(before.y, 1) });
  // Its two clicks have selected a token and deselected it.
  await expect(page.locator(MARK)).toBeHidden();
  await page.mouse.dblclick(point.x, point.y);
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  await page.mouse.dblclick(point.x, point.y);
  // The window becomes narrower: the scale stays, the frame stays full.
  await page.setViewportSize({ width: 340, height: 720 });
  await settled(page);
  expect(await scale(page)).toBeCloseTo(1, 6);
  const frame = await box(page, VIEW);
  const picture = await box(page, REBUILT);
  expect(picture.x).toBeLessThanOrEqual(frame.x + 0.01);
  expect(picture.x + picture.width).toBeGreaterThanOrEqual(frame.x + frame.width - 0.01);
});

test('the wheel without Ctrl scrolls the page unless the picture is focused', async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 500 });
  await look(page, 64, 48);
  const fitted = await scale(page);
  const scrolled = () => page.evaluate(() => scrollY);
  // After a pause, a new turn of the wheel begins.
  const rest = () => page.waitForTimeout(400);
  const turn = async (/** @type {number} */ by) => {
    await page.mouse.wheel(0, by);
    await rest();
  };
  const { x, y } = await at(page, 0.5, 0.5);
  await page.mouse.move(x, y);
  await turn(60);
  expect(await scrolled()).toBe(60);
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  await turn(-60);
  expect(await scrolled()).toBe(0);

  await page.locator(VIEW).focus();
  await turn(-100);
  const zoomed = await scale(page);
  expect(zoomed).toBeGreaterThan(fitted * 1.05);
  expect(await scrolled()).toBe(0);
  // Being zoomed is enough. A turn that zooms out until the picture fits does not then scroll the page.
  await page.locator(VIEW).blur();
  const home = await scrolled();
  await page.mouse.wheel(0, 100);
  await page.mouse.wheel(0, 100);
  await rest();
  expect(await scale(page)).toBeCloseTo(fitted, 3);
  expect(await scrolled()).toBe(home);
  // The next one does, though the picture has the focus: there is nothing to zoom out of.
  await page.locator(VIEW).focus();
  await turn(60);
  expect(await scrolled()).toBe(home + 60);

  // A turn that began elsewhere scrolls the page, whatever comes under the pointer.
  await page.evaluate(() => scrollTo(0, 0));
  await page.mouse.move(5, y);
  await page.mouse.wheel(0, 20);
  await page.mouse.move(x, y);
  await page.mouse.wheel(0, -20);
  await rest();
  expect(await scale(page)).toBeCloseTo(fitted, 3);
});

test('a drag moves the divider, or a zoomed picture except at the divider; a hold shows the original', async ({ page }) => {
  await look(page, 64, 48);
  const range = page.locator('#compare input[type=range]');
  const drag = async (/** @type {number} */ from, /** @type {number} */ to, y = 0.5) => {
    const [a, b] = [await at(page, from, y), await at(page, to, y)];
    await page.mouse.move(a.x, a.y);
    await page.mouse.down();
    await page.mouse.move(b.x, b.y, { steps: 4 });
    await page.mouse.up();
    return b.x - a.x;
  };
  await drag(0.5, 0.25);
  expect(Number(await range.inputValue())).toBeCloseTo(25, 0);
  await drag(0.7, 0.8, 0.2);
  expect(Number(await range.inputValue())).toBeCloseTo(80, 0);
  await expect(page.locator(MARK)).toBeHidden();

  await ctrlWheel(page, await at(page, 0.5, 0.5), -2);
  const before = await box(page, REBUILT);
  const moved = await drag(0.3, 0.4, 0.3);
  const after = await box(page, REBUILT);
  expect(after.x - before.x).toBeCloseTo(moved, 1);
  expect(Number(await range.inputValue())).toBeCloseTo(80, 0);
  await drag(0.8, 0.6, 0.3);
  expect(Number(await range.inputValue())).toBeCloseTo(60, 0);
  expect(await box(page, REBUILT)).toEqual(after);

  const mixed = (await shot(page)).png;
  await range.fill('100');
  const whole = (await shot(page)).png;
  await range.fill('60');
  const { x, y } = await at(page, 0.9, 0.5);
  await page.mouse.move(x, y);
  await page.mouse.down();
  await expect(page.locator('#compare .compare-frame')).toHaveAttribute('data-held');
  expect((await shot(page)).png.equals(whole)).toBe(true);
  await page.mouse.up();
  await expect(page.locator('#compare .compare-frame')).not.toHaveAttribute('data-held');
  expect((await shot(page)).png.equals(mixed)).toBe(true);
  // It was no click on a token.
  await expect(page.locator(MARK)).toBeHidden();

  // A drag after a pause is a drag, and the divider must not vanish when it is pressed.
  await page.mouse.down();
  await expect(page.locator('#compare .compare-frame')).toHaveAttribute('data-held');
  await page.mouse.move(x - 40, y, { steps: 3 });
  await expect(page.locator('#compare .compare-frame')).not.toHaveAttribute('data-held');
  expect((await box(page, REBUILT)).x).toBeCloseTo(after.x - 40, 1);
  await page.mouse.move(x, y, { steps: 3 });
  await page.mouse.up();
  expect(await box(page, REBUILT)).toEqual(after);
  const [grip, aside] = [await at(page, 0.6, 0.7), await at(page, 0.7, 0.7)];
  await page.mouse.move(grip.x, grip.y);
  await page.mouse.down();
  await page.waitForTimeout(900);
  await expect(page.locator('#compare .compare-frame')).not.toHaveAttribute('data-held');
  await page.mouse.move(aside.x, aside.y, { steps: 3 });
  await page.mouse.up();
  expect(Number(await range.inputValue())).toBeCloseTo(70, 0);
  await range.fill('60');

  await page.locator(VIEW).focus();
  await page.keyboard.down('Space');
  expect((await shot(page)).png.equals(whole)).toBe(true);
  await page.keyboard.up('Space');
  expect((await shot(page)).png.equals(mixed)).toBe(true);
});
