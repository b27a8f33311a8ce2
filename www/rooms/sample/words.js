// @ts-check
// What the room says about the prior that is chosen, also in the field's own words, and about what it has drawn.
import { h } from '../../ui/h.js';

/** @typedef {import('../../session/priors.js').Prior} Prior */

/** What was drawn. @param {import('../../session/sampling.js').Sampling} asked @param {Prior} prior */
export function drawn({ count, seed, class: kind }, { classes }) {
  const what = kind === null ? '' : ` of ${classes[kind]}`;
  return count === 1 ? `1 picture${what}, seed ${seed}` : `${count} pictures${what}, seeds ${seed} to ${seed + count - 1}`;
}

/** @param {Prior} prior */
export function how({ entry, tokenizer, masked, any, classes, assumed = [] }) {
  const { codes, rows, columns } = entry.config;
  const words = [
    `Such a picture is a grid of ${columns} × ${rows} tokens, each one of the ${codes.toLocaleString('en')} codes in the codebook of ${tokenizer.name}.`,
    `The prior ${entry.name}, a transformer, has learned which tokens go together.`,
    masked
      ? 'It starts from an empty grid. In each step it predicts the codes of all open places at once, and a few of them are drawn and kept (MaskGIT). Faded patches are open: they show the nearest known token.'
      : 'It draws one token after the other, row by row, each from its predicted probabilities (an autoregressive model). Faded patches are open: they show the nearest known token.',
    ...(any && classes.length ? ['Guidance compares its predictions with and without the class, and amplifies the difference.'] : []),
    `Then the decoder of ${tokenizer.name} makes pixels of the tokens.`,
    entry.card
      ? 'The seed fixes the random numbers, so the same link draws the same pictures.'
      : 'The seed fixes the random numbers, but a link cannot carry your own prior.',
    ...(assumed.length ? [`Assumed, because its file does not say: ${assumed.join(', ').replaceAll('_', ' ')}.`] : []),
  ];
  if (!entry.card) return [words.join(' ')];
  const card = h('a', { href: new URL(`models/${entry.card}`, document.baseURI).href }, 'Model card');
  return [`${words.join(' ')} `, card];
}
