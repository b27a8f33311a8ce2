// The npm package in use: packed, then used by a ten-line app that Vite builds, that webpack builds, and
// that a plain page runs directly; imported on a server; and type-checked by TypeScript.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from '@playwright/test';
import { commandLine, expect } from './app.js';

const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const root = at('../..');
const TSC = at('node_modules/.bin/tsc');
const BUNDLERS = at('../bundlers');

/** @param {string} cwd @param {string} program @param {string[]} words */
function run(cwd, program, ...words) {
  const { status, stdout, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** A folder with the app and the packed package, as `npm install` leaves it. */
function installed() {
  const folder = mkdtempSync(join(tmpdir(), 'tesserae-package-'));
  run(root, process.execPath, 'scripts/npm/write.js');
  run(root, TSC, '-p', 'scripts/npm/tsconfig.json');
  const packed = JSON.parse(run(join(root, 'pkg'), 'npm', 'pack', '--json', '--pack-destination', folder));
  const { filename } = Array.isArray(packed) ? packed[0] : packed.tesserae;
  const home = join(folder, 'node_modules/tesserae');
  mkdirSync(home, { recursive: true });
  run(folder, 'tar', '-xzf', filename, '-C', home, '--strip-components=1');
  cpSync(join(BUNDLERS, 'app'), join(folder, 'app'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  return folder;
}

/** @type {string} */ let folder;
test.beforeAll(() => {
  folder = installed();
});
test.afterAll(() => rmSync(folder, { recursive: true }));

/** @type {Record<string, string>} */
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** As strict as docs/javascript.md says that an app's may be. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src blob: data:; base-uri 'none'";

/** Serves an app and the files that it fetches. @param {string} site @param {(origin: string) => Promise<void>} use */
async function served(site, use) {
  cpSync(join(root, 'www/models/photos-f8.safetensors'), join(site, 'photos-f8.safetensors'));
  cpSync(join(root, 'www/samples/chelsea.png'), join(site, 'chelsea.png'));
  const server = createServer(({ url }, response) => {
    const path = join(site, String(url).replace(/\/$/, '/index.html'));
    if (!existsSync(path)) return void response.writeHead(404).end();
    response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
    // An import map is in the page itself.
    if (site !== folder) response.setHeader('Content-Security-Policy', POLICY);
    response.end(readFileSync(path));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  try {
    await use(`http://127.0.0.1:${port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The app's picture has the quality of the command line's. @param {import('@playwright/test').Page} page @param {string} site */
async function rebuilds(page, site) {
  const { psnr, ssim } = commandLine(
    'reconstruct',
    'www/samples/chelsea.png',
    join(folder, 'out.png'),
    '--model',
    'photos-f8',
    '--models',
    'www/models',
    '--size',
    '128',
    '--square',
    '--overwrite',
  );
  /** @type {string[]} */ const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('response', (response) => response.ok() || wrong.push(`${response.status()} ${response.url()}`));
  await served(site, async (origin) => {
    await page.goto(origin);
    await expect(page.locator('img')).toBeVisible();
    expect(await page.title()).toBe(`${psnr.toFixed(2)} dB, SSIM ${ssim.toFixed(4)}`);
    expect(
      await page
        .locator('img')
        .evaluate((/** @type {HTMLImageElement} */ image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight])),
    ).toEqual([128, 128]);
  });
  expect(wrong).toEqual([]);
}

for (const bundler of ['vite', 'webpack']) {
  test(`a ten-line app built by ${bundler} rebuilds a picture`, async ({ page }) => {
    test.skip(!existsSync(join(BUNDLERS, 'node_modules')), 'Vite needs a newer Node.js than this, so tests/bundlers is not installed.');
    if (!existsSync(join(folder, bundler))) run(BUNDLERS, process.execPath, 'build.js', folder);
    await rebuilds(page, join(folder, bundler));
  });
}

test('a plain page rebuilds a picture with the package as it is', async ({ page }) => {
  const map = { imports: { 'tesserae/client': './node_modules/tesserae/engine/client.js' } };
  const html = readFileSync(join(folder, 'app/index.html'), 'utf8');
  writeFileSync(
    join(folder, 'index.html'),
    html.replace('<body>', `<body><script type="importmap">${JSON.stringify(map)}</script>`).replace('./main.js', './app/main.js'),
  );
  await rebuilds(page, folder);
});

test('a server can import all of the package, and its file of the module', () => {
  const code = `
    const { Engine } = await import('tesserae');
    const { EngineClient } = await import('tesserae/client');
    new EngineClient();
    console.log(Engine.name, EngineClient.name, import.meta.resolve('tesserae/tesserae_bg.wasm'));
  `;
  writeFileSync(join(folder, 'server.js'), code);
  const wasm = new URL(`file://${join(folder, 'node_modules/tesserae/tesserae_bg.wasm')}`);
  expect(run(folder, process.execPath, 'server.js').trim()).toBe(`Engine EngineClient ${wasm}`);
});

test('TypeScript reads the types of the package, and refuses what they do not have', () => {
  const check = (/** @type {string} */ size, /** @type {string[]} */ ...options) => {
    writeFileSync(
      join(folder, 'typed.ts'),
      `
      import init, { Engine, type ModelFacts } from 'tesserae';
      import { EngineClient } from 'tesserae/client';
      export async function rebuild(blob: Blob): Promise<number | undefined> {
        const client = new EngineClient();
        const { model } = await client.load({ from: 'file', name: 'mine', blob, config: null });
        const result = await client.picture({ blob, maxSide: ${size}, square: true }, null);
        return model.parameters + (result.quality?.psnr ?? 0);
      }
      export const facts = (): Promise<ModelFacts['kind']> => init().then(() => Engine.open('cpu')).then((engine) => engine.facts.reason);
    `,
    );
    run(folder, TSC, '--noEmit', '--strict', '--target', 'es2024', '--lib', 'esnext,dom', ...options, 'typed.ts');
  };
  for (const options of [
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
    ['--module', 'nodenext'],
  ]) {
    check('256', ...options);
    expect(() => check("'256'", ...options)).toThrow();
  }
});

test('the documentation lists what the package exports', () => {
  const { exports } = JSON.parse(readFileSync(join(folder, 'node_modules/tesserae/package.json'), 'utf8'));
  const listed = readFileSync(join(root, 'docs/javascript.md'), 'utf8').matchAll(/^\| `tesserae([^`]*)` \|/gm);
  expect(new Set(Array.from(listed, ([, path]) => `.${path}`).concat('./package.json'))).toEqual(new Set(Object.keys(exports)));
});

test('the examples of the documentation have the types of the package', () => {
  const examples = ['README.md', 'docs/javascript.md'].flatMap((path) => {
    const blocks = readFileSync(join(root, path), 'utf8').split('```js\n').slice(1);
    return blocks.map((block) => block.split('```')[0]);
  });
  expect(examples.length).toBeGreaterThan(3);
  const check = (/** @type {string} */ example) => {
    writeFileSync(join(folder, 'example.js'), example);
    const options = [
      '--allowJs',
      '--checkJs',
      '--noEmit',
      '--strict',
      '--noImplicitAny',
      'false',
      '--target',
      'es2024',
      '--lib',
      'esnext,dom',
    ];
    run(folder, TSC, ...options, '--module', 'esnext', '--moduleResolution', 'bundler', 'example.js');
  };
  for (const example of examples) {
    check(example);
    // A name that the package lacks is found.
    expect(() => check(example.replace(/(engine|Engine)\.open/, '$1.unknown'))).toThrow();
  }
});
