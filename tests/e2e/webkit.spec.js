// A smoke run in WebKitGTK, as a stand-in for Safari, on the CPU: it has no WebGPU, and no private files
// (OPFS). Under some locales its language is not a valid tag, which crashes some libraries.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { By, until } from 'selenium-webdriver';
import { SHIPPED, TINY, commandLine, inFolder } from './app.js';
import { WAYS } from './comparing.js';
import { EDITS, PRIOR, sampledTokens } from './sampling.js';
import { launch, missing } from './webkit.js';

/** @typedef {import('selenium-webdriver').WebDriver} Driver */

const WAIT_MS = 280_000;

test.describe.configure({ mode: 'default' });
test.skip(Boolean(missing()), `WebKit is not tested: there is no ${missing()} (Debian: webkit2gtk-driver and xvfb)`);

/** @param {Driver} driver @param {string} css @returns {Promise<import('selenium-webdriver').WebElement>} once there */
const waitFor = (driver, css) => driver.wait(until.elementLocated(By.css(css)), WAIT_MS, `nothing is ${css}`);
/** @param {Driver} driver @param {string} state */
async function reaches(driver, state) {
  await waitFor(driver, `html[data-state=${state}], html[data-state=error]`);
  expect(
    await driver.executeScript('return [document.documentElement.dataset.state, document.getElementById("alert").textContent]'),
  ).toEqual([state, '']);
}
/** @param {Driver} driver @param {string} css @returns {Promise<number>} its `data-value` */
const value = async (driver, css) => Number(await driver.findElement(By.css(css)).getAttribute('data-value'));
/** @param {Driver} driver @param {string} css */
const press = (driver, css) => driver.executeScript('document.querySelector(arguments[0]).click()', css);

/** Opens the page afresh, and records its exceptions. @param {Driver} driver @param {string} url */
async function open(driver, url) {
  await driver.get('about:blank');
  await driver.get(url);
  await reaches(driver, 'ready');
  await driver.executeScript(`
    window.wrong = [];
    addEventListener('error', (event) => event.error && wrong.push(String(event.error)));
    addEventListener('unhandledrejection', (event) => wrong.push(String(event.reason)));`);
}

/** @param {Driver} driver */
async function nothingWrong(driver) {
  expect(await driver.executeScript('return window.wrong')).toEqual([]);
  expect(await driver.executeScript("return document.getElementById('alert').textContent")).toBe('');
  expect(await driver.executeScript("return document.getElementById('boot').hidden")).toBe(true);
}

/** @param {Driver} driver @param {string} name */
async function rebuildSample(driver, name) {
  await press(driver, `#samples button[data-sample=${name}]`);
  await waitFor(driver, `#samples button[data-sample=${name}][aria-pressed=true]`);
  await reaches(driver, 'done');
}

/** Goes to a room by its link. @param {Driver} driver @param {string} id */
async function room(driver, id) {
  await press(driver, `#rooms a[data-room=${id}]`);
  await waitFor(driver, `.room[data-room=${id}]:not([hidden])`);
}

/** Drops a file, as the mouse does. @param {Driver} driver @param {string} name @param {Buffer} bytes */
const drop = (driver, name, bytes) =>
  driver.executeScript(
    `
  const [name, base64] = arguments;
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    document.getElementById('drop').dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }`,
    name,
    bytes.toString('base64'),
  );

/** A small photo on the stage. @param {Driver} driver */
async function dropSmall(driver) {
  await room(driver, 'rebuild');
  const base64 = await driver.executeAsyncScript(`
    const done = arguments[arguments.length - 1];
    (async () => {
      const photo = await createImageBitmap(await (await fetch('samples/chelsea.png')).blob());
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 32;
      canvas.getContext('2d').drawImage(photo, 0, 0, 32, 32);
      return canvas.toDataURL('image/png').split(',')[1];
    })().then(done, (error) => done(String(error)));`);
  await drop(driver, 'small.png', Buffer.from(String(base64), 'base64'));
  await reaches(driver, 'working');
  await reaches(driver, 'done');
}

/** @param {Driver} driver @param {string} canvas @returns {Promise<string>} its picture */
const picture = (driver, canvas) => driver.executeScript('return document.querySelector(arguments[0]).toDataURL()', canvas);
const REBUILT = '#compare canvas.compare-rebuilt';

/** @param {string} folder @param {RegExp} name @returns {Promise<string>} the path of a complete download */
async function downloaded(folder, name) {
  const found = () => readdirSync(folder).find((file) => name.test(file) && statSync(join(folder, file)).size > 0);
  await expect.poll(found).toBeTruthy();
  return join(folder, String(found()));
}

