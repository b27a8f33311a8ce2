// The page's tests, in the system's browsers, against the server that `./build.sh serve` uses.
import { defineConfig } from '@playwright/test';
import { args, executablePath } from './chromium.js';

const port = Number(process.env.E2E_PORT || 8123);
const results = process.env.E2E_RESULTS;

export default defineConfig({
  testMatch: '*.spec.js',
  grepInvert: process.env.TESSERAE_SLOW ? undefined : /@slow/,
  forbidOnly: true,
  // One at a time: the engine and the software graphics device use every core.
  workers: 1,
  // Long enough for a busy machine; only something that hangs reaches them.
  timeout: 600_000,
  expect: { timeout: 240_000 },
  reporter: results ? [['list'], ['json', { outputFile: results }]] : [['list']],
  outputDir: 'node_modules/.results',
  webServer: {
    command: 'node ../../scripts/server/serve.js',
    env: { PORT: String(port) },
    url: `http://127.0.0.1:${port}/`,
    reuseExistingServer: false,
  },
  use: {
    baseURL: `http://127.0.0.1:${port}/`,
    // page.route does not see what a service worker fetches; the offline test turns it back on.
    serviceWorkers: 'block',
    acceptDownloads: true,
    trace: 'off',
    launchOptions: { executablePath, args },
  },
});
