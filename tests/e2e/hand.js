// Shared by the tests of what fingers do.

/** @typedef {{x: number, y: number, id?: number}} Point */

/** Fingers on the screen, as lists of positions one after the other. @param {import('@playwright/test').Page} page */
export async function hand(page) {
  const session = await page.context().newCDPSession(page);
  /** @param {'touchStart' | 'touchMove' | 'touchEnd'} type @param {Point[]} touchPoints */
  const send = (type, ...touchPoints) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: touchPoints.map((point, id) => ({ id, ...point })) });
  return {
    send,
    /** @param {Point[][]} way the places of all fingers, step by step */
    async swipe(...way) {
      await send('touchStart', ...way[0]);
      for (const places of way.slice(1)) await send('touchMove', ...places);
      await send('touchEnd');
    },
    /** Quick taps, however slow the machine. @param {Point} at */
    async tap(at, times = 1) {
      const now = Date.now() / 1000;
      const sent = [];
      for (let i = 0; i < times; i += 1) {
        for (const [type, points, after] of /** @type {['touchStart' | 'touchEnd', Point[], number][]} */ ([
          ['touchStart', [at], 0],
          ['touchEnd', [], 0.05],
        ])) {
          sent.push(session.send('Input.dispatchTouchEvent', { type, touchPoints: points, timestamp: now + i * 0.15 + after }));
        }
      }
      await Promise.all(sent);
    },
  };
}
