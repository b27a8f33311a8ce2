// @ts-check
// The dedicated worker that owns the engine and the model. It does one job at a time, in the order
// in which they arrive; a wasm abort kills the instance, which is reported once as `dead`.
import { Ask, Code, FILE_LIMITS, PageCode, Stage, Tell, TesseraeError, failure } from './protocol.js';
import { isPrior } from './adopted.js';
import { Decoder } from './develop.js';
import { blended, canvasOf, changed, painted, tilesOf } from './edited.js';
import { Generating, Generators } from './generated.js';
import { Held } from './held.js';
import { LESSONS, Lessons } from './lesson.js';
import { looks } from './looked.js';
import { moved, movedPart } from './moved.js';
import { exhausted, forget, panic } from './panic.js';
import { pixels, rgb, tokenPart, unshared } from './pixels.js';
import { dropped, read } from './read.js';
import { RELEASE } from './release.js';
import { Drawers, Sampling } from './sampled.js';
import { weights } from './store.js';
import { TRAINING, Trainings } from './trainings.js';
import { loadWasm } from './wasm.js';

/** @typedef {import('./protocol.js').FromWorker} FromWorker */
/** @typedef {import('./protocol.js').ToWorker} ToWorker */

/** @type {import('./wasm.js').Wasm | null} once it runs */ let wasm = null;
/** @type {import('./wasm.js').Engine | null} */ let engine = null;
/** @type {import('./wasm.js').Model | null} */ let model = null;
/** Another decoder for its tokens. @type {Held<import('./wasm.js').Model>} */ const other = new Held();
/** What drew the newest tokens, next to the model in use, */ const drawers = new Drawers();
/** and what generated the newest pictures. */ const generators = new Generators();
const decoder = new Decoder();
/** @type {Set<number>} */ const cancelled = new Set();
/** @type {Set<number>} */ const paused = new Set();
let current = 0;
/** Aborts what the current job waits for. */
let stop = new AbortController();
let dead = false;

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
const watcher =
  (id) => (/** @type {typeof Stage[keyof typeof Stage]} */ stage, /** @type {number} */ done, /** @type {number} */ total) => {
    if (cancelled.has(id)) return false;
    tell({ tell: Tell.PROGRESS, id, stage, done, total });
    return true;
  };

/**
 * Waits for the graphics device's errors about the work so far. A rejected shader does not make a read
 * fail: its work is skipped, and old values are read. The report of the error ends this worker.
 */
async function settle() {
  await opened().engine.settle();
  if (dead) throw new TesseraeError(PageCode.WORKER_FAILED, 'The engine has failed.');
}

/**
 * Weights that are complete and fit the device, before anything is built from them.
 * @param {import('./protocol.js').LoadJob | import('./protocol.js').DecodeJob} job
 * @param {<T>(thing: T) => T} own
 */
async function prepare({ id, source }, own) {
  const watch = watcher(id);
  const { bytes, json, origin } =
    source.from === 'file'
      ? await dropped(source)
      : { json: undefined, ...(await weights(source, (done, total) => watch(Stage.DOWNLOAD, done, total), stop.signal)) };
  await breathe(id);
  tell({ tell: Tell.PROGRESS, id, stage: Stage.BUILD, done: 0, total: 1 });
  const { wasm, engine } = opened();
  try {
    const checked = own(wasm.Weights.check(engine, bytes, json));
    await breathe(id);
    return { checked, origin };
  } catch (error) {
    if (source.from !== 'file' || !isPrior({ wasm, engine }, { bytes, json }, error)) throw error;
    const { code, message } = failure(error);
    throw new TesseraeError(code, message, { prior: true });
  }
}

/**
 * A picture file as a picture, which the caller has to free.
 * @param {import('./protocol.js').Photo} photo @param {number} id
 * @param {boolean} [rebuilt] whether the model in use will rebuild it, so that it must not be too large
 * @returns {Promise<import('./wasm.js').Picture>}
 */
async function develop(photo, id, rebuilt = true) {
  const { width, height, rgb } = await decoder.decode(photo, rebuilt ? modelInUse().facts.maxPixels : Infinity);
  await breathe(id);
  if (rgb) return opened().wasm.Picture.fromRgb(width, height, rgb);
  // The model's error states its limit.
  modelInUse().admit(width, height);
  throw new TesseraeError(Code.INTERNAL, 'The picture came without its pixels.');
}

/** Frees all that draws pictures next to the model in use. */
function freeDrawers() {
  drawers.free();
  generators.free();
}

/** Frees the model in use, and the other one with it. */
function freeModels() {
  other.free();
  model?.free();
  model = null;
}

/**
 * The other model, which stays loaded until the model in use changes.
 * @param {import('./protocol.js').DecodeJob} job @param {<T>(thing: T) => T} own
 */
