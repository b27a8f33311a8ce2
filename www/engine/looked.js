// @ts-check
// What models make of a picture in the worker: the latent that a generator has for it, the tokens of a model with a
// codebook, and what lies between two pictures' latents.
import { tilesOf } from './edited.js';
import { Generating } from './generated.js';
import { pixels, rgb } from './pixels.js';
import { Ask } from './protocol.js';

/** A code is seen best among its like: this many. */
const ALIKE = 9;

/** @typedef {<T>(thing: T) => T} Own remembers what has to be freed */
/**
 * @typedef {object} Needs of the worker
 * @property {() => import('./generated.js').Opened} opened
 * @property {import('./generated.js').Generators} generators
 * @property {import('./sampled.js').Drawers} drawers
 * @property {(id: number, sources: import('./protocol.js').LastingSource[]) => Promise<import('./adopted.js').Read[]>} fetched
 * @property {(id: number) => Promise<void>} breathe
 * @property {(id: number) => boolean} goes whether a job has not been cancelled
 * @property {(id: number) => void} begun a job has what it needs
 */

/** @param {Needs} needs */
export function looks({ opened, generators, drawers, fetched, breathe, goes, begun }) {
  /** @param {import('./protocol.js').Pixels} picture @param {Own} own */
  const taken = (picture, own) => own(opened().wasm.Picture.fromRgb(picture.width, picture.height, rgb(picture)));

  /** @param {{id: number, source: import('./protocol.js').LastingSource}} job @param {Own} own */
  const tokenizer = async ({ id, source }, own) => {
    const model = await drawers.tokenizer(opened(), source, (sources) => fetched(id, sources), own);
    await breathe(id);
    return model;
  };

  return {
    /** @param {import('./protocol.js').LatentJob} job @param {Own} own @returns {Promise<import('./protocol.js').Latent>} */
    async [Ask.LATENT](job, own) {
      const { id, source, class: kind } = job;
      const generator = await generators.load(opened(), source, (sources) => fetched(id, sources), own);
      await breathe(id);
      begun(id);
      const noise = await generator.latent(opened().engine, taken(job.picture, own), kind, () => goes(id));
      // As it was found, so that it is not to be changed.
      const options = { class: kind, count: 1, temperature: 1 };
      const generating = own(new Generating(opened(), generator, { options, noise, start: null }, () => breathe(id)));
      while (await generating.step());
      const { pictures } = await generating.finish();
      return { latent: noise, pixels: pictures[0].pixels };
    },

    /** @param {import('./protocol.js').NearestJob} job @param {Own} own @returns {Promise<import('./protocol.js').Nearest>} */
    async [Ask.NEAREST](job, own) {
      const model = await tokenizer(job, own);
      const picture = taken(job.picture, own);
      const { rows, columns, count, codes, distances } = await model.nearest(picture, job.count);
      await breathe(job.id);
      const tokens = own(await model.encode(picture));
      return { pixels: pixels(own(await model.decode(tokens))), rows, columns, count, codes, distances };
    },

    /** @param {import('./protocol.js').BetweenJob} job @param {Own} own @returns {Promise<import('./protocol.js').Between>} */
    async [Ask.BETWEEN](job, own) {
      const model = await tokenizer(job, own);
      const [first, second] = [job.first, job.second].map((picture) => taken(picture, own));
      const pictures = [];
      for (let stop = 0; stop < job.count; stop += 1) {
        await breathe(job.id);
        const tokens = own(await model.encodeBetween(first, second, stop / (job.count - 1)));
        pictures.push({ pixels: pixels(own(await model.decode(tokens))) });
      }
      return { pictures };
    },

    /** @param {import('./protocol.js').CodesJob} job @param {Own} own */
    async [Ask.CODES](job, own) {
      const model = await tokenizer(job, own);
      const grids = Array.from({ length: model.facts.codebookSize }, (_, code) => new Uint32Array(ALIKE).fill(code));
      return tilesOf(model, grids, () => breathe(job.id));
    },
  };
}
