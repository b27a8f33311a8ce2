// The page: it wires the elements to the engine and knows no tensors and no pixels itself.
//
// Hooks for end-to-end tests, kept stable:
//   html[data-state]    loading | ready | working | done | error
//   html[data-view]     empty | result;  html[data-offline=ready] once the second visit works offline
//   #file #drop #samples button[data-sample]   ways in; a paste anywhere is another
//   #compare            [data-shows=original|rebuilt|both], its handle is #compare input[type=range]
//   #stages             [data-shows=one|both]; a picture each in figure[data-stage=vqvae|vqgan]
//   #tokens             its focusable box is #tokens [role=application], its words #token-readout
//   #psnr #ssim #count #bpp #usage #time       values; the bare number is in data-value, as is #memory's
//   #model #size #square #sample #device-choice  settings;  #copy-link copies them
//   #no-tokens          in the place of #tokens for a model without a codebook
//   #device             the line on what runs: [data-kind], [data-problem];  #device-facts the details
//   #save-picture #save-tokens #cancel
//   #progress           its bar is #progress [role=progressbar]; data-done and data-total count bytes
//   #tune               [data-tuning]; its buttons are #tune-run #tune-step #tune-stop #tune-undo #tune-save and
//                       the one in #tune-keep; #tune-at #tune-loss #tune-codes have data-value, #tune-view a picture each in
//                       figure[data-stage=seen|before|now]
//                       what is chosen is in #tune-preset #tune-parts #tune-objective #tune-steps #tune-rate #tune-crop
//   #tune-offer         a tuning that was left: #tune-on #tune-discard;  #model-remove for a kept model
//   #camera             a dialog[open] with #camera-take #camera-done;  #photo-camera #tune-camera open it
//   #boot               shown by boot.js while the modules have not come up, with a sentence and a way on
//   #alert              [data-code] while it shows;  #status the last announcement
import { Bar } from './bar.js';
import { EngineClient } from './engine/client.js';
import { keptModels, removeModel } from './engine/kept.js';
import { Ask, Code, PageCode, TesseraeError, failure } from './engine/protocol.js';
import { purpose } from './files.js';
import { Shelf } from './models.js';
import { ResultView } from './result.js';
import { SEED, link, parse, remember, remembered, speaks } from './settings.js';
import { StagesView } from './stages.js';
import { TuneView } from './tune.js';
import { keepOffline, onNewer, outdated, outdatedError, reload, reloadOnce } from './update.js';
import './ui/alert.js';
import './ui/camera.js';
import './ui/compare.js';
import './ui/device.js';
import './ui/drop.js';
import './ui/numbers.js';
import './ui/pictures.js';
import './ui/progress.js';
import './ui/samples.js';
import './ui/stages.js';
import './ui/tokens.js';
import './ui/tuning.js';

const $ = (id) => document.getElementById(id);
const page = document.documentElement;
const DOWNLOADS = new Set([PageCode.DOWNLOAD_FAILED, PageCode.DOWNLOAD_LENGTH, PageCode.DOWNLOAD_HASH]);
const STALE = new Set([...DOWNLOADS, PageCode.WORKER_FAILED]);

const client = new EngineClient();
const shelf = new Shelf();
const view = new ResultView();
const stages = new StagesView();
const bar = new Bar();
const tune = new TuneView({
  client,
  bar,
  complain,
  discriminator: (name) => shelf.discriminator(name),
  taken: (name) => [...$('model').options].some((option) => option.value === name),
  base: (name) => (shelf.has(name) ? name : (brought.get(name)?.base ?? null)),
  use(name, weights, base) {
    kept.add(name);
    useModel({ from: 'file', name, blob: new Blob([weights]), config: null, base });
  },
  bringBack,
  relist: () => listKept(),
});
let settings = parse(location.hash);
let chosen = ''; // the name of the model that was chosen last, by hand
let loading = 0; // how many weights are on their way
const brought = new Map(); // weight files of the visitor, by name
const kept = new Set(); // the names of those that this browser keeps
let input = null; // the file on the stage
let pending = null; // the file of the newest run
let ticket = 0; // only the newest job may end on the page

/** The model in use, as the engine has it: its name, its grids and its palettes. */
const inUse = () => client.model && { name: client.model.name, grids: client.model.model.grids, palettes: client.model.palettes };
const state = (name) => (page.dataset.state = name);
const working = () => page.dataset.state === 'working';
const onStage = () => (working() ? pending : input);

function complain(error, action) {
  if (error.code === Code.CANCELLED) return;
  if (error.code === PageCode.RELEASE_CHANGED) return replace(error);
  $('alert').show(error, action);
  // What fails because the server has another release by now, only a reload mends.
  if (STALE.has(error.code)) outdated().then((yes) => yes && $('alert').dataset.code === error.code && replace(outdatedError()));
}

/** This page cannot go on as it is: it loads the newest release, by itself where nothing would be lost. */
function replace(error) {
  $('alert').show(error, { label: 'Reload', run: reload });
  if (!input && !pending && $('tune').dataset.tuning === 'idle') reloadOnce();
}