async function otherModel(job, own) {
  const known = other.of(job.source);
  if (known) return known;
  other.free();
  const { checked } = await prepare(job, own);
  const loaded = other.put(job.source, await checked.load(opened().engine));
  await breathe(job.id);
  return loaded;
}

/** Weight files, those that are downloaded under one bar. @param {number} id @param {import('./protocol.js').LastingSource[]} sources */
async function fetched(id, sources) {
  const watch = watcher(id);
  const bytesOf = (/** @type {typeof sources} */ some) => some.reduce((sum, one) => sum + (one.from === 'shipped' ? one.bytes : 0), 0);
  const total = bytesOf(sources);
  /** @type {import('./adopted.js').Read[]} */ const files = [];
  for (const [i, source] of sources.entries()) {
    const before = bytesOf(sources.slice(0, i));
    const file =
      source.from === 'file'
        ? await dropped(source)
        : { json: undefined, ...(await weights(source, (done) => watch(Stage.DOWNLOAD, before + done, total), stop.signal)) };
    files.push(file);
  }
  await breathe(id);
  tell({ tell: Tell.PROGRESS, id, stage: Stage.BUILD, done: 0, total: 1 });
  return files;
}

/**
 * Draws tokens step by step, and decodes them.
 * @param {import('./protocol.js').SampleJob | import('./protocol.js').FillJob} job @param {<T>(thing: T) => T} own
 * @param {(wasm: import('./wasm.js').Wasm) => import('./wasm.js').Canvas} [start] what is known of them
 */
async function draw(job, own, start) {
  const { id, prior, options } = job;
  const tokenizer = job.kind === Ask.SAMPLE ? job.tokenizer : null;
  await drawers.load(opened(), prior, tokenizer, (sources) => fetched(id, sources), own);
  await breathe(id);
  const { drawer, model } = drawers.pair(prior, tokenizer, modelInUse);
  const { wasm, engine } = opened();
  const sampler = wasm.Sampler.begin(engine, drawer, options, start?.(wasm));
  return form(id, own(new Sampling(sampler, model, options.count)));
}

/** Takes all steps of some pictures. @template T @param {number} id @param {{step(): Promise<import('./protocol.js').SamplePart | import('./protocol.js').GeneratePart | null>, finish(breathe: () => Promise<void>): Promise<T>}} pictures */
async function form(id, pictures) {
  for (;;) {
    const part = await pictures.step();
    // A cancel can arrive during a step.
    if (cancelled.has(id)) throw cancelError();
    if (!part) return pictures.finish(() => breathe(id));
    tell({ tell: Tell.PART, id, part }, movedPart(part));
  }
}

function opened() {
  if (!wasm || !engine) throw new TesseraeError(PageCode.WORKER_FAILED, 'The engine is not open.');
  return { wasm, engine };
}

function modelInUse() {
  if (!model) throw new TesseraeError(Code.MODEL_UNKNOWN, 'No model is loaded yet.');
  return model;
}

const trainings = new Trainings({
  opened,
  model: modelInUse,
  spare() {
    other.free();
    freeDrawers();
    lessons.end();
  },
  settle,
  develop,
  watcher,
  download: async (source, watch) => (await weights(source, watch, stop.signal)).bytes,
  paused: (id) => paused.has(id),
  tell,
});

const lessons = new Lessons({ opened, settle, develop, breathe, paused: (id) => paused.has(id), tell });

