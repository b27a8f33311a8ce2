// @ts-check
// What the room says in the field's own words, about the prior that is chosen.
import { h } from '../../ui/h.js';

/** @typedef {import('../../session/priors.js').Prior} Prior */

/** @param {Prior} prior */
export function how({ entry, tokenizer, masked, any, classes }) {
  const { codes, rows, columns } = entry.config;
  const words = [
    `Such a picture is a grid of ${columns} × ${rows} tokens, each one of the ${codes.toLocaleString('en')} codes in the codebook of ${tokenizer.name}.`,
    `The prior ${entry.name}, a transformer, has learned which tokens go together.`,
    masked
      ? 'It starts from an empty grid. In each step it predicts the codes of all open places at once, and a few of them are drawn and kept (MaskGIT). Faded patches are open: they show the nearest known token.'
      : 'It draws one token after the other, row by row, each from its predicted probabilities (an autoregressive model). Faded patches are open: they show the nearest known token.',
    ...(any && classes.length ? ['Guidance compares its predictions with and without the class, and amplifies the difference.'] : []),
    `Then the decoder of ${tokenizer.name} makes pixels of the tokens.`,
    'The seed fixes the random numbers, so the same link draws the same pictures.',
  ];
  const card = h('a', { href: new URL(`models/${entry.card}`, document.baseURI).href }, 'Model card');
  return [`${words.join(' ')} `, card];
}
