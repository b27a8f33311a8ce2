// @ts-check
// The dedicated worker that owns the engine and the model. It does one job at a time, in the order
// in which they come; a wasm abort kills the instance, which is told once as `dead`.
import { Ask, Code, FILE_LIMITS, PageCode, Stage, Tell, TesseraeError, failure } from './protocol.js';
import { keepModel } from './kept.js';
import { RELEASE } from './release.js';
import { weights } from './store.js';
import { Tuned, halved } from './tuned.js';

/** @typedef {import('./protocol.js').FromWorker} FromWorker */
/** @typedef {import('./protocol.js').ToWorker} ToWorker */

const PACKAGE = new URL('../pkg/tesserae.js', import.meta.url).href;
/** @type {any} the wasm package once it runs */
let wasm = null;
/** @type {any} */ let engine = null;
/** @type {any} */ let model = null;
/** @type {Tuned | null} */ let tuned = null;
/** @type {Set<number>} */ const cancelled = new Set();
/** @type {Set<number>} */ const paused = new Set();
/** @type {ReadonlySet<string>} */ const TUNING = new Set([Ask.TUNE, Ask.STEPS, Ask.FINISH]);
/** @type {number | undefined} crops to try if the tuning runs out of memory */ let smaller;
let current = 0;
let dead = false;
let panic = '';

// What a panic says goes to the console alone; the abort that follows it says nothing.
const { error: log } = console;
console.error = (...words) => {
  panic = String(words[0]);
  log.apply(console, words);
};

/** @param {FromWorker} message @param {Transferable[]} [transfer] */
const tell = (message, transfer = []) => self.postMessage(message, { transfer });
const cancelError = () => new TesseraeError(Code.CANCELLED, 'The work was cancelled.');
const macrotask = () => new Promise((resolve) => setTimeout(resolve));

/** @param {number} id A cancel can only arrive between macrotasks. */
async function breathe(id) {
  await macrotask();
  if (cancelled.has(id)) throw cancelError();
}

/** @param {number} id */
const watcher = (id) => (/** @type {typeof Stage[keyof typeof Stage]} */ stage, /** @type {number} */ done, /** @type {number} */ total) => {
  if (cancelled.has(id)) return false;
  tell({ tell: Tell.PROGRESS, id, stage, done, total });
  return true;
};

/** @param {Blob} blob @param {number} limit @param {string} code */
function checkSize(blob, limit, code) {
  if (blob.size > limit) {
    throw new TesseraeError(code, `This file has ${Math.ceil(blob.size / 2 ** 20)} MB; at most ${limit / 2 ** 20} MB are read.`);
  }
}

/** @param {Blob} blob @param {number} limit @param {string} code */
async function read(blob, limit, code) {
  checkSize(blob, limit, code);
  const buffer = await blob.arrayBuffer().catch(() => {
    throw new TesseraeError(Code.IO, 'The file could not be read: it may have been moved or changed.');
  });
  return new Uint8Array(buffer);
}

/** @param {import('./protocol.js').Dropped} source The weights stay a file, which the engine reads in pieces. */
async function dropped({ blob, config }) {
  checkSize(blob, FILE_LIMITS.weights, Code.WEIGHTS_CORRUPT);
  const json = config ? new TextDecoder().decode(await read(config, FILE_LIMITS.config, Code.CONFIG_INVALID)) : undefined;
  return { bytes: blob, json, origin: /** @type {const} */ ('file') };
}

/** @param {any} picture @returns {import('./protocol.js').Pixels} */
const pixels = (picture) => ({ width: picture.width, height: picture.height, rgba: picture.rgba() });

/**
 * Weights that are whole and fit the device, before anything is built of them.
 * @param {import('./protocol.js').LoadJob | import('./protocol.js').DecodeJob} job
 * @param {<T>(thing: T) => T} own
 */