/** What each kind of job does. `own` remembers what has to be freed when the job ends. */
const work = {
  /** @param {import('./protocol.js').OpenJob} job */
  async [Ask.OPEN](job) {
    tell({ tell: Tell.PROGRESS, id: job.id, stage: Stage.START, done: 0, total: 1 });
    if (!wasm) {
      try {
        wasm = await loadWasm();
      } catch (error) {
        console.error(error);
        throw new TesseraeError(
          PageCode.WORKER_FAILED,
          'The engine could not be loaded: one of its files is missing, or this browser is too old to run it.',
        );
      }
    }
    trainings.end();
    lessons.end();
    freeDrawers();
    freeModels();
    engine?.free();
    engine = null;
    engine = await wasm.Engine.open(job.choice, job.remembered);
    tell({ tell: Tell.PROGRESS, id: job.id, stage: Stage.START, done: 1, total: 1 });
    return { device: engine.facts, remember: engine.remember ?? null, version: wasm.version() };
  },

  /** @param {import('./protocol.js').LoadJob} job @param {<T>(thing: T) => T} own */
  async [Ask.LOAD](job, own) {
    // Only complete weights replace the model in use, which is freed before they are built.
    const { checked, origin } = await prepare(job, own);
    trainings.end();
    freeModels();
    try {
      model = await checked.load(opened().engine);
      tell({ tell: Tell.PROGRESS, id: job.id, stage: Stage.BUILD, done: 1, total: 1 });
      const facts = model.facts;
      /** @type {Uint8Array[]} */ const palettes = [];
      for (let grid = 0; grid < facts.grids.length; grid += 1) palettes.push(await model.palette(grid));
      await settle();
      // A first picture is decoded sooner.
      decoder.warm();
      return { model: facts, name: job.source.name, palettes, origin };
    } catch (error) {
      // No model is left here, so the next worker starts with the one that was in use.
      if (failure(error).code !== Code.DEVICE_LOST) die(error);
      throw error;
    }
  },

  /** @param {import('./protocol.js').PictureJob} job @param {<T>(thing: T) => T} own */
  async [Ask.PICTURE](job, own) {
    const { grids } = modelInUse().facts;
    const picture = own(await develop(job.photo, job.id));
    const original = pixels(picture);
    tell({ tell: Tell.PART, id: job.id, part: { original } }, [original.rgba.buffer]);
    await breathe(job.id);
    if (!grids.length) return withoutTokens(job, own, picture);
    const begin = performance.now();
    const tokens = own(await modelInUse().encode(picture, watcher(job.id)));
    const encode = (performance.now() - begin) / 1000;
    return rebuild(job.id, tokens, own, picture, encode);
  },

  /** @param {import('./protocol.js').TokensJob} job @param {<T>(thing: T) => T} own */
  async [Ask.TOKENS](job, own) {
    const bytes = await read(job.blob, FILE_LIMITS.tokens, Code.TOKENS_CORRUPT);
    const tokens = own(opened().wasm.Tokens.parse(bytes));
    return rebuild(job.id, tokens, own, null, null).catch((error) => {
      const { code, message } = failure(error);
      if (code !== Code.TOKENS_OTHER_CODEBOOK && code !== Code.NO_CODEBOOK) throw error;
      throw new TesseraeError(code, message, { codebook: tokens.facts.codebookHash });
    });
  },

  /** @param {import('./protocol.js').DecodeJob} job @param {<T>(thing: T) => T} own */
  async [Ask.DECODE](job, own) {
    const { id, share, original } = job;
    const base = modelInUse();
    const end = await otherModel(job, own);
    const { Picture, Tokens } = opened().wasm;
    const tokens = own(Tokens.parse(job.tokens));
    const begin = performance.now();
    const picture = own(await base.decodeBetween(end, share, tokens, watcher(id)));
    const decode = (performance.now() - begin) / 1000;
    await breathe(id);
    const before = original && own(Picture.fromRgb(original.width, original.height, rgb(original)));
    return result(before, picture, { encode: null, decode });
  },

  /** @param {import('./protocol.js').SampleJob} job @param {<T>(thing: T) => T} own */
  [Ask.SAMPLE](job, own) {
    return draw(job, own);
  },

  /** @param {import('./protocol.js').GenerateJob} job @param {<T>(thing: T) => T} own */
  async [Ask.GENERATE](job, own) {
    const { id, source } = job;
    const generator = await generators.load(opened(), source, (sources) => fetched(id, sources), own);
    await breathe(id);
    return form(id, own(new Generating(opened(), generator, job, () => breathe(id))));
  },

  ...looks({
    opened,
    generators,
    drawers,
    fetched,
    breathe,
    goes: (id) => !cancelled.has(id),
    begun: (id) => tell({ tell: Tell.PART, id, part: null }),
  }),

  /** @param {import('./protocol.js').AdoptJob} job @param {<T>(thing: T) => T} own */
  async [Ask.ADOPT]({ id, files }, own) {
    return drawers.adopt(opened(), files, await fetched(id, files), own);
  },

  /** @param {import('./protocol.js').FillJob} job @param {<T>(thing: T) => T} own */
  async [Ask.FILL](job, own) {
    return draw(job, own, (wasm) => canvasOf(wasm, changed(wasm, job, own), job.change));
  },

  /** @param {import('./protocol.js').PaintJob} job @param {<T>(thing: T) => T} own */
  [Ask.PAINT](job, own) {
    return painted(opened().wasm, modelInUse(), job, own, watcher(job.id));
  },

  /** @param {import('./protocol.js').BlendJob} job @param {<T>(thing: T) => T} own */
  async [Ask.BLEND]({ id, first, second, share }, own) {
    const { width, height } = first;
    const a = own(opened().wasm.Picture.fromRgb(width, height, rgb(first)));
    const b = own(own(await develop(second, id, false)).cover(width, height));
    await breathe(id);
    return blended(modelInUse(), [a, b], share, own, watcher(id));
  },

  /** @param {import('./protocol.js').TilesJob} job */
  [Ask.TILES]({ id, grids }) {
    return tilesOf(modelInUse(), grids, () => breathe(id));
  },

  [Ask.TUNE]: (/** @type {import('./protocol.js').TuneJob} */ job) => trainings[Ask.TUNE](job),
  [Ask.STEPS]: (/** @type {import('./protocol.js').StepsJob} */ job) => trainings[Ask.STEPS](job),
  [Ask.FINISH]: (/** @type {import('./protocol.js').FinishJob} */ job) => trainings[Ask.FINISH](job),
  [Ask.UNDO]: () => trainings[Ask.UNDO](),
  ...lessons.work,
};

