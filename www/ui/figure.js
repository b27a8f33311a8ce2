// @ts-check
// A picture with its title, and PSNR and SSIM against the original.
import { paint } from './compare.js';
import { decibels } from './numbers.js';

/**
 * @param {object} picture
 * @param {string} picture.id
 * @param {string} picture.title
 * @param {string} picture.label the accessible name
 * @param {import('../engine/protocol.js').Pixels} picture.pixels
 * @param {import('../engine/protocol.js').Quality | null} picture.quality null without an original
 */
export function figure({ id, title, label, pixels, quality }) {
  const canvas = document.createElement('canvas');
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  paint(canvas, pixels);
  const frame = document.createElement('div');
  frame.className = 'figure-frame';
  frame.style.setProperty('--ratio', String(pixels.width / pixels.height));
  frame.append(canvas);

  const caption = document.createElement('figcaption');
  const strong = document.createElement('strong');
  strong.textContent = title;
  caption.append(strong);
  if (quality) {
    const numbers = document.createElement('p');
    numbers.append(value('PSNR', quality.psnr, decibels(quality.psnr)), ' ', value('SSIM', quality.ssim, quality.ssim.toFixed(4)));
    caption.append(numbers);
  }
  const element = document.createElement('figure');
  element.dataset.stage = id;
  element.append(frame, caption);
  return element;
}

/** A number like the result's, with the bare one in `data-value`. @param {string} label @param {number} number @param {string} text */
function value(label, number, text) {
  const span = document.createElement('span');
  span.className = `figure-${label.toLowerCase()}`;
  span.dataset.value = String(number);
  span.textContent = `${label} ${text}`;
  return span;
}