async function prepare({ id, source }, own) {
  const watch = watcher(id);
  const { bytes, json, origin } = source.from === 'file'
    ? await dropped(source)
    : { json: undefined, ...(await weights(source, (done, total) => watch(Stage.DOWNLOAD, done, total))) };
  await breathe(id);
  tell({ tell: Tell.PROGRESS, id, stage: Stage.BUILD, done: 0, total: 1 });
  const checked = own(wasm.Weights.check(engine, bytes, json));
  await breathe(id);
  return { checked, origin };
}

/** @param {import('./protocol.js').Photo} photo @param {number} id @param {<T>(thing: T) => T} own */
async function develop({ blob, maxSide, square }, id, own) {
  const bytes = await read(blob, FILE_LIMITS.picture, Code.IMAGE_TOO_LARGE);
  await breathe(id);
  return own(wasm.Picture.decodeFit(bytes, maxSide, square));
}

/** @param {any} tokens @returns {import('./protocol.js').TokenPart} */
function tokenPart(tokens) {
  const facts = tokens.facts;
  return {
    facts,
    indices: facts.grids.map((/** @type {unknown} */ _, /** @type {number} */ grid) => tokens.indices(grid)),
    file: tokens.bytes(),
    warning: model.warning(tokens) ?? null,
  };
}

/** @returns {any} */
function modelInUse() {
  if (!model) throw new TesseraeError(Code.MODEL_UNKNOWN, 'No model is loaded yet.');
  return model;
}

function tuningUnderWay() {
  if (!tuned) throw new TesseraeError(Code.ARGUMENT, 'Nothing is being tuned.');
  return tuned;
}

function endTuning() {
  tuned?.free();
  tuned = null;
}