/**
 * @param {number} id @param {import('./wasm.js').Tokens} tokens @param {<T>(thing: T) => T} own
 * @param {import('./wasm.js').Picture | null} original @param {number | null} encode seconds
 */
async function rebuild(id, tokens, own, original, encode) {
  // Decoding rejects another model's tokens, so they are shown only once it has begun.
  const show = () => tell({ tell: Tell.PART, id, part: { tokens: tokenPart(tokens, modelInUse()) } });
  await settle();
  if (original) show();
  await breathe(id);
  const begin = performance.now();
  const picture = own(await modelInUse().decode(tokens, watcher(id)));
  const decode = (performance.now() - begin) / 1000;
  await settle();
  if (!original) show();
  await breathe(id);
  return result(original, picture, { encode, decode });
}

/**
 * A model without a codebook: there is nothing to show between the two halves.
 * @param {import('./protocol.js').PictureJob} job @param {<T>(thing: T) => T} own @param {import('./wasm.js').Picture} original
 */
async function withoutTokens(job, own, original) {
  const watch = watcher(job.id);
  const begin = performance.now();
  let turn = 0;
  const picture = own(
    await modelInUse().reconstruct(original, job.sample ?? undefined, (stage, done, total) => {
      if (stage === Stage.DECODE) turn ||= performance.now();
      return watch(stage, done, total);
    }),
  );
  const end = performance.now();
  await breathe(job.id);
  return result(original, picture, { encode: (turn - begin) / 1000, decode: (end - turn) / 1000 });
}

/**
 * @param {import('./wasm.js').Picture | null} original null where only tokens were given @param {import('./wasm.js').Picture} picture
 * @param {{encode: number | null, decode: number}} seconds
 * @returns {import('./protocol.js').Result}
 */
function result(original, picture, seconds) {
  return { rebuilt: pixels(picture), png: unshared(picture.png()), quality: quality(original, picture), seconds };
}

/** @param {import('./wasm.js').Picture | null} original null where only tokens were given @param {import('./wasm.js').Picture} picture */
const quality = (original, picture) => (original ? { ...opened().wasm.compare(original, picture) } : null);

/** @param {import('./protocol.js').Job} job */
async function perform(job) {
  /** @type {{free(): void}[]} */ const owned = [];
  const own = (/** @type {any} */ thing) => (owned.push(thing), thing);
  const lesson = LESSONS.has(job.kind);
  const training = TRAINING.has(job.kind) || lesson;
  current = job.id;
  stop = new AbortController();
  forget();
  try {
    const value = await work[job.kind](/** @type {any} */ (job), own);
    await settle();
    tell({ tell: Tell.DONE, id: job.id, value, memory: opened().wasm.memoryBytes() + decoder.memory }, moved(value));
  } catch (error) {
    const reported = failure(error);
    if (error instanceof WebAssembly.RuntimeError || (training && exhausted(error))) die(error);
    else if (!dead) {
      // The page treats a failed training as lost, so its record is free for others.
      if (lesson) lessons.end();
      else if (training && reported.code !== PageCode.NOT_KEPT && reported.code !== PageCode.NAME_TAKEN) trainings.end();
      tell({ tell: Tell.FAILED, id: job.id, error: reported });
    }
  } finally {
    // Freeing in a dead instance would only abort again.
    if (!dead) for (const thing of owned) thing.free();
    cancelled.delete(job.id);
    paused.delete(job.id);
    current = 0;
  }
}

/** @param {unknown} error */
function die(error) {
  if (dead) return;
  dead = true;
  const code = exhausted(error) ? PageCode.OUT_OF_MEMORY : PageCode.WORKER_FAILED;
  tell({
    tell: Tell.DEAD,
    error: { code, message: failure(error).message, smaller: trainings.smaller, device: /wgpu error/i.test(panic()) },
  });
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
    if (message.id !== current) return;
    (message.kind === Ask.CANCEL ? cancelled : paused).add(message.id);
    if (message.kind !== Ask.CANCEL) return;
    stop.abort();
    decoder.cancel();
  } else if (!dead) {
    queue = queue.then(() => perform(message));
  }
});

tell({ tell: Tell.HELLO, release: RELEASE });
