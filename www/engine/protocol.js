// @ts-check
// The types of all messages between the page and its worker.

/** What the page asks for. One job runs at a time; `CANCEL` may interrupt it, and `PAUSE` its steps. */
export const Ask = Object.freeze(
  /** @type {const} */ ({
    OPEN: 'open',
    LOAD: 'load',
    PICTURE: 'picture',
    TOKENS: 'tokens',
    DECODE: 'decode',
    SAMPLE: 'sample',
    GENERATE: 'generate',
    LATENT: 'latent',
    NEAREST: 'nearest',
    BETWEEN: 'between',
    CODES: 'codes',
    ADOPT: 'adopt',
    FILL: 'fill',
    PAINT: 'paint',
    BLEND: 'blend',
    TILES: 'tiles',
    TUNE: 'tune',
    STEPS: 'steps',
    FINISH: 'finish',
    UNDO: 'undo',
    LEARN: 'learn',
    LESSON: 'lesson',
    LEARNED: 'learned',
    CANCEL: 'cancel',
    PAUSE: 'pause',
  }),
);

/** What the worker reports, `HELLO` first. Every job ends with exactly one of `DONE` and `FAILED`. */
export const Tell = Object.freeze(
  /** @type {const} */ ({
    HELLO: 'hello',
    PROGRESS: 'progress',
    PART: 'part',
    STEP: 'step',
    DONE: 'done',
    FAILED: 'failed',
    DEAD: 'dead',
  }),
);

/** The stages of a job, in the order in which the progress bar passes them. */
export const Stage = Object.freeze(
  /** @type {const} */ ({
    START: 'start',
    DOWNLOAD: 'download',
    BUILD: 'build',
    ENCODE: 'encode',
    DECODE: 'decode',
  }),
);

/** Codes that only the page has; all others are those of the Rust crate's `Error::code`. */
export const PageCode = Object.freeze(
  /** @type {const} */ ({
    DOWNLOAD_FAILED: 'download_failed',
    DOWNLOAD_LENGTH: 'download_length',
    DOWNLOAD_HASH: 'download_hash',
    WORKER_FAILED: 'worker_failed',
    NOT_KEPT: 'not_kept',
    NAME_TAKEN: 'name_taken',
    PRIOR_FILES: 'prior_files',
    TOKENIZER_WANTED: 'tokenizer_wanted',
    TOO_MANY: 'too_many',
    CAMERA_REFUSED: 'camera_refused',
    CAMERA_FAILED: 'camera_failed',
    TUNING_GONE: 'tuning_gone',
    OUT_OF_MEMORY: 'out_of_memory',
    RELEASE_CHANGED: 'release_changed',
  }),
);

/** Codes of the crate that the page itself acts on. */
export const Code = Object.freeze(
  /** @type {const} */ ({
    CANCELLED: 'cancelled',
    DEVICE_LOST: 'device_lost',
    IMAGE_CORRUPT: 'image_corrupt',
    IMAGE_TOO_LARGE: 'image_too_large',
    TOKENS_CORRUPT: 'tokens_corrupt',
    TOKENS_OTHER_CODEBOOK: 'tokens_other_codebook',
    TOKENS_RETIRED: 'tokens_retired',
    WEIGHTS_CORRUPT: 'weights_corrupt',
    WEIGHTS_SHARDED: 'weights_sharded',
    WEIGHTS_MISMATCH: 'weights_mismatch',
    NO_CODEBOOK: 'no_codebook',
    CONFIG_INVALID: 'config_invalid',
    MODEL_UNKNOWN: 'model_unknown',
    LOSS_NOT_FINITE: 'loss_not_finite',
    ARGUMENT: 'argument',
    IO: 'io',
    INTERNAL: 'internal',
  }),
);

