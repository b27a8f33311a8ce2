// @ts-check
// What the room says: what it lacks for its work, in a plain sentence, with the models that have it; and how its tools
// work, in the field's own words.

/** @typedef {{words: string, models: string[], stays?: boolean}} Lack with `stays` if the picture is to stay with them */

const DRAWS =
  'The prior, a transformer, predicts the codes of all of them at once from the tokens that stay. In each step a few are drawn and kept, until none is missing (MaskGIT). ';
const DECODES =
  'Then the decoder makes pixels of all tokens. It looks at neighbours as well, so pixels next to a changed token change a little, though their own tokens do not.';
/** By tool. @type {Record<string, string>} */
export const HOW = {
  fill: `The picture is a grid of tokens, each one a code of the codebook. Those that you mark are forgotten. ${DRAWS}${DECODES}`,
  extend: `The picture is a grid of tokens, each one a code of the codebook. The grid gets more rows and columns, which are empty at first. ${DRAWS}${DECODES}`,
  vary: `The picture is a grid of tokens, each one a code of the codebook. A part of them, chosen by the seed, is forgotten. ${DRAWS}${DECODES}`,
  paint: `A code is one vector of the codebook. The brush puts its number in the place of the picture’s tokens. ${DECODES} What a code looks like depends on its neighbours. The palette shows each in a grid of 3 × 3 tokens: among its like, or in a neighbourhood of this picture, the one whose codes the code most often has at those places around it.`,
  blend: `The encoder makes a latent vector of every patch of both pictures. The slider interpolates between the two, and each result becomes the nearest code. The brush takes the second picture’s tokens as they are. ${DECODES}`,
};

/** Tools that a prior draws for. */
const DRAWN = new Set(['fill', 'extend', 'vary']);

/**
 * @param {import('../../session/models.js').Models} models @param {import('./state.js').State | null} state @param {string} tool
 * @param {import('../../session/priors.js').Prior[]} fillers the priors that can draw for the model in use
 * @returns {Lack | null}
 */
export function lacks(models, state, tool, fillers) {
  const { inUse, shelf } = models;
  if (!inUse) return null;
  const { name, model } = inUse;
  const first = shelf.entries.slice(0, 1).map((entry) => entry.name);
  if (!model.grids.length) return { words: `${name} has no codebook, so its pictures have no tokens to edit.`, models: first };
  if (model.grids.length > 1) return { words: `${name} has two grids of tokens; only pictures with one can be edited.`, models: first };
  if (!state) return null;
  if (state.codebook !== model.codebookHash) {
    const own = models.source(state.model) ? state.model : shelf.reader(state.codebook)?.name;
    return {
      words: `This picture consists of tokens of ${state.model}, which ${name} cannot read.`,
      models: own ? [own] : [],
      stays: true,
    };
  }
  if (!DRAWN.has(tool) || fillers.length) return null;
  const able = [...new Set(shelf.fillers().map(({ tokenizer }) => tokenizer.name))];
  const words = `Nothing here can draw tokens of ${name} anew, for no prior of its codebook is here. If you have one, add it in Sample. Paint and Blend work all the same.`;
  return able.length ? { words: `${words} To fill, extend or vary, use another model:`, models: able } : { words, models: [] };
}

/** What is shown of the codes on a page. @param {boolean} neighbours @param {number} unused how many the picture does not have @param {number} count of all */
export function seen(neighbours, unused, count) {
  if (!neighbours) return 'Each code as it looks where all around it is the same.';
  const most = 'The code in the middle of each, with the neighbours that it most often has in this picture.';
  if (!unused) return most;
  const alone = 'not in this picture, so alone, in a dashed frame.';
  if (unused === count) return `These codes are ${alone}`;
  return `${most} ${unused === 1 ? 'One code is' : `${unused} codes are`} ${alone}`;
}
