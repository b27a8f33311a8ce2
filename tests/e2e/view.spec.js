// The arithmetic behind the compare slider and the patches of tokens.
import { expect, test } from './app.js';

/** @typedef {typeof import('../../www/ui/view.js') & typeof import('../../www/ui/patches.js')} Modules */

/** The modules, in an otherwise empty page. @param {import('@playwright/test').Page} page */
async function modules(page) {
  const html = await (await page.request.get('/')).text();
  const [, release] = /** @type {RegExpMatchArray} */ (html.match(/src="([^"]*)main\.js"/));
  await page.goto(`/${release}ui/view.js`);
  const load = async (/** @type {string[]} */ paths) => Object.assign({}, ...(await Promise.all(paths.map((path) => import(path)))));
  return /** @type {import('@playwright/test').JSHandle<Modules>} */ (
    await page.evaluateHandle(
      load,
      ['./view.js', './patches.js'].map((name) => new URL(name, page.url()).href),
    )
  );
}

test('a picture is fitted, and stays so when the frame changes', async ({ page }) => {
  const seen = await (
    await modules(page)
  ).evaluate(({ View }) => {
    const view = new View();
    const now = () => [view.scale, view.x, view.y, view.fitted, view.movable];
    view.show({ width: 200, height: 100 });
    view.resize({ width: 600, height: 300 });
    const exact = now();
    view.resize({ width: 600, height: 500 });
    const high = now();
    view.resize({ width: 100, height: 300 });
    const narrow = now();
    view.show({ width: 50, height: 300 });
    return { exact, high, narrow, other: now() };
  });
  expect(seen).toEqual({
    exact: [3, 0, 0, true, false],
    high: [3, 0, 100, true, false],
    narrow: [0.5, 0, 125, true, false],
    other: [1, 25, 0, true, false],
  });
});

test('what is under the pointer stays there at every zoom', async ({ page }) => {
  const seen = await (
    await modules(page)
  ).evaluate(({ View }) => {
    const view = new View();
    view.resize({ width: 640, height: 400 });
    view.show({ width: 320, height: 200 });
    const at = { x: 431, y: 97 };
    const under = () => /** @type {import('../../www/ui/view.js').Point} */ (view.under(at));
    const first = under();
    let worst = 0;
    for (const factor of [1.1, 2, 1.5, 0.7, 3, 0.9, 0.5]) {
      view.step(factor, at);
      worst = Math.max(worst, Math.abs(under().x - first.x), Math.abs(under().y - first.y));
    }
    return { worst, scale: view.scale };
  });
  expect(seen.scale).toBeCloseTo(2 * 1.1 * 2 * 1.5 * 0.7 * 3 * 0.9 * 0.5, 9);
  expect(seen.worst).toBeLessThan(1e-12);
});

test('nothing leads out of the picture or beyond the limits', async ({ page }) => {
  const seen = await (
    await modules(page)
  ).evaluate(({ View }) => {
    // Small and large ones, wide and tall, in a frame of their shape.
    return [
      [256, 256],
      [17, 1000],
      [4000, 30],
      [3, 3],
    ].map(([width, height]) => {
      const view = new View();
      const frame = { width: 500, height: (500 * height) / width };
      view.resize(frame);
      view.show({ width, height });
      const whole = view.scale;
      let seed = 7;
      const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
      let gap = 0;
      let [least, most] = [Infinity, 0];
      for (let i = 0; i < 4000; i += 1) {
        const at = { x: random() * frame.width, y: random() * frame.height };
        const far = () => (random() - 0.5) * 1e4;
        const ways = [
          () => view.step(4 ** (random() - 0.4), at),
          () => view.zoom(10 ** (random() * 8 - 4), at),
          () => view.move({ x: far(), y: far() }),
          () => view.pinch([at, { x: far(), y: far() }], [at, { x: far(), y: far() }]),
          () => view.toggle(at),
          () => view.reveal({ x: random(), y: random(), width: 0.1, height: 0.1 }),
        ];
        ways[Math.floor(random() * ways.length)]();
        least = Math.min(least, view.scale);
        most = Math.max(most, view.scale);
        for (const [corner, length, room] of [
          [view.x, width * view.scale, frame.width],
          [view.y, height * view.scale, frame.height],
        ]) {
          // A side longer than the frame's covers it, a shorter one is in the middle.
          gap = Math.max(gap, length > room ? Math.max(corner, room - corner - length) : Math.abs(2 * corner + length - room));
        }
      }
      return { gap, least: least / Math.min(1, whole), most: most / Math.max(32, 8 * whole) };
    });
  });
  for (const { gap, least, most } of seen) {
    expect(gap).toBeLessThan(1e-6);
    expect(least).toBeCloseTo(1, 9);
    expect(most).toBeCloseTo(1, 9);
  }
});

