// The page's policy apart from connections (layout.spec.js), on all kinds of hosts.
import { apache, headersOf, netlify, nginx } from '../../scripts/server/headers.js';
import { expect, test as plain } from './app.js';
import { test, visit } from './deployed.js';

test.use({ serviceWorkers: 'block' });

// The browser logs what it blocks, which no other test may cause: these pages are not watched.
test('the page cannot be framed', async ({ context, baseURL }) => {
  const page = await context.newPage();
  await page.route('**/frame.html', (route) => route.fulfill({ contentType: 'text/html', body: '<iframe src="./"></iframe>' }));
  await page.goto('/frame.html');
  // Chromium shows its own page instead of one that may not be framed.
  await expect.poll(() => page.frames()[1]?.url()).not.toBe(baseURL);
  expect(page.frames()[1].url()).toBe('chrome-error://chromewebdata/');
});

// In the page itself, and in its workers, which have only the page's policy.
for (const headers of [true, false]) {
  test(`no string becomes a script, and no worker talks to anyone, ${headers ? 'with' : 'without'} headers`, async ({
    context,
    host,
    baseURL,
  }) => {
    host.headers = headers;
    const response = await fetch(String(baseURL));
    expect(response.headers.has('content-security-policy')).toBe(headers);
    const page = await context.newPage();
    await visit(page);
    const tryToLeave = async () => {
      const stopped = new Promise((resolve) =>
        addEventListener('securitypolicyviolation', (e) => resolve(e.effectiveDirective), { once: true }),
      );
      await fetch('https://example.org/').catch(() => {});
      return Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 3000, 'let through'))]);
    };
    // The engine, and the worker that decodes its pictures.
    expect(page.workers()).toHaveLength(2);
    for (const worker of page.workers()) expect(await worker.evaluate(tryToLeave)).toBe('connect-src');
    // Fetched by the page's own code, since code run by evaluate is exempt from the policy.
    const strings = await page.evaluate(() => {
      const tries = [
        () => new Worker('engine/worker.js'),
        () => {
          document.createElement('p').innerHTML = '<b>x</b>';
        },
        () => {
          document.createElement('script').src = 'main.js';
        },
      ];
      return tries.map((attempt) => {
        try {
          attempt();
          return 'let through';
        } catch (error) {
          return /** @type {Error} */ (error).name;
        }
      });
    });
    expect(strings).toEqual(['TypeError', 'TypeError', 'TypeError']);
    // Only the page's own policy can create script addresses, and other code cannot reach it.
    expect(
      await page.evaluate(() => {
        try {
          return String(
            /** @type {any} */ (globalThis).trustedTypes.createPolicy('tesserae', { createScriptURL: (/** @type {string} */ url) => url }),
          );
        } catch (error) {
          return /** @type {Error} */ (error).name;
        }
      }),
    ).toBe('TypeError');
  });
}

plain('the files for other hosts say what the server sends', async ({ baseURL }) => {
  const response = await fetch(String(baseURL));
  const headers = headersOf(await response.text());
  expect(headers.map(([name]) => name)).toEqual(
    expect.arrayContaining(['Content-Security-Policy', 'X-Content-Type-Options', 'Referrer-Policy']),
  );
  for (const [name, value] of headers) expect(response.headers.get(name)).toBe(value);
  /** @param {string} text @param {RegExp} line */
  const read = (text, line) => Array.from(text.matchAll(line), (found) => [found[1], found[2]]);
  expect(read(netlify(headers), /^ {2}([\w-]+): (.*)$/gm)).toEqual(headers);
  expect(read(apache(headers), /^Header always set ([\w-]+) "(.*)"$/gm)).toEqual(headers);
  expect(read(nginx(headers), /^add_header ([\w-]+) "(.*)" always;$/gm)).toEqual(headers);
});
