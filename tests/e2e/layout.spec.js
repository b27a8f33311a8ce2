// What a visitor sees, and what the page may do: width, accessibility, policy.
import { deviceFacts, drop, expect, modelIs, open, reaches, rebuildSample, sample, test, violations, withTiny } from './app.js';
import { checkpoint } from './checkpoint.js';

test.beforeEach(({ page }) => withTiny(page));

/** @param {import('@playwright/test').Page} page */
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Models whose results look different: two grids, and no tokens. */
const OTHERS = ['vqvae2', 'kl_ldm'];

/** Rebuilds what is on the stage with another project's model. @param {import('@playwright/test').Page} page @param {string} golden */
async function rebuildWith(page, golden) {
  const { weights, config } = checkpoint(golden);
  await drop(page, weights, ...(config ? [config] : []));
  await modelIs(page, weights.name);
  await reaches(page, 'done');
}

test('320 pixels are wide enough', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await open(page);
  expect(await overflow(page)).toBe(0);
  await rebuildSample(page, 'chelsea');
  expect(await overflow(page)).toBe(0);
  await deviceFacts(page);
  expect(await overflow(page)).toBe(0);
  await page.keyboard.press('Escape');
  await page.click('#model');
  expect(await overflow(page)).toBe(0);
  for (const sheet of await page.locator('.sheet').all()) expect(await sheet.evaluate((e) => e.scrollWidth - e.clientWidth)).toBe(0);
  await page.keyboard.press('Escape');
  for (const golden of OTHERS) {
    await rebuildWith(page, golden);
    expect(await overflow(page)).toBe(0);
  }
  await drop(page, { name: `${'a-very-long-name-without-a-break'.repeat(6)}.safetensors`, buffer: Buffer.alloc(16, 255) });
  await expect(page.locator('#alert')).toHaveAttribute('data-code', 'weights_corrupt');
  expect(await overflow(page)).toBe(0);
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe finds nothing, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await open(page);
    expect(await violations(page)).toEqual([]);
    await rebuildSample(page, 'coffee');
    await deviceFacts(page);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.click('#model');
    expect(await violations(page)).toEqual([]);
    // An alert must be visible whatever is open.
    await drop(page, { name: 'notes.png', buffer: Buffer.from('no picture') });
    await expect(page.locator('#alert')).toHaveAttribute('data-code', 'image_unsupported');
    await expect(page.locator('.sheet:visible')).toHaveCount(0);
    expect(await violations(page)).toEqual([]);
    for (const golden of OTHERS) {
      await rebuildWith(page, golden);
      expect(await violations(page)).toEqual([]);
    }
  });
}

test('everything can be reached with the keyboard alone', async ({ page }) => {
  await open(page);
  /** @type {Set<string>} */ const reached = new Set();
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const e = /** @type {HTMLElement} */ (document.activeElement);
      return e.id || e.dataset.sample || e.tagName;
    });
    reached.add(name);
    if (name === 'chelsea') break;
  }
  expect([...reached]).toEqual(expect.arrayContaining(['file', 'chelsea']));
  await page.keyboard.press('Enter');
  await reaches(page, 'done');
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press('Tab');
    reached.add(
      await page.evaluate(() => {
        const e = /** @type {HTMLElement} */ (document.activeElement);
        return e.id || (e.classList.contains('button') ? e.textContent : e.className) || e.tagName;
      }),
    );
  }
  expect([...reached]).toEqual(
    expect.arrayContaining([
      'compare-view',
      'compare-range',
      '−',
      '+',
      'Fit',
      '1:1',
      'tokens-box',
      'save-picture',
      'save-tokens',
      'model',
      'size',
      'square',
      'device-chip',
    ]),
  );

  // Each sheet traps the focus while it is open, and returns it.
  for (const [chip, choice] of [
    ['#model', '#models [data-model]'],
    ['#device-chip', '#device-choice [data-device]'],
  ]) {
    await page.locator(chip).focus();
    await page.keyboard.press('Enter');
    const first = page.locator(choice).first();
    for (let i = 0; i < 5 && !(await first.evaluate((e) => e === document.activeElement)); i += 1) await page.keyboard.press('Tab');
    await expect(first).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.locator(chip)).toBeFocused();
  }
});

test('the policy lets nothing out, and neither page nor worker can talk to anyone', async ({ page }) => {
  /** @type {string[]} */ const sent = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    if (request.postData() !== null) sent.push(`a body to ${pathname}`);
    if (/secret/.test(pathname + search)) sent.push(pathname + search);
  });
  const response = await page.goto('/#device=cpu');
  const policy = String((await /** @type {import('@playwright/test').Response} */ (response).allHeaders())['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).toContain("connect-src 'self'");
  expect(policy).not.toMatch(/'unsafe-(inline|eval)'|\*|https?:/);
  // Directives that only work in a header come last.
  expect(`${await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content')}; frame-ancestors 'none'`).toBe(
    policy,
  );
  await reaches(page, 'ready');

  /** Whether the policy itself stops a request, rather than the network. */
  const tryToLeave = async () => {
    const stopped = new Promise((resolve) =>
      addEventListener('securitypolicyviolation', (e) => resolve(e.effectiveDirective), { once: true }),
    );
    await fetch('https://example.org/').catch(() => {});
    return Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, 3000, 'let through'))]);
  };
  expect(await page.workers()[0].evaluate(tryToLeave)).toBe('connect-src');

  await drop(page, { name: 'secret-name.jpg', buffer: sample('rocket.jpg').buffer });
  await reaches(page, 'done');
  await page.selectOption('#size', '512');
  await reaches(page, 'done');
  expect(page.url()).not.toContain('secret');
  expect(sent).toEqual([]);
});