// ---- the model

const ownOption = (name) => new Option(`${name} (yours)`, name);

/** Lists what this browser keeps, for which no network is needed. */
async function listKept() {
  for (const own of await keptModels().catch(() => [])) {
    kept.add(own.name);
    brought.set(own.name, own);
  }
  fillModels();
}

function fillModels() {
  const shown = $('model').value;
  $('model').replaceChildren(...shelf.options(), ...[...brought.keys()].map(ownOption));
  $('model').disabled = !$('model').length;
  $('model').value = loading ? shown : (inUse()?.name ?? '');
}

/** The page names the model in use, whatever was chosen: in the list, and in the address if it is a shipped one. */
function nameModel() {
  const name = inUse()?.name ?? '';
  if (name && ![...$('model').options].some((o) => o.value === name)) $('model').add(ownOption(name));
  $('model').value = name;
  $('model').disabled = !$('model').length;
  if (shelf.has(name) && (name === chosen || shelf.source(settings.model).name !== name)) apply({ model: name });
}

/** The model that the address asks for, or the first. */
async function shipped() {
  const asked = settings.model;
  await listKept();
  try {
    await shelf.load();
  } catch (error) {
    const own = brought.size ? ' Yours are under “Model”.' : '';
    throw new TesseraeError(error.code, error.message + own);
  }
  fillModels();
  const wanted = shelf.source(asked);
  if (asked && wanted.name !== asked) {
    complain({ code: Code.MODEL_UNKNOWN, message: `There is no model called “${asked}”, so ${wanted.name} is in use.` });
  }
  $('model').value = wanted.name;
  return wanted;
}

/** Makes other weights the model in use, null for the chosen one; then runs `next`. */
async function useModel(wanted, next = onStage()?.kind === 'picture' ? onStage() : null) {
  const mine = ++ticket;
  state('loading');
  loading += 1;
  $('alert').clear();
  try {
    wanted ??= await shipped();
    bar.begin('start', `Loading ${wanted.name}`);
    await client.load(wanted);
    if (wanted.from === 'file') brought.set(wanted.name, wanted);
    if (mine !== ticket) return;
    if (next) await run(next);
    else if (stages.due) showBoth();
  } catch (error) {
    const newest = mine === ticket;
    const again = {
      label: 'Try again',
      run: () => (newest ? useModel(wanted?.from === 'shipped' ? wanted : null, next) : useModel(wanted)),
    };
    const action = DOWNLOADS.has(error.code) || !inUse() ? again : undefined;
    if (newest) stop(error, action);
    // What has come meanwhile goes on with the model in use, so the visitor must know which that is.
    else complain(failure(error), action);
  } finally {
    loading -= 1;
    if (!loading) nameModel();
  }
}

client.addEventListener('model', ({ detail }) => {
  nameModel();
  tune.model(detail);
  if (!detail) {
    $('model-facts').replaceChildren();
    $('model-remove').hidden = true;
    return;
  }
  const { name, model: facts } = detail;
  $('model-facts').replaceChildren(...shelf.describe(detail));
  $('model-remove').hidden = !kept.has(name);
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
  if (!detail.source) return complain(detail);
  // A picture that waited for the model fails by itself.
  const again = { label: 'Try again', run: () => useModel(detail.source) };
  if (working()) complain(detail, again);
  else stop(detail, again);
});

async function removeOwn() {
  const { name } = inUse();
  if (!confirm(`Remove ${name} from this browser?`)) return;
  await removeModel(name).catch(() => {});
  kept.delete(name);
  brought.delete(name);
  [...$('model').options].find((option) => option.value === name)?.remove();
  useModel(null);
}

// ---- one picture, or one token file

async function run(next) {
  const mine = ++ticket;
  state('working');
  $('alert').clear();
  pending = next;
  if (inUse()) bar.begin('picture', 'Reading the file');
  const photo = next.kind === 'tokens' ? null : { blob: next.blob, maxSide: Number(settings.size), square: settings.square };
  try {
    const result = await (photo
      ? client.picture(photo, settings.sample ? Number(settings.sample) : null, part)
      : client.tokens(next.blob, part));
    if (mine !== ticket) return;
    settle('done', view.done(result));
    stages.done(result, photo);
    if (photo) tune.photo(photo, next.stem);
    if (stages.due) showBoth();
  } catch (error) {
    if (mine !== ticket) return;
    const reader = error.codebook && shelf.reader(error.codebook);
    const again = { label: 'Try again', run: () => (inUse() ? run(next) : useModel(null, next)) };
    if (reader) stop(error, { label: `Load ${reader.name}, which reads them`, run: () => chooseModel(reader.name, next) });
    else stop(error, !inUse() || error.code === PageCode.WORKER_FAILED ? again : undefined);
  }
}

/** Has the other stage of the model decode the tokens on the stage too; whatever fails, they stay. */
async function showBoth() {
  const mine = ++ticket;
  state('working');
  $('alert').clear();
  pending = input;
  bar.begin('decode', 'Fetching the other stage');
  try {
    const decoded = await client.decode(...stages.due);
    if (mine === ticket) settle('done', stages.show(decoded));
  } catch (error) {
    if (mine !== ticket) return;
    stop(error, { label: 'Try again', run: () => $('stages').choose('both') });
    $('stages').choose('one');
  }
}

