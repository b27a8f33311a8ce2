// @ts-check
// The wasm module's panic message, which goes only to the console: the abort that follows has no
// message.
let words = '';

const { error: log } = console;
console.error = (...all) => {
  words = String(all[0]);
  log.apply(console, all);
};

/** The last message since `forget`, if any: a failed allocation aborts without a panic. */
export const panic = () => words;
export const forget = () => void (words = '');
