// @ts-check
// The wasm module's panic message, which goes only to the console: the abort that follows has no
// message.
import { failure } from './protocol.js';

let words = '';

const { error: log } = console;
console.error = (...all) => {
  words = String(all[0]);
  log.apply(console, all);
};

/** The last message since `forget`, if any: a failed allocation aborts without a panic. */
export const panic = () => words;
export const forget = () => void (words = '');

/**
 * Whether memory has run out: a failed allocation in the module aborts without a panic, one on the graphics
 * device panics, and one in JavaScript throws.
 * @param {unknown} error
 */
export function exhausted(error) {
  const { message } = failure(error);
  const silent = error instanceof WebAssembly.RuntimeError && /unreachable/i.test(message) && !words;
  return silent || /out of memory|allocation/i.test(words || message);
}
