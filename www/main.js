// @ts-check
// The page: its header, its sheets, and files that arrive from anywhere. The rooms do the work and share
// one session.
//
// Hooks for end-to-end tests, kept stable:
//   html[data-state]    loading | ready | working | done | error;  html[data-offline=ready] once the second visit works offline
//   #rooms a[data-room] the links, [aria-current=page] the open room's, .room-work the work in progress in it
//   #model #device-chip the chips, which open #model-sheet and #device-sheet; #model has the name in data-value
//   #models button[data-model]  a card each, li[data-own] for the visitor's;  #model-facts of the one in use
//   #device             the line about the device: [data-kind], [data-problem];  #device-choice button[data-device], #device-facts
//   #progress           its bar is #progress [role=progressbar]; data-done and data-total count bytes;  #cancel
//   #tune-offer         an unfinished tuning: #tune-on #tune-discard
//   #camera             a dialog[open] with #camera-take #camera-done;  #photo-camera #tune-camera open it
//   #boot               shown by boot.js if the modules do not start, with a sentence and a button; #unstarted where that is missing
//   #alert              [data-code] while it shows;  #status the last announcement
// Each room's own hooks are listed in its file.
import { Code } from './engine/protocol.js';
import { Rooms } from './rooms.js';
import { ROOMS } from './rooms/index.js';
import { Address } from './session/address.js';
import { howFar, whatLeft } from './session/left.js';
import { Session } from './session/session.js';
import { keepOffline, onNewer, reload } from './update.js';
import { listen } from './ui/drop.js';
import { on } from './ui/h.js';
import './ui/alert.js';
import './ui/camera.js';
import './ui/device.js';
import './ui/models.js';
import './ui/progress.js';
import './ui/sheet.js';

/** @typedef {import('./ui/models.js').Card} Card */

const page = document.documentElement;
/** An element of index.html. @param {string} id */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @template {keyof HTMLElementTagNameMap} K @param {K} tag @param {string} id @returns {HTMLElementTagNameMap[K]} */
const element = (tag, id) => /** @type {HTMLElementTagNameMap[K]} */ ($(id));

/** A sheet that its chip opens, and that closes when an alert is shown. @param {Session} session @param {HTMLElement} chip @param {string} id */
function sheetOf({ alerts }, chip, id) {
  const sheet = element('side-sheet', id);
  chip.addEventListener('click', () => sheet.open());
  alerts.addEventListener('show', () => sheet.close());
  return sheet;
}

/** @param {Session} session @param {Rooms} rooms */
function showModels(session, rooms) {
  const { models } = session;
  const chip = $('model');
  const sheet = sheetOf(session, chip, 'model-sheet');
  const list = element('model-list', 'models');
  models.addEventListener('list', () => {
    const name = models.inUse?.name ?? '';
    chip.dataset.value = name;
    /** @type {HTMLElement} */ (chip.lastElementChild).textContent = name || (models.loading ? '…' : 'none');
    const shipped = models.shelf.cards.map((card) => ({ ...card, own: false, kept: false }));
    list.show([...shipped, ...models.own.map(ownCard)], name);
  });
  on(models, 'model', (/** @type {import('./engine/protocol.js').Loaded | null} */ loaded) => {
    $('model-facts').replaceChildren(...(loaded ? models.shelf.describe(loaded) : []));
  });
  on(list, 'choose', (/** @type {string} */ name) => (sheet.close(), models.choose(name)));
  on(list, 'files', (/** @type {File[]} */ files) => (sheet.close(), rooms.take(files, true)));
  on(list, 'remove', (/** @type {string} */ name) => {
    if (!confirm(`Remove ${name} from this browser?`)) return;
    sheet.close();
    models.remove(name);
  });
}

/** @param {{name: string, bytes: number, kept: boolean}} own @returns {Card} */
const ownCard = ({ name, bytes, kept }) => ({
  name,
  kind: '',
  facts: [`${(bytes / 1e6).toFixed(1)} MB`],
  purpose: '',
  url: null,
  own: true,
  kept,
});

/** @param {Session} session */
function showDevice(session) {
  const { address } = session;
  const chip = $('device-chip');
  const sheet = sheetOf(session, chip, 'device-sheet');
  const panel = element('device-panel', 'device-panel');
  on(session, 'device', (/** @type {import('./engine/protocol.js').Opened} */ { device, version }) => {
    panel.show(device);
    // After a device is lost, the choice is the CPU.
    panel.choice = device.problem?.code === Code.DEVICE_LOST ? 'cpu' : address.settings.device;
    /** @type {HTMLElement} */ (chip.lastElementChild).textContent = device.kind === 'cpu' ? 'CPU' : 'WebGPU';
    $('version').textContent = `Tesserae ${version}`;
  });
  on(session, 'memory', (/** @type {number} */ bytes) => panel.showMemory(bytes));
  panel.choice = address.settings.device;
  address.addEventListener('settings', () => (panel.choice = address.settings.device));
  on(panel, 'choose', (/** @type {import('./engine/protocol.js').DeviceChoice} */ device) => {
    sheet.close();
    address.set({ device });
    session.openDevice();
  });
}

/** @param {Session} session @param {Rooms} rooms */
function offerLeft({ left }, rooms) {
  const offer = $('tune-offer');
  left.addEventListener('change', () => {
    const tuning = left.offered?.tuning;
    offer.hidden = !tuning;
    if (tuning) /** @type {HTMLElement} */ (offer.firstElementChild).textContent = `${whatLeft(tuning)} ${howFar(tuning)}.`;
  });
  $('tune-on').addEventListener('click', async () => (await rooms.go('tune'))?.resume?.());
  $('tune-discard').addEventListener('click', () => left.discard());
}

async function start() {
  const address = new Address(ROOMS.map(({ id }) => id));
  const session = new Session(address, {
    alerts: element('alert-box', 'alert'),
    progress: element('work-progress', 'progress'),
    camera: element('camera-dialog', 'camera'),
  });
  const rooms = new Rooms(session, ROOMS, { nav: $('rooms'), main: $('main') });
  on(session, 'phase', (/** @type {string} */ phase) => (page.dataset.state = phase));
  on(session, 'words', (/** @type {string} */ words) => ($('status').textContent = words));
  showModels(session, rooms);
  showDevice(session);
  offerLeft(session, rooms);
  listen((files) => rooms.take(files));
  // Following the link would replace the settings in the address.
  $('skip').addEventListener('click', (event) => (event.preventDefault(), $('main').focus()));
  onNewer(() => ($('update').hidden = false));
  $('update-reload').addEventListener('click', reload);

  await rooms.start();
  await session.start();
  session.left.look();
  if (await keepOffline()) page.dataset.offline = 'ready';
}

start();
