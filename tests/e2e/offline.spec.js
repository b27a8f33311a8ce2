// The second visit works without a network: the server really goes away.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, reaches, rebuildSample, test } from './app.js';

test.use({ serviceWorkers: 'allow' });

/** @returns {Promise<number>} a port that nobody listens on */
const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    server.close(() => resolve(port));
  });
});

let port = 0;
test.use({ baseURL: async ({}, use) => { port ||= await freePort(); await use(`http://127.0.0.1:${port}/`); } });

test('the second visit works offline', async ({ page, baseURL }) => {
  const server = spawn(process.execPath, [fileURLToPath(new URL('../../scripts/server/serve.js', import.meta.url))], { env: { ...process.env, PORT: String(port) } });
  const gone = new Promise((resolve) => server.once('exit', resolve));
  try {
    await new Promise((resolve, reject) => {
      server.stdout.once('data', resolve);
      server.once('exit', reject);
    });
    await page.goto('/#device=cpu');
    await reaches(page, 'ready');
    await expect(page.locator('html')).toHaveAttribute('data-offline', 'ready');
  } finally {
    server.kill();
    await gone;
  }
  await expect(fetch(String(baseURL))).rejects.toThrow();
  await page.reload();
  await reaches(page, 'ready');
  await rebuildSample(page, 'chelsea');
  await expect(page.locator('#compare')).toHaveAttribute('data-shows', 'both');
});
