// How much of the browser's and of the graphics device's memory two models at once use.
import { chooseModel, engines, expect, modelIs, patchWorker, reaches, rebuildSample, test, value } from './app.js';
import { COUNT, alive, collecting } from './buffers.js';
import { FAITHFUL, LIFELIKE, PAIR, follows, moveTo, rebuildSmall, shown, withStages } from './stages.js';

test.use(collecting);

test('two models at once and no more: neither moving the slider nor changing the model uses more memory', async ({ page }) => {
  await withStages(page);
  /** All of the way, with a photo. @param {string} name */
  const sweep = async (name) => {
    await rebuildSample(page, name);
    for (let at = FAITHFUL; at <= LIFELIKE; at += 20) {
      await moveTo(page, at);
      await follows(page, at);
    }
  };
  await sweep('chelsea');
  const [worker] = await engines(page);
  // wasm memory grows by steps and never shrinks: one round of swaps finds its level, and the next stays there.
  /** @type {number[]} */ const taken = [];
  for (let round = 0; round < 2; round += 1) {
    for (const [model, name] of [
      ['soft', 'coffee'],
      ['sharp', 'astronaut'],
      ['soft', 'chelsea'],
      ['sharp', 'chelsea'],
    ]) {
      await chooseModel(page, model);
      await modelIs(page, model);
      await reaches(page, 'done');
      await sweep(name);
    }
    taken.push(await value(page, 'memory'));
  }
  expect(await engines(page)).toEqual([worker]);
  expect(taken[1]).toBeLessThanOrEqual(taken[0] * 1.02);
});

test('the slider on WebGPU, which frees its buffers', async ({ page }) => {
  await patchWorker(page, COUNT);
  await withStages(page, 'device=webgpu', PAIR);
  await expect(page.locator('#device')).toHaveAttribute('data-kind', 'webgpu');
  await rebuildSmall(page);
  const sharp = await shown(page);
  await moveTo(page, FAITHFUL);
  await follows(page, FAITHFUL);
  const soft = await shown(page);
  expect(soft.rgba.equals(sharp.rgba)).toBe(false);
  // The first sweep fills the pools, from which the second one takes what it needs.
  /** @type {number[]} */ const taken = [];
  for (let sweep = 0; sweep < 2; sweep += 1) {
    for (let at = 5; at < LIFELIKE; at += 5) {
      await moveTo(page, at);
      await follows(page, at);
    }
    taken.push(await alive(page));
  }
  console.log(`buffers: ${taken.map((bytes) => `${(bytes / 1e6).toFixed(2)} MB`).join(', then ')}`);
  expect(taken[0]).toBeGreaterThan(0);
  expect(taken[1]).toBeLessThanOrEqual(1.02 * taken[0]);
  await moveTo(page, FAITHFUL);
  await follows(page, FAITHFUL);
  expect(await shown(page)).toEqual(soft);
});
