// @ts-check
// The page's side of the engine: what it can be asked for.
import { EngineQueue } from './queue.js';
import { Ask } from './protocol.js';

/** @typedef {import('./protocol.js').WeightSource} WeightSource */
/** @typedef {import('./protocol.js').Shipped} Shipped */
/** @typedef {import('./protocol.js').LastingSource} LastingSource */
/** @typedef {import('./protocol.js').Photo} Photo */

export class EngineClient extends EngineQueue {
  /**
   * Makes other weights the model in use; on failure the one in use stays.
   * @param {WeightSource} source @returns {Promise<import('./protocol.js').Loaded>}
   */
  load(source) {
    return this.add('model', { kind: Ask.LOAD, source });
  }

  /**
   * @param {Photo} photo @param {number | null} sample
   * @param {((part: import('./protocol.js').Part) => void) | null} [part] called with what is known before the end
   * @returns {Promise<import('./protocol.js').Result>}
   */
  picture(photo, sample, part = null) {
    return this.add('picture', { kind: Ask.PICTURE, photo, sample }, part);
  }

  /**
   * @param {Blob} blob a token file
   * @param {((part: import('./protocol.js').Part) => void) | null} [part] called with what is known before the end
   * @returns {Promise<import('./protocol.js').Result>}
   */
  tokens(blob, part = null) {
    return this.add('picture', { kind: Ask.TOKENS, blob }, part);
  }

  /**
   * Decodes the tokens of a result with a decoder between the model in use and another one.
   * @param {Shipped} source of the other one @param {number} share of it, from 0 to 1
   * @param {Uint8Array} tokens @param {import('./protocol.js').Pixels | null} original
   * @returns {Promise<import('./protocol.js').Result>}
   */
  decode(source, share, tokens, original) {
    return this.add('picture', { kind: Ask.DECODE, source, share, tokens, original });
  }

  /**
   * New pictures from a prior, next to the model in use.
   * @param {LastingSource} prior @param {LastingSource} tokenizer @param {import('./protocol.js').SampleJob['options']} options
   * @param {(part: import('./protocol.js').SamplePart) => void} part called after each step
   * @param {'sample' | 'generate'} [lane] whose older job it takes the place of
   * @returns {Promise<import('./protocol.js').Sampled>}
   */
  sample(prior, tokenizer, options, part, lane = 'sample') {
    return this.add(lane, { kind: Ask.SAMPLE, prior, tokenizer, options }, part);
  }

  /** Ends the sample that is queued or running. */
  cancelSample() {
    this.supersede(['sample']);
  }

  /**
   * New pictures from a generator, next to the model in use.
   * @param {LastingSource} source @param {import('./protocol.js').GenerateJob['options']} options
   * @param {((part: import('./protocol.js').GeneratePart) => void) | null} [part] called after each step
   * @param {Float32Array | null} [noise] what each picture is made of, one after the other
   * @param {import('./protocol.js').Pixels | null} [start] the picture that it goes on from
   * @returns {Promise<import('./protocol.js').Generation>}
   */
  generate(source, options, part = null, noise = null, start = null) {
    return this.add('generate', { kind: Ask.GENERATE, source, options, noise, start }, part);
  }

  /**
   * The latent that a generator has for a picture, and what it makes of that.
   * @param {LastingSource} source @param {import('./protocol.js').Pixels} picture @param {number | null} kind its class
   * @param {(() => void) | null} [begun] called when the model is loaded
   * @returns {Promise<import('./protocol.js').Latent>}
   */
  latent(source, picture, kind, begun = null) {
    return this.add('generate', { kind: Ask.LATENT, source, picture, class: kind }, begun);
  }

  /**
   * A picture through the tokens of a model, and the codes that are nearest to each of its latents.
   * @param {LastingSource} source @param {import('./protocol.js').Pixels} picture @param {number} count of codes
   * @returns {Promise<import('./protocol.js').Nearest>}
   */
  nearest(source, picture, count) {
    return this.add('generate', { kind: Ask.NEAREST, source, picture, count });
  }

  /**
   * Pictures on the way between two, by the latents of a model with tokens, which are quantized again.
   * @param {LastingSource} source @param {import('./protocol.js').Pixels} first @param {import('./protocol.js').Pixels} second
   * @param {number} count with both ends, at least 2
   * @returns {Promise<import('./protocol.js').Between>}
   */
  between(source, first, second, count) {
    return this.add('generate', { kind: Ask.BETWEEN, source, first, second, count });
  }

