// WebKitGTK's MiniBrowser under its WebDriver, as a stand-in for Safari. Both come with Debian's
// webkit2gtk-driver; there is no headless mode, so Xvfb is the screen.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Builder } from 'selenium-webdriver';

const DRIVER = process.env.WEBKIT_DRIVER || '/usr/bin/WebKitWebDriver';
const XVFB = process.env.XVFB || '/usr/bin/Xvfb';
// This can take seconds on a busy machine.
const START_MS = 60_000;

/** It is next to the library, in a folder named after the machine and another named after the version. */
function miniBrowser() {
  if (process.env.MINIBROWSER) return process.env.MINIBROWSER;
  const folders = (/** @type {string} */ path) =>
    existsSync(path) && statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [];
  const libraries = folders('/usr/lib')
    .flatMap(folders)
    .filter((path) => /\/webkit[^/]*$/.test(path));
  return libraries.map((path) => join(path, 'MiniBrowser')).find(existsSync) ?? '/usr/lib/webkit2gtk/MiniBrowser';
}

/** What has to be installed for these tests, or nothing. */
export function missing() {
  return [DRIVER, XVFB, miniBrowser()].filter((path) => !existsSync(path)).join(', ');
}

/**
 * A browser with its own screen, home and downloads folder.
 * @param {string} locale as in LANG
 */
export async function launch(locale) {
  const home = mkdtempSync(join(tmpdir(), 'tesserae-webkit-'));
  const downloads = join(home, 'Downloads');
  mkdirSync(downloads);
  mkdirSync(join(home, '.config'));
  writeFileSync(join(home, '.config/user-dirs.dirs'), `XDG_DOWNLOAD_DIR="${downloads}"\n`);
  /** @type {import('node:child_process').ChildProcess[]} */ const started = [];
  const end = () => {
    for (const child of started.reverse()) child.kill();
    rmSync(home, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    const screen = spawn(XVFB, ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    started.push(screen);
    const display = await within(
      screen,
      new Promise((resolve) => screen.stdio[3]?.once('data', (number) => resolve(String(number).trim()))),
    );
    const port = await freePort();
    const env = { PATH: process.env.PATH, HOME: home, LANG: locale, DISPLAY: `:${display}`, NO_AT_BRIDGE: '1', GTK_A11Y: 'none' };
    const server = spawn(DRIVER, [`--port=${port}`], { env, stdio: 'ignore' });
    started.push(server);
    await within(server, listening(port));
    const driver = await new Builder()
      .usingServer(`http://127.0.0.1:${port}`)
      .withCapabilities({
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: miniBrowser(), args: ['--automation'] },
      })
      .build();
    const close = async () => {
      await driver.quit().catch(() => {});
      end();
    };
    return { driver, downloads, close };
  } catch (error) {
    end();
    throw error;
  }
}

/** @template T @param {import('node:child_process').ChildProcess} child @param {Promise<T>} work @returns {Promise<T>} */
function within(child, work) {
  return new Promise((resolve, reject) => {
    work.then(resolve, reject);
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`${child.spawnfile} ended with ${status}`)));
    setTimeout(() => reject(new Error(`${child.spawnfile} did not start`)), START_MS).unref();
  });
}

/** @returns {Promise<number>} a port that nobody listens on */
export const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });

/** @param {number} port */
async function listening(port) {
  const there = () =>
    fetch(`http://127.0.0.1:${port}/status`).then(
      (answer) => answer.ok,
      () => false,
    );
  while (!(await there())) await new Promise((resolve) => setTimeout(resolve, 50));
}
