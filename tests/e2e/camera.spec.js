// Pictures from a camera: Chromium's fake one, which shows a moving ball.
import { args, executablePath } from './chromium.js';
import { ORIGINAL, complains, drop, expect, open, pixels, reaches, room, smallPhoto, test, value, violations, withTiny } from './app.js';
import { fill, more, press } from './panel.js';

/** @typedef {import('@playwright/test').Page} Page */

test.use({ launchOptions: { executablePath, args: [...args, '--use-fake-device-for-media-stream'] } });

test.beforeEach(({ page }) => withTiny(page));

/** @param {Page} page */
const allowed = (page) => page.context().grantPermissions(['camera']);
/** @param {Page} page */
const cameraOpens = (page) => expect(page.locator('#camera-take')).toBeEnabled();
/** @param {Page} page */
const dialog = (page) => page.locator('#camera dialog');

/** Records the streams that the page gets, and counts their running tracks. @param {Page} page */
async function tracksOf(page) {
  await page.addInitScript(() => {
    /** @type {MediaStream[]} */ const streams = [];
    const ask = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = async function (wish) {
      const stream = await ask.call(this, wish);
      streams.push(stream);
      return stream;
    };
    Object.assign(window, {
      live: () => streams.flatMap((stream) => stream.getTracks()).filter((track) => track.readyState === 'live').length,
    });
  });
  return () => page.evaluate(() => /** @type {any} */ (window).live());
}

/** @param {Page} page @param {string} [settings] with a photo on the stage, which tuning needs */
async function withPhoto(page, settings) {
  await open(page, settings);
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
}

test('a model is tuned on pictures from the camera, which is off once they are taken', async ({ page }) => {
  await allowed(page);
  const live = await tracksOf(page);
  await withPhoto(page);
  await press(page, '#tune-camera');
  await cameraOpens(page);
  expect(await live()).toBe(1);
  await page.click('#camera-take');
  await expect(dialog(page)).toContainText('1 picture taken.');
  await page.click('#camera-take');
  await expect(dialog(page)).toContainText('2 pictures taken.');
  await page.click('#camera-done');
  await expect(dialog(page)).toBeHidden();
  expect(await live()).toBe(0);
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(3);
  await expect(page.locator('#tune-camera')).toBeFocused();
  const { rgba } = await pixels(page, '#tune-pictures li:nth-child(2) canvas');
  expect(new Set(new Uint32Array(rgba.buffer, rgba.byteOffset, rgba.length / 4)).size).toBeGreaterThan(10);

  await more(page);
  await fill(page, '#tune-steps', '2');
  await press(page, '#tune-run');
  await expect(page.locator('#tune')).toHaveAttribute('data-tuning', 'ended');
  expect(await value(page, 'tune-at')).toBe(2);
  await expect(page.locator('#tune-camera')).toBeHidden();
});

test('the photo for the stage comes from the camera too', async ({ page }) => {
  await allowed(page);
  const live = await tracksOf(page);
  await open(page);
  await page.click('#photo-camera');
  await cameraOpens(page);
  await page.click('#camera-take');
  await expect(dialog(page)).toBeHidden();
  await reaches(page, 'done');
  expect(await live()).toBe(0);
  const { width, height } = await pixels(page, ORIGINAL);
  expect(Math.max(width, height)).toBe(256);
  // Opened again, and cancelled.
  await page.click('#samples button:has-text("Camera")');
  await cameraOpens(page);
  await page.click('#camera-done');
  await expect(dialog(page)).toBeHidden();
  await reaches(page, 'done');
});

test('the camera is off after Escape, and when it is allowed only after that', async ({ page }) => {
  await allowed(page);
  const live = await tracksOf(page);
  await withPhoto(page);
  await press(page, '#tune-camera');
  await cameraOpens(page);
  await page.click('#camera-take');
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toBeHidden();
  expect(await live()).toBe(0);
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);

  await page.evaluate(() => {
    const ask = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = async function (wish) {
      await new Promise((resolve) => Object.assign(window, { allow: resolve }));
      const stream = await ask.call(this, wish);
      Object.assign(window, { came: true });
      return stream;
    };
  });
  await press(page, '#tune-camera');
  await expect(dialog(page)).toContainText('Waiting for the camera');
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toBeHidden();
  await page.evaluate(() => /** @type {any} */ (window).allow());
  await expect.poll(() => page.evaluate(() => /** @type {any} */ (window).came)).toBe(true);
  await expect.poll(live).toBe(0);
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(2);
});

test('a camera that is refused, missing, in use or unplugged is reported in a sentence', async ({ page }) => {
  await withPhoto(page);
  await press(page, '#tune-camera');
  await complains(page, 'camera_refused', /^This page is not allowed to use the camera\. Allow it /);
  await expect(dialog(page)).toBeHidden();
  for (const [name, sentence] of /** @type {[string, RegExp][]} */ ([
    ['NotFoundError', /^No camera was found\. /],
    ['NotReadableError', /^The camera could not be started; /],
    ['AbortError', /^The camera does not deliver a picture\. /],
  ])) {
    await page.evaluate((name) => {
      MediaDevices.prototype.getUserMedia = async () => {
        throw new DOMException('not today', name);
      };
    }, name);
    await press(page, '#tune-camera');
    await complains(page, 'camera_failed', sentence);
  }
  await page.evaluate(() => {
    const stream = document.createElement('canvas').captureStream();
    Object.assign(window, { stream });
    MediaDevices.prototype.getUserMedia = async () => stream;
  });
  await page.click('#alert button:has-text("Dismiss")');
  await press(page, '#tune-camera');
  await expect(dialog(page)).toBeVisible();
  await page.evaluate(() => /** @type {any} */ (window).stream.getTracks()[0].dispatchEvent(new Event('ended')));
  await complains(page, 'camera_failed', /^The camera does not deliver a picture\. /);
  await expect(dialog(page)).toBeHidden();
});

test('at most fifty pictures are accepted', async ({ page }) => {
  await allowed(page);
  await withPhoto(page);
  const { buffer } = await smallPhoto(page);
  await room(page, 'tune');
  await page.setInputFiles(
    '#tune-files',
    Array.from({ length: 48 }, (_, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer })),
  );
  await press(page, '#tune-camera');
  await cameraOpens(page);
  // The last picture that there is room for closes the dialog.
  await page.click('#camera-take');
  await expect(dialog(page)).toBeHidden();
  await expect(page.locator('#tune-pictures canvas')).toHaveCount(50);
  await press(page, '#tune-camera');
  await complains(page, 'too_many', /at most 50 pictures/);
  await expect(dialog(page)).toBeHidden();
});

test('without a camera to ask for, as on an insecure page, there is no button', async ({ page }) => {
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined }));
  await open(page);
  await expect(page.getByRole('button', { name: 'Camera' })).toHaveCount(0);
  await drop(page, await smallPhoto(page));
  await reaches(page, 'done');
  await room(page, 'tune');
  await expect(page.locator('#tune-pictures label')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Camera' })).toHaveCount(0);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`the camera fits a narrow page, and axe finds nothing, ${colorScheme}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await allowed(page);
    await open(page);
    await page.click('#photo-camera');
    await cameraOpens(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    expect(await dialog(page).evaluate((e) => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight])).toEqual([0, 0]);
    expect(await violations(page)).toEqual([]);
  });
}