/** Bytes of a dropped file that are read at most, so that a wrong file cannot fill the memory. */
export const FILE_LIMITS = Object.freeze({
  picture: 256 * 2 ** 20,
  tokens: 64 * 2 ** 20,
  weights: 2 ** 32 - 2 ** 20,
  config: 2 ** 20,
});

/** An error with a stable code and a message that is one plain sentence. */
export class TesseraeError extends Error {
  /** @param {string} code @param {string} message @param {Pick<Failure, 'codebook' | 'smaller' | 'prior'>} [more] */
  constructor(code, message, { codebook, smaller, prior } = {}) {
    super(message);
    this.name = 'TesseraeError';
    this.code = code;
    this.codebook = codebook;
    this.smaller = smaller;
    this.prior = prior;
  }
}

export const absent = () => new TesseraeError(PageCode.DOWNLOAD_FAILED, 'The part of this page that decodes pictures could not be loaded.');

/**
 * The error for a picture that crashed the engine, or its decoder.
 * @param {boolean} memory whether it ran out
 */
export const undecodable = (memory) =>
  memory
    ? new TesseraeError(Code.IMAGE_TOO_LARGE, 'This picture needs more memory than the browser has.')
    : new TesseraeError(Code.IMAGE_CORRUPT, 'This picture could not be decoded, so its file is probably damaged.');

/** @param {string} name that a kept or a shipped model has */
export const nameTaken = (name) => new TesseraeError(PageCode.NAME_TAKEN, `A model called “${name}” already exists.`);

/** @param {unknown} error @returns {Failure} what is left of an error after a `postMessage` */
export function failure(error) {
  const e = /** @type {Partial<Record<keyof Failure, unknown>>} */ (Object(error));
  const message = typeof e.message === 'string' && e.message ? e.message : String(error);
  const codebook = typeof e.codebook === 'string' ? e.codebook : undefined;
  const smaller = typeof e.smaller === 'number' ? e.smaller : undefined;
  const prior = e.prior === true || undefined;
  return { code: typeof e.code === 'string' ? e.code : Code.INTERNAL, message, codebook, smaller, prior };
}

