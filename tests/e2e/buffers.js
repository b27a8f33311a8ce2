// The buffers of the graphics device that an engine holds.
import { args, executablePath } from './chromium.js';

// A buffer is freed when it is garbage-collected, which the test has to request.
export const collecting = { launchOptions: { executablePath, args: [...args, '--js-flags=--expose-gc'] } };

/** Bytes of the buffers that are not collected, once that number is stable. @param {import('@playwright/test').Page} page */
export const alive = (page) =>
  page.workers()[0].evaluate(async () => {
    const scope = /** @type {any} */ (globalThis);
    for (let before = NaN; before !== scope.alive;) {
      before = scope.alive;
      scope.gc();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return /** @type {number} */ (scope.alive);
  });

/** For the worker: counts the bytes of its buffers. */
export const COUNT = `
    self.alive = 0;
    const collected = new FinalizationRegistry((size) => { self.alive -= size; });
    const create = GPUDevice.prototype.createBuffer;
    GPUDevice.prototype.createBuffer = function (wish) {
      const buffer = create.call(this, wish);
      self.alive += wish.size;
      collected.register(buffer, wish.size);
      return buffer;
    }`;
