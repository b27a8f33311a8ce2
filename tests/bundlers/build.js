// Builds app/, which lies in FOLDER with the package in its node_modules, into FOLDER/vite and
// FOLDER/webpack, with the defaults of both: `node build.js FOLDER`.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import webpack from 'webpack';

const folder = process.argv[2];
const app = join(folder, 'app');

// Sizes after gzip are not asked for: the module is large.
await build({ root: app, configFile: false, logLevel: 'warn', build: { outDir: join(folder, 'vite'), reportCompressedSize: false } });

const stats = await new Promise((resolve, reject) => {
  const output = { path: join(folder, 'webpack'), filename: 'main.js' };
  webpack({ mode: 'production', context: app, entry: './main.js', output, performance: { hints: false } }, (error, done) =>
    error ? reject(error) : resolve(done),
  );
});
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
copyFileSync(join(app, 'index.html'), join(folder, 'webpack/index.html'));