test('steps out end where the picture fits, 1:1 may be smaller, and both are toggled', async ({ page }) => {
  const seen = await (
    await modules(page)
  ).evaluate(({ View }) => {
    const view = new View();
    view.resize({ width: 600, height: 600 });
    view.show({ width: 200, height: 200 });
    /** @type {unknown[]} */ const scales = [];
    const after = (/** @type {() => void} */ change) => {
      change();
      scales.push([view.scale, view.fitted, view.actual, view.crisp]);
    };
    after(() => view.step(0.5));
    after(() => view.step(2));
    after(() => view.step(0.1));
    after(() => view.toggle({ x: 0, y: 0 }));
    after(() => view.step(0.5));
    after(() => view.toggle({ x: 0, y: 0 }));
    after(() => view.one());
    after(() => view.fit());
    return scales;
  });
  expect(seen).toEqual([
    [3, true, false, false],
    [6, false, false, true],
    [3, true, false, false],
    [1, false, true, false],
    [1, false, true, false],
    [3, true, false, false],
    [1, false, true, false],
    [3, true, false, false],
  ]);
});

test('two fingers carry what is under them', async ({ page }) => {
  const seen = await (
    await modules(page)
  ).evaluate(({ View }) => {
    const view = new View();
    view.resize({ width: 400, height: 400 });
    view.show({ width: 400, height: 400 });
    view.zoom(4);
    /** @type {[import('../../www/ui/view.js').Point, import('../../www/ui/view.js').Point]} */
    const from = [
      { x: 150, y: 200 },
      { x: 250, y: 200 },
    ];
    /** @type {typeof from} */
    const to = [
      { x: 130, y: 230 },
      { x: 280, y: 230 },
    ];
    const before = from.map((at) => view.under(at));
    view.pinch(from, to);
    return { before, after: to.map((at) => view.under(at)), scale: view.scale };
  });
  expect(seen.scale).toBe(6);
  seen.after.forEach((at, i) => {
    expect(at?.x).toBeCloseTo(Number(seen.before[i]?.x), 9);
    expect(at?.y).toBeCloseTo(Number(seen.before[i]?.y), 9);
  });
});

test('a region comes into view by the shortest move, and one in view moves nothing', async ({ page }) => {
  const seen = await (
    await modules(page)
  ).evaluate(({ View }) => {
    const view = new View();
    view.resize({ width: 400, height: 400 });
    view.show({ width: 100, height: 100 });
    const region = { x: 0.9, y: 0.48, width: 0.04, height: 0.04 };
    const ways = [
      { scale: 4, region },
      { scale: 16, region },
      { scale: 16, region: { ...region, x: 0 } },
      { scale: 16, region: { ...region, x: 0.5 } },
      // Larger than the frame, as a patch of a coarse grid may be.
      { scale: 32, region: { x: 0, y: 0.2, width: 0.32, height: 0.32 } },
    ];
    return ways.map((way) => {
      view.fit();
      view.zoom(way.scale);
      const before = [view.x, view.y];
      view.reveal(way.region);
      return { moved: [view.x - before[0], view.y - before[1]], ...view.box(way.region) };
    });
  });
  expect(seen.map(({ moved }) => moved)).toEqual([
    [0, 0],
    [400 - 8 - 64 - (16 * 90 - 600), 0],
    [600, 0],
    [0, 0],
    [400 - (32 * 32 - 1400), 400 - (32 * 52 - 1400)],
  ]);
  expect([seen[1].left, seen[1].width]).toEqual([400 - 8 - 64, 64]);
  expect(seen[2].left).toBe(0);
  expect([seen[4].left + seen[4].width, seen[4].top + seen[4].height]).toEqual([400, 400]);
});

test('a token and its patch find each other, in every grid and at cropped edges', async ({ page }) => {
  const seen = await (
    await modules(page)
  ).evaluate(({ patchOf, tokenAt }) => {
    let wrong = 0;
    let tokens = 0;
    let padding = 0;
    for (const [width, height, padded] of [
      [61, 45, 8],
      [57, 64, 8],
      [8, 8, 8],
      [1, 1, 16],
      [33, 100, 16],
    ]) {
      for (const side of [padded, padded / 2]) {
        const [columns, rows] = [width, height].map((length) => (Math.ceil(length / padded) * padded) / side);
        /** @type {(string | undefined)[]} */ const owner = Array(width * height);
        for (let row = 0; row < rows; row += 1) {
          for (let column = 0; column < columns; column += 1) {
            tokens += 1;
            const patch = patchOf({ width, height }, side, { row, column });
            if (!patch) padding += 1;
            if (!patch) continue;
            const [left, top] = [Math.round(patch.x * width), Math.round(patch.y * height)];
            const [across, down] = [Math.round(patch.width * width), Math.round(patch.height * height)];
            if (across < 1 || down < 1 || across > side || down > side) wrong += 1;
            for (let y = top; y < top + down; y += 1) {
              for (let x = left; x < left + across; x += 1) {
                if (owner[y * width + x]) wrong += 1;
                owner[y * width + x] = `${row} ${column}`;
              }
            }
          }
        }
        // Each pixel belongs to one patch, and finds its token.
        for (let i = 0; i < width * height; i += 1) {
          const at = { x: ((i % width) + 0.5) / width, y: (Math.floor(i / width) + 0.5) / height };
          const { row, column } = tokenAt({ width, height }, side, at);
          if (owner[i] !== `${row} ${column}`) wrong += 1;
        }
      }
    }
    return { wrong, tokens, padding };
  });
  expect(seen.wrong).toBe(0);
  expect(seen.tokens).toBeGreaterThan(500);
  // Columns and rows of the finer grid that are entirely in the cropped padding.
  expect(seen.padding).toBeGreaterThan(10);
});