for (const locale of ['C.UTF-8', 'C']) {
  test.describe(`WebKit under LANG=${locale}`, () => {
    /** @type {Awaited<ReturnType<typeof launch>>} */ let browser;
    test.beforeAll(async () => {
      browser = await launch(locale);
    });
    test.afterAll(async () => {
      await browser?.close();
    });

    test('rebuilds the cat as the command line does, and again after a reload', async ({ baseURL }) => {
      const { driver } = browser;
      await open(driver, `${baseURL}#device=cpu`);
      expect(await driver.findElement(By.css('#device')).getAttribute('data-kind')).toBe('cpu');
      const began = Date.now();
      await rebuildSample(driver, 'chelsea');
      const seconds = (Date.now() - began) / 1000;
      const by = (/** @type {string} */ model) =>
        inFolder((folder) =>
          commandLine('reconstruct', 'www/samples/chelsea.png', join(folder, 'out.png'), '--model', model, '--models', 'www/models'),
        );
      const native = by(SHIPPED[0].name);
      console.log(
        `WebKit, ${locale}: the cat in ${seconds.toFixed(1)} s at ${await value(driver, '#psnr')} dB, natively ${native.psnr} dB`,
      );
      expect(await value(driver, '#psnr')).toBeCloseTo(native.psnr, 3);
      expect(await value(driver, '#ssim')).toBeCloseTo(native.ssim, 4);
      const before = await picture(driver, REBUILT);

      // The other stage of the same model, by the slider.
      const other = SHIPPED.find((/** @type {any} */ entry) => entry.codebook === SHIPPED[0].codebook && entry.stage === 'vqvae');
      await press(driver, '#stages button');
      await waitFor(driver, '#stages[data-value="0"]:not([data-busy])');
      await reaches(driver, 'done');
      expect(await value(driver, '#psnr')).toBeCloseTo(by(other.name).psnr, 3);
      await press(driver, '#stages button:last-child');
      await waitFor(driver, '#stages[data-value="100"]:not([data-busy])');
      expect(await picture(driver, REBUILT)).toBe(before);
      await nothingWrong(driver);

      await driver.navigate().refresh();
      await reaches(driver, 'ready');
      await rebuildSample(driver, 'chelsea');
      expect(await picture(driver, REBUILT)).toBe(before);
    });

    test('zooms and moves both pictures, and finds the token of a click', async ({ baseURL }) => {
      const { driver } = browser;
      await open(driver, `${baseURL}#device=cpu`);
      await rebuildSample(driver, 'chelsea');
      // The divider stops moving.
      await driver.wait(() => driver.executeScript("return document.querySelector('#compare input').value === '50'"), WAIT_MS);
      /** The position of the pictures, and of a patch's outline in them. @returns {Promise<{x: number, y: number, width: number, mark: number[]}>} */
      const look = async () => {
        const [original, rebuilt, mark] = /** @type {DOMRect[]} */ (
          await driver.executeScript(`return ['-original', '-rebuilt', '-mark'].map((part) => {
            const { x, y, width, height } = document.querySelector('#compare .compare' + part).getBoundingClientRect();
            return { x, y, width, height };
          })`)
        );
        expect(rebuilt).toEqual(original);
        const { x, y, width } = original;
        return { x, y, width, mark: [mark.x - x, mark.y - y, mark.width, mark.height].map((length) => (length / width) * 256) };
      };
      await driver.executeScript('scrollTo(0, 0)');
      const fitted = await look();
      const at = (/** @type {number} */ x, /** @type {number} */ y) => ({
        x: Math.round(fitted.x + fitted.width * x),
        y: Math.round(fitted.y + fitted.width * y),
      });
      const readout = () => driver.findElement(By.css('#token-readout')).getText();
      await driver.actions().move(at(0.9, 0.4)).click().perform();
      expect(await readout()).toContain('Token 413 at row 13, column 29: code ');
      const patch = [224, 96, 8, 8].map((length) => expect.closeTo(length, 1));
      expect((await look()).mark).toEqual(patch);
      await driver.actions().sendKeys('++').perform();
      const zoomed = await look();
      expect(zoomed.width / fitted.width).toBeCloseTo(2, 3);
      expect(zoomed.mark).toEqual(patch);
      const [from, to] = [at(0.2, 0.5), at(0.1, 0.4)];
      await driver.actions().move(from).press().move(at(0.15, 0.45)).move(to).release().perform();
      const moved = await look();
      expect([moved.x - zoomed.x, moved.y - zoomed.y]).toEqual([to.x - from.x, to.y - from.y].map((length) => expect.closeTo(length, 1)));
      await driver.actions().move(at(0.5, 0.2)).press().move(at(0.4, 0.2)).move(at(0.3, 0.2)).release().perform();
      expect(await look()).toEqual(moved);
      expect(Number(await driver.executeScript("return document.querySelector('#compare input').value"))).toBeCloseTo(30, 0);
      await driver.actions().move(at(0.7, 0.7)).doubleClick().perform();
      expect((await look()).width).toBeCloseTo(fitted.width, 2);
      expect(await readout()).toContain('Point at a token');
      await nothingWrong(driver);
    });

    test('saves the tokens, and makes the same picture of them', async ({ baseURL }) => {
      const { driver, downloads } = browser;
      await open(driver, `${baseURL}#device=cpu`);
      await rebuildSample(driver, 'chelsea');
      const before = await picture(driver, REBUILT);
      await press(driver, '#save-tokens');
      const path = await downloaded(downloads, /\.tokens$/);
      await drop(driver, basename(path), readFileSync(path));
      await waitFor(driver, '#compare[data-shows=rebuilt]');
      await reaches(driver, 'done');
      expect(await picture(driver, REBUILT)).toBe(before);
      await nothingWrong(driver);
    });

    test('samples the pictures that the command line samples, and fills them', async ({ baseURL }) => {
      const { driver, downloads } = browser;
      await driver.get('about:blank');
      await driver.get(`${baseURL}#room=sample&device=cpu&class=3`);
      await waitFor(driver, '#sampling[data-sampling=done]');
      const first = await picture(driver, '#sampling-pictures canvas');
      await press(driver, '#sampling-save-tokens');
      const path = await downloaded(downloads, new RegExp(`^${PRIOR.name}-${PRIOR.classes[3]}-1.*\\.tokens$`));
      expect(readFileSync(path).equals(sampledTokens(3, 1))).toBe(true);
      await press(driver, '#sampling-open');
      await waitFor(driver, '#compare[data-shows=rebuilt]');
      await reaches(driver, 'done');
      expect(await picture(driver, REBUILT)).toBe(first);
      // All of it drawn anew is what is drawn from nothing.
      await room(driver, 'edit');
      await press(driver, '#edit-classes label:nth-of-type(6)');
      await press(driver, '#fill-all');
      await press(driver, '#edit-run');
      await waitFor(driver, '#edit-form[data-state=done]');
      await press(driver, '#edit-save-tokens');
      const edited = await downloaded(downloads, /\.edited.*\.tokens$/);
      expect(readFileSync(edited).equals(sampledTokens(5, 1, EDITS))).toBe(true);
      await room(driver, 'sample');
      await press(driver, '#sampling-run');
      await waitFor(driver, '#sampling[data-sampling=done][data-seed="5"]');
      expect(await picture(driver, '#sampling-pictures canvas')).not.toBe(first);
    });

    test('makes a digit in five ways, and walks between two', async ({ baseURL }) => {
      const { driver } = browser;
      await open(driver, `${baseURL}#device=cpu`);
      await room(driver, 'compare');
      await waitFor(driver, '#comparing[data-comparing=done]');
      const made = [];
      for (const way of WAYS) made.push(await picture(driver, `.way[data-way=${way}][data-drawn=yes] canvas`));
      expect(new Set(made).size).toBe(WAYS.length);
      await press(driver, '#comparing-mode label:has(input[value=walk])');
      await waitFor(driver, '.walk-row[data-walk=diffusion][data-drawn=yes]');
      await nothingWrong(driver);
    });

    test('tunes a model, and its file makes the same picture after a reload', async ({ baseURL }) => {
      const { driver, downloads } = browser;
      await open(driver, `${baseURL}#device=cpu`);
      await drop(driver, 'tiny.safetensors', readFileSync(TINY));
      await driver.wait(
        async () => (await driver.findElement(By.css('#model')).getAttribute('data-value')) === 'tiny.safetensors',
        WAIT_MS,
      );
      await reaches(driver, 'ready');
      await dropSmall(driver);
      await room(driver, 'tune');
      await driver.executeScript("document.getElementById('tune-steps').value = '2'");
      await press(driver, '#tune-run');
      await waitFor(driver, '#tune[data-tuning=ended]');
      const losses = /** @type {number[]} */ (await driver.executeScript("return document.getElementById('tune-view').losses"));
      expect(losses).toHaveLength(2);
      expect(losses[1]).toBeLessThan(losses[0]);
      const now = await picture(driver, '#tune-view figure[data-stage=now] canvas');
      const tuned = await value(driver, '#tune-view figure[data-stage=now] .figure-psnr');
      await driver.executeScript("document.getElementById('tune-name').value = 'mine'");
      await press(driver, '#tune-save');
      const weights = await downloaded(downloads, /^mine.*\.safetensors$/);
      // The curve, or why there is none.
      const curve = await driver.executeScript(
        "const curve = document.getElementById('tune-curve'); return curve.querySelector('canvas') ? 'drawn' : curve.textContent",
      );
      expect(curve).toMatch(/^drawn$|cannot be drawn/);
      console.log(`WebKit, ${locale}: language ${await driver.executeScript('return navigator.language')}, curve: ${curve}`);
      await nothingWrong(driver);
      // Nothing can be kept without private files; the tuned model is still there.
      await press(driver, '#tune-keep button[type=submit]');
      await waitFor(driver, '#alert[data-code=not_kept]');
      await waitFor(driver, '#tune[data-tuning=ended]');

      await driver.navigate().refresh();
      await reaches(driver, 'ready');
      await room(driver, 'rebuild');
      await drop(driver, 'mine.safetensors', readFileSync(weights));
      await driver.wait(
        async () => (await driver.findElement(By.css('#model')).getAttribute('data-value')) === 'mine.safetensors',
        WAIT_MS,
      );
      await reaches(driver, 'ready');
      await dropSmall(driver);
      expect(await value(driver, '#psnr')).toBeCloseTo(tuned, 1);
      expect(await picture(driver, REBUILT)).toBe(now);
    });
  });
}