/** What is known before the end of the newest run. */
function part(detail) {
  input = pending;
  const model = inUse();
  view.part(detail, input, model);
  stages.part(detail, shelf.stages(model.name));
  if (detail.tokens?.warning) complain({ code: 'tokens_other_decoder', message: detail.tokens.warning });
}

/** The model and the picture of a tuning that was left; false if they cannot be had. */
async function bringBack({ model: name, photos: [photo] }) {
  const there = inUse()?.name === name;
  const source = shelf.has(name) ? shelf.source(name) : brought.get(name);
  if (!there && !source) {
    complain({ code: Code.MODEL_UNKNOWN, message: `The tuning is of ${name}, which is not here: drop its file, then go on.` });
    return false;
  }
  apply({ size: String(photo.maxSide), square: photo.square });
  fillControls();
  const next = { kind: 'picture', blob: photo.blob, stem: 'picture', sample: null };
  await (there ? run(next) : useModel(source, next));
  return page.dataset.state === 'done' && inUse()?.name === name;
}

function accept(file, { sample = null, config = null } = {}) {
  const name = file.name || 'pasted.png';
  const kind = purpose(name);
  if (kind === 'weights') return useModel({ from: 'file', name, blob: file, config });
  if (kind === 'shards')
    return complain(new TesseraeError(Code.WEIGHTS_SHARDED, 'These weights are spread over several files, which this page does not read.'));
  if (kind === 'config') return complain(new TesseraeError(Code.CONFIG_INVALID, 'A config file is of no use by itself.'));
  const stem = name.replace(/(\.tesserae)?\.[^.]*$/, '') || 'picture';
  const next = { kind, blob: file, stem, sample };
  return inUse() || client.loading ? run(next) : useModel(null, next);
}

const rerun = () => onStage()?.kind === 'picture' && run(onStage());

// ---- the bar, and how a job ends

client.addEventListener('progress', ({ detail }) => {
  // An engine that comes up after its visitor has cancelled has no bar to fill.
  if (detail.job.kind === Ask.OPEN && page.dataset.state !== 'loading' && !working()) return;
  bar.to(detail, working(), inUse()?.grids.length !== 0);
});

function settle(name, words) {
  bar.rest(words);
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

function chooseModel(name, next) {
  chosen = name;
  useModel(shelf.has(name) ? shelf.source(name) : brought.get(name), next);
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
  if (!inUse() && !loading && page.dataset.state === 'loading') useModel(null);
}

$('drop').addEventListener('file', ({ detail }) => accept(detail.file, detail));
let clicked = 0;
$('samples').addEventListener('sample', async ({ detail }) => {
  const mine = ++clicked;
  const blob = await fetch(detail.url).then(
    (r) => (r.ok ? r.blob() : null),
    () => null,
  );
  if (mine !== clicked) return;
  if (blob) accept(new File([blob], detail.file, { type: blob.type }), { sample: detail.name });
  else complain(new TesseraeError(PageCode.DOWNLOAD_FAILED, 'This sample could not be loaded.'));
});
async function photograph() {
  const [photo] = await $('camera').take(1);
  if (photo) accept(new File([photo], 'camera.jpg', { type: photo.type }));
}
$('photo-camera').hidden = !navigator.mediaDevices;
$('photo-camera').addEventListener('click', photograph);
$('samples').addEventListener('camera', photograph);
$('tune-pictures').addEventListener('camera', async ({ detail }) => $('tune-pictures').add(await $('camera').take(detail)));
$('camera').addEventListener('fail', ({ detail }) => complain(detail));
$('size').addEventListener('change', () => (apply({ size: $('size').value }), rerun()));
$('square').addEventListener('change', () => (apply({ square: $('square').checked }), rerun()));
$('sample').addEventListener('change', () => (apply({ sample: $('sample').checked ? SEED : '' }), rerun()));
$('model-remove').addEventListener('click', removeOwn);
$('model').addEventListener('change', () => chooseModel($('model').value));
$('stages').addEventListener('choose', () => {
  // What is on its way asks by itself when it is there.
  if (stages.due && !working() && !loading) showBoth();
  else if ($('stages').choice === 'one' && bar.kind === 'decode') client.cancel();
});
$('device-choice').addEventListener('change', () => (apply({ device: $('device-choice').value }), openDevice()));
$('progress').addEventListener('cancel', () => client.cancel());
$('copy-link').addEventListener('click', async () => {
  const copied = await navigator.clipboard?.writeText(link(settings)).then(
    () => true,
    () => false,
  );
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

onNewer(() => ($('update').hidden = false));
$('update-reload').addEventListener('click', reload);

async function start() {
  fillControls();
  // The engine, the list of models and the weights: what can come at the same time does.
  const opened = openDevice(remembered());
  await useModel(null);
  await opened;
  tune.offer();
  if (await keepOffline()) page.dataset.offline = 'ready';
}

start();
