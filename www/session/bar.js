// @ts-check
// The page's progress bar: the part of it that each stage of a job fills, and its text.
import { Ask, Stage } from '../engine/protocol.js';
import { megabytes } from './shelf.js';

// Jobs of one kind share a bar: the engine and its model come up together.
/** @typedef {'start' | 'picture' | 'decode' | 'sample' | 'edit' | 'tune'} Kind */
/** @typedef {typeof Stage[keyof typeof Stage]} StageName */

/** @type {Record<import('../engine/protocol.js').Job['kind'], Kind>} */
const KIND = {
  [Ask.OPEN]: 'start',
  [Ask.LOAD]: 'start',
  [Ask.PICTURE]: 'picture',
  [Ask.TOKENS]: 'picture',
  [Ask.DECODE]: 'decode',
  [Ask.SAMPLE]: 'sample',
  [Ask.GENERATE]: 'sample',
  [Ask.LATENT]: 'sample',
  [Ask.NEAREST]: 'sample',
  [Ask.BETWEEN]: 'sample',
  [Ask.CODES]: 'sample',
  [Ask.ADOPT]: 'sample',
  [Ask.FILL]: 'sample',
  [Ask.PAINT]: 'edit',
  [Ask.BLEND]: 'edit',
  [Ask.TILES]: 'edit',
  [Ask.TUNE]: 'tune',
  [Ask.STEPS]: 'tune',
  [Ask.FINISH]: 'tune',
  [Ask.UNDO]: 'tune',
  [Ask.LEARN]: 'tune',
  [Ask.LESSON]: 'tune',
  [Ask.LEARNED]: 'tune',
};
/** @type {Record<Kind, Partial<Record<StageName, [from: number, to: number]>>>} */
const SPAN = {
  start: { [Stage.START]: [0, 0.1], [Stage.DOWNLOAD]: [0.1, 0.9], [Stage.BUILD]: [0.9, 1] },
  picture: { [Stage.ENCODE]: [0, 0.5], [Stage.DECODE]: [0.5, 1] },
  decode: { [Stage.DOWNLOAD]: [0, 0.5], [Stage.BUILD]: [0.5, 0.55], [Stage.DECODE]: [0.55, 1] },
  sample: { [Stage.DOWNLOAD]: [0, 0.9], [Stage.BUILD]: [0.9, 1] },
  edit: { [Stage.ENCODE]: [0, 0.6], [Stage.DECODE]: [0.6, 1] },
  tune: { [Stage.DOWNLOAD]: [0, 0.8], [Stage.ENCODE]: [0, 0.8], [Stage.BUILD]: [0.8, 1] },
};
/** @type {Partial<Record<StageName, string>>} */
const WORDS = {
  [Stage.START]: 'Starting the engine',
  [Stage.BUILD]: 'Building the model',
  [Stage.ENCODE]: 'Photo to tokens',
  [Stage.DECODE]: 'Tokens to photo',
};
/** @type {Partial<Record<StageName, string>>} */
const WITHOUT_TOKENS = { [Stage.ENCODE]: 'Photo to latents', [Stage.DECODE]: 'Latents to photo' };

export class Bar {
  #element;
  /** @type {Kind | null} what it shows */ kind = null;

  /** @param {import('../ui/progress.js').WorkProgress} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {Kind} kind @param {string} text */
  begin(kind, text) {
    this.kind = kind;
    this.#element.begin(text);
  }

  /**
   * @param {import('../engine/protocol.js').ProgressMessage & {job: import('../engine/protocol.js').Job}} progress
   * @param {boolean} working whether a picture is being processed
   * @param {boolean} tokens whether the model makes any
   */
  to({ job, stage, done, total }, working, tokens) {
    const kind = KIND[job.kind];
    const bytes = stage === Stage.DOWNLOAD ? { done, total } : undefined;
    const source = 'source' in job ? job.source : 'prior' in job ? job.prior : null;
    const text =
      bytes && source
        ? `Downloading ${source.name}: ${megabytes(done)} of ${megabytes(total)} MB`
        : (!tokens && WITHOUT_TOKENS[stage]) || WORDS[stage] || '';
    // What has a single window needs no bar: two where two pictures are mixed.
    const small = kind === 'edit' ? 2 : kind === 'decode' && stage === Stage.DECODE ? 1 : 0;
    if (total <= small && this.kind !== kind) return;
    // A worker that is replaced during a run starts again, but its picture is still the same job.
    const again = working && kind === 'start' && this.kind !== null && this.kind !== 'start';
    if (!again && this.kind !== kind) this.begin(kind, text);
    const [from, to] = SPAN[kind][stage] ?? [0, 1];
    this.#element.to(again || !total ? 0 : from + (to - from) * (done / total), text, bytes);
  }

  rest() {
    this.kind = null;
    this.#element.rest();
  }
}
