// Turns pkg/, where wasm-bindgen has put the module and its JavaScript, into the npm package: adds the page's
// client and worker, package.json from cargo's metadata, the README and the licences.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pkg = join(root, 'pkg');
const engine = join(root, 'www/engine');
/** Files of which the package has its own version: how its workers start. */
const OWN = ['start.js'];
/** Workers' scripts and modules with side effects; bundlers may leave out the rest. */
const SIDE_EFFECTS = ['worker.js', 'decoder.js', 'panic.js'];

const metadata = JSON.parse(
  execFileSync('cargo', ['metadata', '--no-deps', '--locked', '--format-version', '1'], { cwd: root, encoding: 'utf8' }),
);
const crate = metadata.packages.find((/** @type {{name: string}} */ { name }) => name === 'tesserae');

/** @type {Record<string, [string, string][]>} what must be there once, by file, and what bundlers follow: some can't split a worker */
const CHANGED = {
  'wasm.js': [
    ["const PACKAGE = new URL('../pkg/tesserae.js', import.meta.url).href;", "import * as wasm from '../tesserae.js';"],
    ['  const wasm = await import(PACKAGE);\n', ''],
  ],
};

/** @param {string} file @returns {string} as it is in the package */
function moved(file) {
  let text = readFileSync(OWN.includes(file) ? fileURLToPath(new URL(file, import.meta.url)) : join(engine, file), 'utf8');
  for (const [old, now] of CHANGED[file] ?? []) {
    if (text.split(old).length !== 2) throw new Error(`${file} must contain ${old} exactly once`);
    text = text.replace(old, () => now);
  }
  return text.replaceAll("'../../pkg/tesserae.js'", "'../tesserae.js'");
}

// Declarations of an earlier run may be there as well.
rmSync(join(pkg, 'engine'), { recursive: true, force: true });
mkdirSync(join(pkg, 'engine'));
const files = readdirSync(engine).filter((file) => file.endsWith('.js'));
for (const file of files) {
  const text = moved(file);
  for (const [, path] of text.matchAll(/(?:from|import\(|new URL\()\s*'(\.[^']*)'/g)) {
    if (!['../tesserae.js', ...files.map((name) => `./${name}`)].includes(path))
      throw new Error(`${file} imports ${path}, which is not in the package`);
  }
  writeFileSync(join(pkg, 'engine', file), text);
}
for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE-MIT', 'LICENSE-APACHE']) copyFileSync(join(root, file), join(pkg, file));

const typed = (/** @type {string} */ path) => ({ types: path.replace(/\.js$/, '.d.ts'), default: path });
writeFileSync(
  join(pkg, 'package.json'),
  `${JSON.stringify(
    {
      name: crate.name,
      version: crate.version,
      type: 'module',
      description: crate.description,
      license: crate.license,
      repository: { type: 'git', url: `git+${crate.repository}.git` },
      keywords: crate.keywords,
      main: 'tesserae.js',
      types: 'tesserae.d.ts',
      exports: {
        '.': typed('./tesserae.js'),
        './client': typed('./engine/client.js'),
        './worker': typed('./engine/worker.js'),
        './tesserae_bg.wasm': { types: './tesserae_bg.wasm.d.ts', default: './tesserae_bg.wasm' },
        './package.json': './package.json',
      },
      sideEffects: SIDE_EFFECTS.map((file) => `./engine/${file}`),
      files: ['tesserae.js', 'tesserae.d.ts', 'tesserae_bg.wasm', 'tesserae_bg.wasm.d.ts', 'engine', 'CHANGELOG.md'],
    },
    null,
    2,
  )}\n`,
);
