// The page: it wires the elements to the engine and knows no tensors and no pixels itself.
//
// Hooks for end-to-end tests, kept stable:
//   html[data-state]    loading | ready | working | done | error
//   html[data-view]     empty | result;  html[data-offline=ready] once the second visit works offline
//   #file #drop #samples button[data-sample]   ways in; a paste anywhere is another
//   #compare            [data-shows=original|rebuilt|both], its handle is #compare input[type=range]
//   #tokens             its focusable box is #tokens [role=application], its words #token-readout
//   #psnr #ssim #count #bpp #usage #time       values; the bare number is in data-value, as is #memory's
//   #model #size #square #sample #device-choice  settings;  #copy-link copies them
//   #no-tokens          in the place of #tokens for a model without a codebook
//   #device             the line on what runs: [data-kind], [data-problem];  #device-facts the details
//   #save-picture #save-tokens #cancel
//   #progress           its bar is #progress [role=progressbar]; data-done and data-total count bytes
//   #alert              [data-code] while it shows;  #status the last announcement
import { EngineClient } from './engine/client.js';
import { Code, PageCode, Stage, TesseraeError, failure } from './engine/protocol.js';
import { purpose } from './files.js';
import { Shelf, megabytes } from './models.js';
import { ResultView } from './result.js';
import { SEED, link, parse, remember, remembered, speaks } from './settings.js';
import './ui/alert.js';
import './ui/compare.js';
import './ui/device.js';
import './ui/drop.js';
import './ui/numbers.js';
import './ui/progress.js';
import './ui/samples.js';
import './ui/tokens.js';

const $ = (id) => document.getElementById(id);
const page = document.documentElement;
const DOWNLOADS = new Set([PageCode.DOWNLOAD_FAILED, PageCode.DOWNLOAD_LENGTH, PageCode.DOWNLOAD_HASH]);

const client = new EngineClient();
const shelf = new Shelf();
const view = new ResultView();
let settings = parse(location.hash);
let model = null; // name, grids and palettes of the model in use
let source = null; // the weights last asked for
let loading = 0; // how many weights are on their way
const brought = new Map(); // weight files of the visitor, by name
let input = null; // the file on the stage
let pending = null; // the file of the newest run
let bar = null; // the job that the bar is about
let ticket = 0; // only the newest job may end on the page

const state = (name) => (page.dataset.state = name);
const working = () => page.dataset.state === 'working';
const onStage = () => (working() ? pending : input);

function complain(error, action) {
  if (error.code !== Code.CANCELLED) $('alert').show(error, action);
}

// ---- the model

/** Makes other weights the model in use, null for the chosen one; then runs `next`. */
async function useModel(wanted, next = onStage()?.kind === 'picture' ? onStage() : null) {
  const mine = ++ticket;
  const before = source;
  state('loading');
  loading += 1;
  $('alert').clear();
  try {
    if (!wanted) {
      await shelf.load();
      $('model').replaceChildren(...shelf.options());
      $('model').disabled = false;
      wanted = shelf.source(settings.model);
      if (settings.model && wanted.name !== settings.model) {
        complain({ code: Code.MODEL_UNKNOWN, message: `There is no model called “${settings.model}”, so ${wanted.name} is in use.` });
      }
    }
    source = wanted;
    await client.load(wanted);
    if (wanted.from === 'file') brought.set(wanted.name, wanted);
    if (mine === ticket && next) await run(next);
  } catch (error) {
    if (mine !== ticket) return;
    if (before) source = before;
    $('model').value = model?.name ?? '';
    const again = { label: 'Try again', run: () => useModel(wanted?.from === 'shipped' ? wanted : null, next) };
    stop(error, DOWNLOADS.has(error.code) || !model ? again : undefined);
  } finally {
    loading -= 1;
  }
}

