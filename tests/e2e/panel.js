// Shared by the tests of fine-tuning.
import { drop, expect, open, reaches, room, smallPhoto } from './app.js';

/** @typedef {import('@playwright/test').Page} Page */

export const NOW = '#tune-view figure[data-stage=now]';
export const BEFORE = '#tune-view figure[data-stage=before]';

/** @param {Page} page @param {string} state */
export const tuning = (page, state) => expect(page.locator('#tune')).toHaveAttribute('data-tuning', state);

/** @param {Page} page @param {string} figure */
export const psnr = async (page, figure) => Number(await page.locator(`${figure} .figure-psnr`).getAttribute('data-value'));

/** Presses a button of the panel. @param {Page} page @param {string} button */
export async function press(page, button) {
  await room(page, 'tune');
  await page.click(button);
}

/** @param {Page} page @param {string} field @param {string} value */
export async function fill(page, field, value) {
  await room(page, 'tune');
  await page.fill(field, value);
}

/** @param {Page} page @param {string} list @param {string} value */
export async function pick(page, list, value) {
  await room(page, 'tune');
  await page.selectOption(list, value);
}

/** Opens the rarely used settings. @param {Page} page */
export const more = (page) => press(page, '.tune-more summary');

/** The first and the last loss in the curve's label. @param {Page} page */
export async function ends(page) {
  const [, first, last] = /from (\S+) to (\S+)$/.exec(String(await page.locator('#tune-curve').getAttribute('aria-label'))) ?? [];
  return [Number(first), Number(last)];
}

/** A photo on the stage, and the panel filled in. @param {Page} page @param {{steps?: number, rate?: string, device?: string, side?: number}} [choice] */
export async function ready(page, { steps = 12, rate = '0.001', device = 'cpu', side = 64 } = {}) {
  await open(page, `device=${device}`);
  await expect(page.locator('#device')).toHaveAttribute('data-kind', device);
  await drop(page, await smallPhoto(page, side));
  await reaches(page, 'done');
  await more(page);
  await page.fill('#tune-steps', String(steps));
  await page.fill('#tune-rate', rate);
}
