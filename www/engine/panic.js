// @ts-check
// What the wasm module says when it panics, which goes to the console alone: the abort that follows it
// says nothing.
let words = '';

const { error: log } = console;
console.error = (...all) => {
  words = String(all[0]);
  log.apply(console, all);
};

/** What was said since the last `forget`, or nothing: an allocation that fails aborts without a panic. */
export const panic = () => words;
export const forget = () => void (words = '');