/**
 * The package's own types, as they are generated:
 * @typedef {import('./wasm.js').DeviceChoice} DeviceChoice
 * @typedef {import('./wasm.js').DeviceFacts} DeviceFacts
 * @typedef {import('./wasm.js').ModelFacts} ModelFacts
 * @typedef {import('./wasm.js').TokenFacts} TokenFacts
 * @typedef {import('./wasm.js').PriorFacts} PriorFacts
 * @typedef {import('./wasm.js').Quality} Quality
 * @typedef {import('./wasm.js').Usage} Usage
 * @typedef {import('./wasm.js').SampleOptions} SampleOptions
 * @typedef {import('./wasm.js').PictureOptions} PictureOptions
 *
 * @typedef {import('./wasm.js').TuneConfig & Required<Pick<import('./wasm.js').TuneConfig, 'parts' | 'objective' | 'steps' | 'learning_rate' | 'crop'>>} TuneConfig
 *   with the fields that the page always fills in
 *
 * @typedef {object} Failure
 * @property {string} code
 * @property {string} message
 * @property {string} [codebook] hash, where a token file needs a model with another codebook
 * @property {number} [smaller] side of crops or squares to try, where a training has run out of memory
 * @property {boolean} [prior] whether weights that are no model are a prior
 * @property {boolean} [device] whether the graphics device has refused its work
 *
 * @typedef {object} ModelEntry one entry of models/index.json
 * @property {string} name
 * @property {string} kind
 * @property {'vqvae' | 'vqgan'} stage how it was trained: by reconstruction alone, or against a
 *   discriminator as well
 * @property {string} file
 * @property {number} bytes
 * @property {string} sha256
 * @property {object} config
 * @property {string | null} codebook hash, as in TokenFacts; entries with the same one read each
 *   other's tokens
 * @property {string[]} [retired] hashes of the codebooks that earlier versions of it had
 * @property {{file: string, bytes: number, sha256: string}} [discriminator] for training only
 * @property {string} card file name of the model card, next to the index
 * @property {string} trained_on
 * @property {string} licence
 * @property {Record<string, unknown>} quality
 *
 * @typedef {object} PriorEntry one entry of models/index.json that predicts another one's tokens
 * @property {string} name
 * @property {string} kind
 * @property {'prior'} stage
 * @property {string} file
 * @property {number} bytes
 * @property {string} sha256
 * @property {{codes: number, rows: number, columns: number, classes?: number}} config and what else its kind has
 * @property {{name: string, hash: string}[]} needs the model whose tokens it predicts, with the hash of its codebook
 * @property {string[]} [classes] their names, in order
 * @property {Pick<SampleOptions, 'steps' | 'guidance' | 'temperature'>} [sampling] the settings that its samples were measured with
 * @property {string} card
 * @property {string} trained_on
 * @property {string} licence
 * @property {Record<string, unknown>} [quality]
 *
 * @typedef {object} GeneratorEntry one entry of models/index.json that makes pictures out of numbers, without tokens
 * @property {string} name
 * @property {'vae' | 'gan' | 'diffusion'} kind
 * @property {'generator'} stage
 * @property {string} file
 * @property {number} bytes
 * @property {string} sha256
 * @property {object} config
 * @property {string[]} [classes] their names, in order
 * @property {Pick<PictureOptions, 'steps' | 'guidance' | 'temperature'>} [sampling] the settings to draw with
 * @property {string} card
 * @property {string} trained_on
 * @property {string} licence
 * @property {Record<string, unknown>} quality
 *
 * @typedef {object} Shipped weights that the store fetches, checks and keeps
 * @property {'shipped'} from
 * @property {string} name
 * @property {string} url absolute
 * @property {number} bytes
 * @property {string} sha256
 *
 * @typedef {object} Dropped weights that the visitor brought
 * @property {'file'} from
 * @property {string} name
 * @property {Blob} blob
 * @property {Blob | null} config the config.json that came with them
 * @property {string | null} [base] the shipped model that a kept one was tuned from
 *
 * @typedef {Dropped & {key: string}} Brought the visitor's weights that stay loaded next to the model in use, and what
 *   tells them from others
 *
 * @typedef {Shipped | Dropped} WeightSource
 * @typedef {Shipped | Brought} LastingSource
 *
 * @typedef {object} Opened
 * @property {DeviceFacts} device
 * @property {string | null} remember what to pass as `remembered` next time
 * @property {string} version
 *
 * @typedef {object} Loaded
 * @property {ModelFacts} model
 * @property {string} name
 * @property {Uint8Array[]} palettes of each grid's codebook, three bytes per code
 * @property {'cache' | 'network' | 'healed' | 'file'} origin
 *
 * @typedef {{width: number, height: number, rgba: Uint8ClampedArray<ArrayBuffer>}} Pixels
 *
 * @typedef {object} TokenPart
 * @property {TokenFacts} facts
 * @property {Uint32Array[]} indices one row-major array per grid
 * @property {Uint8Array<ArrayBuffer>} file the token file
 * @property {string | null} warning a sentence if another decoder made these tokens
 *
 * @typedef {object} Part what is known before the job ends
 * @property {Pixels} [original]
 * @property {TokenPart} [tokens]
 *
 * @typedef {object} Result
 * @property {Pixels} rebuilt
 * @property {Uint8Array<ArrayBuffer>} png
 * @property {Quality | null} quality null when only tokens were given
 * @property {{encode: number | null, decode: number}} seconds
 *
 * @typedef {{id: number, kind: 'open', choice: DeviceChoice, remembered?: string}} OpenJob
 * @typedef {{id: number, kind: 'load', source: WeightSource}} LoadJob
 * @typedef {object} Photo
 * @property {Blob} blob
 * @property {number} maxSide longest side in pixels, 0 for the picture's own
 * @property {boolean} square the centre square alone
 *
 * @typedef {object} PictureJob
 * @property {number} id
 * @property {'picture'} kind
 * @property {Photo} photo
 * @property {number | null} sample seed of latents that are drawn, for a model without a codebook;
 *   null takes their means
 *
 * @typedef {{id: number, kind: 'tokens', blob: Blob}} TokensJob
 *
 * @typedef {object} DecodeJob
 * @property {number} id
 * @property {'decode'} kind
 * @property {Shipped} source weights with the codebook of the model in use and another decoder
 * @property {number} share of those weights in the decoder's: 0 is the model in use, 1 the other one
 * @property {Uint8Array<ArrayBuffer>} tokens a token file
 * @property {Pixels | null} original what the tokens were made of, null where only the tokens were given
 *
 * @typedef {object} SampleJob new pictures from a prior; the model in use stays
 * @property {number} id
 * @property {'sample'} kind
 * @property {LastingSource} prior
 * @property {LastingSource} tokenizer the model whose tokens it predicts
 * @property {SampleOptions & {count: number}} options
 *
 * @typedef {{id: number, kind: 'adopt', files: Brought[]}} AdoptJob one or two files of the visitor's: a prior, and the
 *   model that decodes its tokens
 *
 * @typedef {object} Adopted
 * @property {number} index of the file that is the prior
 * @property {PriorFacts} facts
 * @property {string | null} codebook hash of the other file's, which fits
 *
 * @typedef {object} Forming a picture that is being drawn
 * @property {Int32Array} tokens row-major; −1 where not drawn yet
 * @property {Pixels | null} preview null where the last one is still the newest
 *
 * @typedef {{done: number, steps: number, pictures: Forming[]}} SamplePart after a step
 *
 * @typedef {object} Drawn a picture that has been drawn
 * @property {Pixels} pixels
 * @property {Uint8Array<ArrayBuffer>} png
 * @property {Uint8Array<ArrayBuffer>} file its token file
 * @property {Uint32Array} indices
 * @property {TokenFacts} facts
 *
 * @typedef {{pictures: Drawn[], seconds: number}} Sampled without the time that loading and previews took
 *
 * @typedef {object} GenerateJob new pictures from a generator; the model in use stays
 * @property {number} id
 * @property {'generate'} kind
 * @property {LastingSource} source
 * @property {PictureOptions & {count: number}} options
 * @property {Float32Array | null} noise what each picture is made of, one after the other; null draws it by the seed
 * @property {Pixels | null} start the picture that it goes on from, as far as `options.strength` says
 *
 * @typedef {{done: number, steps: number, pictures: Pixels[]}} GeneratePart after a step, with no pictures where the last
 *   ones are still the newest
 * @typedef {Pick<Drawn, 'pixels' | 'png'>} Generated a picture that has been generated
 * @typedef {{pictures: Generated[], seconds: number}} Generation without the time that loading and previews took
 *
 * @typedef {{id: number, kind: 'latent', source: LastingSource, picture: Pixels, class: number | null}} LatentJob the
 *   latent that a picture comes from, or nearly, and what the generator makes of it
 * @typedef {{latent: Float32Array, pixels: Pixels}} Latent
 *
 * @typedef {{id: number, kind: 'nearest', source: LastingSource, picture: Pixels, count: number}} NearestJob a picture
 *   through a model with tokens, and the codes that are nearest to each of its latents
 * @typedef {import('./wasm.js').Nearest & {pixels: Pixels}} Nearest and what its tokens decode to
 *
 * @typedef {{id: number, kind: 'between', source: LastingSource, first: Pixels, second: Pixels, count: number}} BetweenJob
 *   pictures on the way between two, by their latents, which are quantized again
 * @typedef {{pictures: {pixels: Pixels}[]}} Between
 *
 * @typedef {{id: number, kind: 'codes', source: LastingSource}} CodesJob what each code of a model looks like among its like:
 *   three by three of it
 *
 * @typedef {{top: number, right: number, bottom: number, left: number}} Margins in tokens
 * @typedef {{kind: 'fill', mask: Uint8Array} | {kind: 'extend', margins: Margins} | {kind: 'vary', share: number, seed: number}} Change
 *   what a prior draws anew: the tokens where the mask is not zero, those around the picture, or a share of all
 *
 * @typedef {object} FillJob a picture's tokens, some of which a prior draws for the model in use
 * @property {number} id
 * @property {'fill'} kind
 * @property {LastingSource} prior
 * @property {Uint8Array<ArrayBuffer>} tokens a token file
 * @property {Uint32Array} indices that it has by now
 * @property {Change} change
 * @property {SampleJob['options']} options
 *
 * @typedef {{id: number, kind: 'paint', tokens: Uint8Array<ArrayBuffer>, indices: Uint32Array}} PaintJob decodes a token
 *   file with other indices
 *
 * @typedef {object} BlendJob something between two pictures, the second cropped to the size of the first
 * @property {number} id
 * @property {'blend'} kind
 * @property {Pixels} first
 * @property {Photo} second
 * @property {number} share of the second
 *
 * @typedef {{id: number, kind: 'tiles', grids: Uint32Array[]}} TilesJob decodes each of these square grids of codes by itself
 * @typedef {{side: number, tiles: Uint8ClampedArray<ArrayBuffer>[]}} Tiles RGBA of each, and the side in pixels
 *
 * @typedef {object} Tuning a tuning and its progress when last saved
 * @property {string} model its name
 * @property {Photo[]} photos 1 to 50, the first of which is shown
 * @property {TuneConfig} config
 * @property {number[]} losses of the steps done
 *
 * @typedef {object} Teaching the training of a small prior on the tokens of photos, and its progress when last saved
 * @property {'prior'} goal
 * @property {string} name of the prior
 * @property {string} model the name of the one whose tokens it learns
 * @property {Photo[]} photos 1 to 50
 * @property {{steps: number, seed: number}} config
 * @property {number[]} losses in bits a token, of the steps done
 *
 * @typedef {Tuning | Teaching} Training
 *
 * @typedef {object} TuneJob begins a training, or resumes a saved one; the model in use stays
 * @property {number} id
 * @property {'tune'} kind
 * @property {Training} tuning
 * @property {Shipped | null} source the discriminator to start from
 * @property {Blob | null} snapshot to resume from
 *
 * @typedef {object} Preview the first photo, rebuilt by the model as it is now
 * @property {Pixels} rebuilt
 * @property {Quality} quality
 * @property {Usage | null} usage of the steps since the preview before; null before the first step,
 *   and for a model without a codebook
 *
 * @typedef {object} Begun
 * @property {Pixels} seen the first photo as the model sees it: damaged, for a restoration
 * @property {Quality | null} damaged how close that is to the photo, for a restoration
 * @property {Preview} before
 * @property {Preview} now
 * @property {number} done
 * @property {Kept} kept
 *
 * @typedef {'yes' | 'no' | 'other' | 'left'} Kept whether a training survives closing this page; not, if `other`, since
 *   another tab's does; if `left`, since an unfinished one does; if `no`, since the browser stores nothing
 *
 * @typedef {{made: Pixels}} Made what a prior draws as it is now: a few pictures in one
 *
 * @typedef {object} Taught the begin of a prior's training
 * @property {Pixels} yours the first few photos in one
 * @property {{rows: number, columns: number}} window of tokens that it learns to predict
 * @property {{rows: number, columns: number}[]} sizes of all photos in tokens
 * @property {Made} now
 * @property {number} done
 * @property {Kept} kept
 *
 * @typedef {{id: number, kind: 'steps', count: number}} StepsJob the next steps, until a pause
 *
 * @typedef {object} Stepped
 * @property {number} done
 * @property {Preview | Made} now
 * @property {number | null} wrong the step whose loss was not finite, after which `done` is that of
 *   the last snapshot
 *
 * @typedef {{id: number, kind: 'finish', name: string, keep: boolean, base: string | null}} FinishJob
 * @typedef {{weights: Uint8Array<ArrayBuffer>}} Finished
 * @typedef {{id: number, kind: 'undo'}} UndoJob
 *
 * @typedef {object} LearnJob begins to train something from random weights; the model in use stays
 * @property {number} id
 * @property {'learn'} kind
 * @property {object} lesson
 * @property {object} lesson.config as `tesserae train` takes it
 * @property {number} lesson.steps in all
 * @property {Blob} lesson.sheet square pictures, row by row, whose classes are 0 to 9 over and over
 * @property {number} lesson.side of each, in pixels
 * @property {PictureOptions | null} lesson.draws how a generator draws; null for an autoencoder, which rebuilds
 *
 * @typedef {object} Look what it makes of what it has learned so far
 * @property {Pixels[]} pictures two of each class, one class after the other; of an autoencoder one of each, rebuilt
 * @property {Usage | null} usage of an autoencoder's codebook since the look before
 *
 * @typedef {{shown: Pixels[], look: Look}} Learning with the pictures that an autoencoder rebuilds
 * @typedef {{id: number, kind: 'lesson', count: number}} LessonJob its next steps, for about a second or until a pause
 * @typedef {{step: number, losses: Record<string, number>, seconds: number, look: Look | null}} Learned after a step
 * @typedef {{done: number}} Lesson
 * @typedef {{id: number, kind: 'learned', name: string}} LearnedJob asks for its weights
 *
 * @typedef {OpenJob | LoadJob | PictureJob | TokensJob | DecodeJob | SampleJob | GenerateJob | LatentJob | NearestJob | BetweenJob | CodesJob | AdoptJob | FillJob | PaintJob | BlendJob | TilesJob | TuneJob | StepsJob | FinishJob | UndoJob | LearnJob | LessonJob | LearnedJob} Job
 * @typedef {{id: number, kind: 'cancel'} | {id: number, kind: 'pause'}} Interruption
 * @typedef {Job | Interruption} ToWorker
 *
 * @typedef {{tell: 'hello', release: string}} HelloMessage the worker's release; its shape never changes
 *
 * @typedef {object} ProgressMessage
 * @property {'progress'} tell
 * @property {number} id
 * @property {typeof Stage[keyof typeof Stage]} stage
 * @property {number} done bytes for a download, steps otherwise
 * @property {number} total
 *
 * @typedef {{tell: 'part', id: number, part: Part | SamplePart | GeneratePart | null}} PartMessage without a part where it only says that the model is loaded
 *
 * @typedef {object} Step
 * @property {number} step
 * @property {number} loss of pixels, or bits a token of a prior
 * @property {number} seconds
 * @property {Preview | Made | null} now every few steps
 * @typedef {{tell: 'step', id: number, step: Step | Learned}} StepMessage
 *
 * @typedef {object} DoneMessage
 * @property {'done'} tell
 * @property {number} id
 * @property {Opened | Loaded | Result | Sampled | Generation | Latent | Nearest | Between | Adopted | Drawn | Tiles | Begun | Taught | Stepped | Finished | Learning | Lesson | null} value
 * @property {number} memory bytes that the engine has allocated so far, not counting the graphics
 *   device's
 *
 * @typedef {{tell: 'failed', id: number, error: Failure}} FailedMessage
 * @typedef {{tell: 'dead', error: Failure}} DeadMessage the instance has crashed: start another worker
 * @typedef {HelloMessage | ProgressMessage | PartMessage | StepMessage | DoneMessage | FailedMessage | DeadMessage} FromWorker
 */
