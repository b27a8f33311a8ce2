// @ts-check
// A button that copies an address, and says so for a moment.
import { button } from './h.js';

const COPIED_MS = 2000;

/** @param {string} text @param {() => string} address @param {Record<string, string>} attributes */
export function copyButton(text, address, attributes) {
  const element = button(text, null, attributes);
  element.addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(address()).then(
      () => true,
      () => false,
    );
    element.textContent = copied ? 'Link copied' : 'The link is in the address bar';
    setTimeout(() => (element.textContent = text), COPIED_MS);
  });
  return element;
}