/** What each kind of job does. `own` remembers what has to be freed when the job ends. */
const work = {
  /** @param {import('./protocol.js').OpenJob} job */
  async [Ask.OPEN](job) {
    tell({ tell: Tell.PROGRESS, id: job.id, stage: Stage.START, done: 0, total: 1 });
    if (!wasm) {
      try {
        const loaded = await import(PACKAGE);
        await loaded.default();
        wasm = loaded;
      } catch (error) {
        throw new TesseraeError(PageCode.WORKER_FAILED, `The engine could not be loaded: ${failure(error).message}.`);
      }
    }
    endTuning();
    model?.free();
    engine?.free();
    model = engine = null;
    engine = await wasm.Engine.open(job.choice, job.remembered);
    tell({ tell: Tell.PROGRESS, id: job.id, stage: Stage.START, done: 1, total: 1 });
    return { device: engine.facts, remember: engine.remember ?? null, version: wasm.version() };
  },

  /** @param {import('./protocol.js').LoadJob} job @param {<T>(thing: T) => T} own */
  async [Ask.LOAD](job, own) {
    // Only weights that are whole replace the model in use; it makes room for them before they are built.
    const { checked, origin } = await prepare(job, own);
    endTuning();
    model?.free();
    model = null;
    try {
      model = await checked.load(engine);
    } catch (error) {
      // Then nothing is left here to work with: the next worker begins with the model that was in use.
      if (failure(error).code !== Code.DEVICE_LOST) die(error);
      throw error;
    }
    tell({ tell: Tell.PROGRESS, id: job.id, stage: Stage.BUILD, done: 1, total: 1 });
    const facts = model.facts;
    /** @type {Uint8Array[]} */ const palettes = [];
    for (let grid = 0; grid < facts.grids.length; grid += 1) palettes.push(await model.palette(grid));
    return { model: facts, name: job.source.name, palettes, origin };
  },

  /** @param {import('./protocol.js').PictureJob} job @param {<T>(thing: T) => T} own */
  async [Ask.PICTURE](job, own) {
    const picture = await develop(job.photo, job.id, own);
    const original = pixels(picture);
    tell({ tell: Tell.PART, id: job.id, part: { original } }, [original.rgba.buffer]);
    await breathe(job.id);
    if (!modelInUse().facts.grids.length) return withoutTokens(job, own, picture);
    const begin = performance.now();
    const tokens = own(await modelInUse().encode(picture, watcher(job.id)));
    const encode = (performance.now() - begin) / 1000;
    return rebuild(job.id, tokens, own, picture, encode);
  },

  /** @param {import('./protocol.js').TokensJob} job @param {<T>(thing: T) => T} own */
  async [Ask.TOKENS](job, own) {
    const bytes = await read(job.blob, FILE_LIMITS.tokens, Code.TOKENS_CORRUPT);
    const tokens = own(wasm.Tokens.parse(bytes));
    return rebuild(job.id, tokens, own, null, null).catch((error) => {
      const { code, message } = failure(error);
      if (code !== Code.TOKENS_OTHER_CODEBOOK && code !== Code.NO_CODEBOOK) throw error;
      throw new TesseraeError(code, message, { codebook: tokens.facts.codebookHash });
    });
  },

  /** @param {import('./protocol.js').DecodeJob} job @param {<T>(thing: T) => T} own */
  async [Ask.DECODE](job, own) {
    const { checked } = await prepare(job, own);
    const other = own(await checked.load(engine));
    const tokens = own(wasm.Tokens.parse(job.tokens));
    const picture = own(await other.decode(tokens, watcher(job.id)));
    const original = job.photo && (await develop(job.photo, job.id, own));
    return { rebuilt: pixels(picture), quality: quality(original, picture) };
  },

  /** @param {import('./protocol.js').TuneJob} job @param {<T>(thing: T) => T} own */
  async [Ask.TUNE]({ id, tuning, source, snapshot }, own) {
    const base = modelInUse();
    endTuning();
    const watch = watcher(id);
    const judge = source && (await weights(source, (done, total) => watch(Stage.DOWNLOAD, done, total))).bytes;
    const pictures = [];
    for (const photo of tuning.photos) pictures.push(await develop(photo, id, own));
    smaller = halved(tuning.config, pictures, base.facts.factor);
    tell({ tell: Tell.PROGRESS, id, stage: Stage.BUILD, done: 0, total: 1 });
    // What the tuner takes over is not freed here.
    const copies = pictures.map((picture) => picture.fit(0, false));
    const tuner = wasm.Tuner.begin(engine, base, copies, tuning.config, judge ?? undefined);
    tuned = new Tuned(wasm, tuner, pictures[0].fit(0, false), tuning);
    return tuned.begin(snapshot);
  },

  /** @param {import('./protocol.js').StepsJob} job */
  async [Ask.STEPS]({ id, count }) {
    return tuningUnderWay().run(count, () => paused.has(id), (step) => tell({ tell: Tell.STEP, id, step }));
  },

  /** @param {import('./protocol.js').FinishJob} job */
  async [Ask.FINISH]({ name, keep, base }) {
    const bytes = await tuningUnderWay().weights(name);
    if (keep) {
      await keepModel(name, bytes, base);
      await tuningUnderWay().forget();
      endTuning();
    }
    return { weights: bytes };
  },

  async [Ask.UNDO]() {
    await tuned?.forget();
    endTuning();
    return null;
  },
};

/**
 * @param {number} id @param {any} tokens @param {<T>(thing: T) => T} own
 * @param {any} original @param {number | null} encode seconds
 */
async function rebuild(id, tokens, own, original, encode) {
  // Tokens of another model are refused by decode, so they are shown only once it has begun.
  const show = () => tell({ tell: Tell.PART, id, part: { tokens: tokenPart(tokens) } });
  if (original) show();
  await breathe(id);
  const begin = performance.now();
  const picture = own(await modelInUse().decode(tokens, watcher(id)));
  const decode = (performance.now() - begin) / 1000;
  if (!original) show();
  await breathe(id);
  return result(original, picture, { encode, decode });
}