client.addEventListener('model', ({ detail }) => {
  const { name, palettes, model: facts } = detail;
  model = { name, palettes, grids: facts.grids };
  const select = $('model');
  if (![...select.options].some((o) => o.value === name)) select.add(new Option(`${name} (yours)`, name));
  select.value = name;
  select.disabled = false;
  $('model-facts').textContent = shelf.describe(detail);
  $('intro-codes').textContent = facts.codebookSize ? facts.codebookSize.toLocaleString('en') : 'countless';
  $('intro-no-tokens').hidden = facts.grids.length > 0;
  // After a restart the model comes back while the page shows an error or a result: that stays.
  if (!working()) settle(page.dataset.state === 'loading' ? 'ready' : page.dataset.state, `The model ${name} is ready.`);
});

client.addEventListener('device', ({ detail: { device, remember: measured, version } }) => {
  $('device-panel').show(device);
  $('version').textContent = `Tesserae ${version}`;
  if (device.problem) remember(null);
  else if (measured) remember(measured);
  // A lost device has been told already, by `restart`.
  if (device.problem && device.problem.code !== Code.DEVICE_LOST && settings.device === 'webgpu') complain(device.problem);
});

client.addEventListener('memory', ({ detail }) => $('device-panel').showMemory(detail));

client.addEventListener('restart', ({ detail }) => {
  if (detail.code === Code.DEVICE_LOST) $('device-choice').value = 'cpu';
  complain(detail);
});

// ---- one picture, or one token file

async function run(next) {
  const mine = ++ticket;
  state('working');
  $('alert').clear();
  pending = next;
  if (model) beginBar('picture', 'Reading the file');
  const options = { maxSide: Number(settings.size), square: settings.square, sample: settings.sample ? Number(settings.sample) : null };
  try {
    const result = await (next.kind === 'tokens' ? client.tokens(next.blob) : client.picture(next.blob, options));
    if (mine === ticket) settle('done', view.done(result));
  } catch (error) {
    if (mine !== ticket) return;
    const again = { label: 'Try again', run: () => (model ? run(next) : useModel(null, next)) };
    stop(error, !model || error.code === PageCode.WORKER_FAILED ? again : undefined);
  }
}

client.addEventListener('part', ({ detail }) => {
  input = pending;
  view.part(detail, input, model);
  if (detail.tokens?.warning) complain({ code: 'tokens_other_decoder', message: detail.tokens.warning });
});

function accept(file, { sample = null, config = null } = {}) {
  const name = file.name || 'pasted.png';
  const kind = purpose(name);
  if (kind === 'weights') return useModel({ from: 'file', name, blob: file, config });
  if (kind === 'shards') return complain(new TesseraeError(PageCode.WEIGHTS_SHARDED, 'These weights are spread over several files, which this page does not read.'));
  if (kind === 'config') return complain(new TesseraeError(Code.CONFIG_INVALID, 'A config file is of no use by itself.'));
  const stem = name.replace(/(\.tesserae)?\.[^.]*$/, '') || 'picture';
  const next = { kind, blob: file, stem, sample };
  return model || loading ? run(next) : useModel(null, next);
}

const rerun = () => onStage()?.kind === 'picture' && run(onStage());

// ---- the bar, and how a job ends

const SPAN = { [Stage.START]: [0, 0.1], [Stage.DOWNLOAD]: [0.1, 0.9], [Stage.BUILD]: [0.9, 1], [Stage.ENCODE]: [0, 0.5], [Stage.DECODE]: [0.5, 1] };
const WORDS = { [Stage.START]: 'Starting the engine', [Stage.BUILD]: 'Building the model', [Stage.ENCODE]: 'Photo to tokens', [Stage.DECODE]: 'Tokens to photo' };
const WITHOUT_TOKENS = { [Stage.ENCODE]: 'Photo to latents', [Stage.DECODE]: 'Latents to photo' };

function beginBar(job, text) {
  bar = job;
  $('progress').begin(text);
}