  /**
   * What each code of a model looks like.
   * @param {LastingSource} source @returns {Promise<import('./protocol.js').Tiles>}
   */
  codes(source) {
    return this.add('generate', { kind: Ask.CODES, source });
  }

  /** Ends what is queued or running of the pictures that are compared. */
  cancelGenerate() {
    this.supersede(['generate']);
  }

  /**
   * Finds out which of one or two files is a prior, and whether the other one decodes its tokens.
   * @param {import('./protocol.js').Brought[]} files @returns {Promise<import('./protocol.js').Adopted>}
   */
  adopt(files) {
    return this.add('adopt', { kind: Ask.ADOPT, files });
  }

  /**
   * Has a prior draw some of a picture's tokens anew.
   * @param {LastingSource} prior @param {Uint8Array<ArrayBuffer>} tokens a token file @param {Uint32Array} indices that it has by now
   * @param {import('./protocol.js').Change} change @param {import('./protocol.js').SampleJob['options']} options
   * @param {(part: import('./protocol.js').SamplePart) => void} part called after each step
   * @returns {Promise<import('./protocol.js').Sampled>} as many proposals as the options say
   */
  fill(prior, tokens, indices, change, options, part) {
    return this.add('edit', { kind: Ask.FILL, prior, tokens, indices, change, options }, part);
  }

  /**
   * Decodes a token file with other indices.
   * @param {Uint8Array<ArrayBuffer>} tokens @param {Uint32Array} indices
   * @returns {Promise<import('./protocol.js').Drawn>}
   */
  paint(tokens, indices) {
    return this.add('edit', { kind: Ask.PAINT, tokens, indices });
  }

  /**
   * Something between two pictures, by interpolating their latents.
   * @param {import('./protocol.js').Pixels} first @param {Photo} second cropped to the size of the first
   * @param {number} share of the second, from 0 to 1
   * @returns {Promise<import('./protocol.js').Drawn>}
   */
  blend(first, second, share) {
    return this.add('edit', { kind: Ask.BLEND, first, second, share });
  }

  /** Ends the edit that is queued or running. */
  cancelEdit() {
    this.supersede(['edit']);
  }

  /**
   * Decodes small square grids of codes of the model in use, all of one size. Few at a time, so that other jobs need not wait.
   * @param {Uint32Array[]} grids row by row @returns {Promise<import('./protocol.js').Tiles>}
   */
  tiles(grids) {
    return this.add('tiles', { kind: Ask.TILES, grids });
  }

  /**
   * Begins a training of the model in use or of a prior on its tokens, or resumes a saved one.
   * @template {import('./protocol.js').Training} T
   * @param {T} tuning @param {Shipped | null} source the discriminator's
   * @param {Blob | null} snapshot
   * @returns {Promise<T extends import('./protocol.js').Teaching ? import('./protocol.js').Taught : import('./protocol.js').Begun>}
   */
  tune(tuning, source, snapshot) {
    return this.add('tune', { kind: Ask.TUNE, tuning, source, snapshot });
  }

  /**
   * @param {number} count at most
   * @param {((step: import('./protocol.js').Step) => void) | null} [step] called for each
   * @returns {Promise<import('./protocol.js').Stepped>}
   */
  steps(count, step = null) {
    return this.add('tune', { kind: Ask.STEPS, count }, step);
  }

  /**
   * The weights as trained so far, of the model or the prior; if they are kept, the tuning is over.
   * @param {string} name @param {boolean} keep @param {string | null} base the shipped model that they come from
   * @returns {Promise<import('./protocol.js').Finished>}
   */
  finish(name, keep, base) {
    return this.add('tune', { kind: Ask.FINISH, name, keep, base });
  }

  /** Discards the tuning. */
  undo() {
    return this.add('tune', { kind: Ask.UNDO });
  }

  /**
   * Begins to train something from random weights, in the place of what was trained so before.
   * @param {import('./protocol.js').LearnJob['lesson']} lesson @returns {Promise<import('./protocol.js').Learning>}
   */
  learn(lesson) {
    return this.add('learn', { kind: Ask.LEARN, lesson });
  }

  /**
   * Its next steps. Few at a time, so that other jobs need not wait.
   * @param {number} count at most @param {(step: import('./protocol.js').Learned) => void} step called for each
   * @returns {Promise<import('./protocol.js').Lesson>}
   */
  lesson(count, step) {
    return this.add('learn', { kind: Ask.LESSON, count }, step);
  }

  /** Its weights so far. @param {string} name @returns {Promise<import('./protocol.js').Finished>} */
  learned(name) {
    return this.add('learn', { kind: Ask.LEARNED, name });
  }
}