/**
 * A model without a codebook: there is nothing to show between the two halves.
 * @param {import('./protocol.js').PictureJob} job @param {<T>(thing: T) => T} own @param {any} original
 */
async function withoutTokens(job, own, original) {
  const watch = watcher(job.id);
  const begin = performance.now();
  let turn = 0;
  const picture = own(await modelInUse().reconstruct(original, job.sample ?? undefined, (/** @type {any} */ stage, /** @type {number} */ done, /** @type {number} */ total) => {
    if (stage === Stage.DECODE) turn ||= performance.now();
    return watch(stage, done, total);
  }));
  const end = performance.now();
  await breathe(job.id);
  return result(original, picture, { encode: (turn - begin) / 1000, decode: (end - turn) / 1000 });
}

/**
 * @param {any} original null where only tokens came in @param {any} picture
 * @param {{encode: number | null, decode: number}} seconds
 * @returns {import('./protocol.js').Result}
 */
function result(original, picture, seconds) {
  return { rebuilt: pixels(picture), png: picture.png(), quality: quality(original, picture), seconds };
}

/** @param {any} original null where only tokens came in @param {any} picture */
const quality = (original, picture) => (original ? { ...wasm.compare(original, picture) } : null);

/** @param {import('./protocol.js').Job} job */
async function perform(job) {
  /** @type {{free(): void}[]} */ const owned = [];
  const own = (/** @type {any} */ thing) => (owned.push(thing), thing);
  const tuning = TUNING.has(job.kind);
  current = job.id;
  panic = '';
  try {
    const value = await work[job.kind](/** @type {any} */ (job), own);
    const { rebuilt, png } = /** @type {Partial<import('./protocol.js').Result>} */ (value ?? {});
    const large = [rebuilt?.rgba.buffer, png?.buffer].filter((buffer) => buffer !== undefined);
    if (!dead) tell({ tell: Tell.DONE, id: job.id, value, memory: wasm.memoryBytes() }, large);
  } catch (error) {
    const told = failure(error);
    if (error instanceof WebAssembly.RuntimeError || (tuning && exhausted(error))) die(error);
    else if (!dead) {
      // The page counts a tuning that fails as gone, so its record is free for others.
      if (tuning && told.code !== PageCode.NOT_KEPT) endTuning();
      tell({ tell: Tell.FAILED, id: job.id, error: told });
    }
  } finally {
    // Freeing in a dead instance would only abort again.
    if (!dead) for (const thing of owned) thing.free();
    cancelled.delete(job.id);
    paused.delete(job.id);
    current = 0;
  }
}

/**
 * Whether memory has run out: an allocation that fails in the module aborts it without a panic; a
 * graphics device's panics, and JavaScript's throws.
 * @param {unknown} error
 */
function exhausted(error) {
  const { message } = failure(error);
  const silent = error instanceof WebAssembly.RuntimeError && /unreachable/i.test(message) && !panic;
  return silent || /out of memory|allocation/i.test(panic || message);
}

/** @param {unknown} error */
function die(error) {
  if (dead) return;
  dead = true;
  const code = exhausted(error) ? PageCode.OUT_OF_MEMORY : PageCode.WORKER_FAILED;
  tell({ tell: Tell.DEAD, error: { code, message: failure(error).message, smaller } });
}

// A panic inside an async function reaches no promise: it surfaces here.
self.addEventListener('error', (event) => {
  event.preventDefault();
  die(event.error ?? event);
});
self.addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  die(event.reason);
});

let queue = Promise.resolve();
self.addEventListener('message', (event) => {
  const message = /** @type {ToWorker} */ (event.data);
  if (message.kind === Ask.CANCEL || message.kind === Ask.PAUSE) {
    if (message.id === current) (message.kind === Ask.CANCEL ? cancelled : paused).add(message.id);
  } else if (!dead) {
    queue = queue.then(() => perform(message));
  }
});

tell({ tell: Tell.HELLO, release: RELEASE });