client.addEventListener('progress', ({ detail: { lane, stage, done, total } }) => {
  // An engine that comes up after its visitor has cancelled has no bar to fill.
  if (lane === 'engine' && page.dataset.state !== 'loading' && !working()) return;
  const job = lane === 'picture' ? 'picture' : 'start';
  const bytes = stage === Stage.DOWNLOAD ? { done, total } : undefined;
  const text = bytes ? `Downloading ${source.name}: ${megabytes(done)} of ${megabytes(total)} MB` : (model?.grids.length === 0 && WITHOUT_TOKENS[stage]) || WORDS[stage];
  // A worker that is replaced in mid-run starts again, but its picture is still the same job.
  const again = bar === 'picture' && job === 'start' && working();
  if (!again && bar !== job) beginBar(job, text);
  const [from, to] = SPAN[stage];
  $('progress').to(again || !total ? 0 : from + (to - from) * (done / total), text, bytes);
});

function settle(name, words) {
  bar = null;
  $('progress').rest(words);
  $('status').textContent = words;
  state(name);
}

function stop(error, action) {
  const cancelled = error.code === Code.CANCELLED;
  settle(cancelled ? (view.complete ? 'done' : 'ready') : 'error', cancelled ? 'Cancelled.' : '');
  complain(failure(error), action);
}

// ---- the visitor

function apply(changed) {
  settings = { ...settings, ...changed };
  history.replaceState(null, '', link(settings));
}

function fillControls() {
  $('size').value = settings.size;
  $('square').checked = settings.square;
  $('sample').checked = settings.sample !== '';
  $('device-choice').value = settings.device;
}

/** A choice made by hand is measured anew, so nothing remembered is passed then. */
async function openDevice(known) {
  const next = onStage();
  state('loading');
  $('alert').clear();
  const opened = client.open(settings.device, known);
  if (next) run(next);
  await opened.catch((error) => stop(error, { label: 'Try again', run: () => openDevice() }));
  // Weights that could not be had before are asked for again; nobody else would.
  if (!model && !loading && page.dataset.state === 'loading') useModel(null);
}

$('drop').addEventListener('file', ({ detail }) => accept(detail.file, detail));
let clicked = 0;
$('samples').addEventListener('sample', async ({ detail }) => {
  const mine = ++clicked;
  const blob = await fetch(detail.url).then((r) => (r.ok ? r.blob() : null), () => null);
  if (mine !== clicked) return;
  if (blob) accept(new File([blob], detail.file, { type: blob.type }), { sample: detail.name });
  else complain(new TesseraeError(PageCode.DOWNLOAD_FAILED, 'This sample could not be loaded.'));
});
$('size').addEventListener('change', () => (apply({ size: $('size').value }), rerun()));
$('square').addEventListener('change', () => (apply({ square: $('square').checked }), rerun()));
$('sample').addEventListener('change', () => (apply({ sample: $('sample').checked ? SEED : '' }), rerun()));
$('model').addEventListener('change', () => {
  const name = $('model').value;
  // A link can name a shipped model only.
  if (shelf.has(name)) apply({ model: name });
  useModel(shelf.has(name) ? shelf.source(name) : brought.get(name));
});
$('device-choice').addEventListener('change', () => (apply({ device: $('device-choice').value }), openDevice()));
$('progress').addEventListener('cancel', () => client.cancel());
$('copy-link').addEventListener('click', async () => {
  const copied = await navigator.clipboard?.writeText(link(settings)).then(() => true, () => false);
  $('copy-link').textContent = copied ? 'Link copied' : 'The link is in the address bar';
  setTimeout(() => ($('copy-link').textContent = 'Copy link to these settings'), 2000);
});
addEventListener('hashchange', () => {
  if (!speaks(location.hash)) return;
  const old = settings;
  settings = parse(location.hash);
  fillControls();
  if (settings.device !== old.device) openDevice();
  if (settings.model !== old.model) useModel(null);
  else if (['size', 'square', 'sample'].some((key) => settings[key] !== old[key])) rerun();
});

async function start() {
  fillControls();
  // The engine, the list of models and the weights: what can come at the same time does.
  const opened = openDevice(remembered());
  await useModel(null);
  await opened;
  if (!('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.register('sw.js').catch(() => null);
  await navigator.serviceWorker.ready;
  page.dataset.offline = 'ready';
}

start();
