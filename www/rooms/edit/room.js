// @ts-check
// Edit: the picture that Rebuild shows, changed by its tokens. A prior of its codebook draws some of them anew, or the
// visitor paints and blends them.
//
// Hooks for end-to-end tests, kept stable:
//   #edit               [data-tool], [data-busy] until the picture shows its tokens
//   #edit-empty #edit-file #edit-samples   ways in;  #edit-missing says what is missing, with buttons next to it
//   #edit-picture       the focusable picture, under the brush;  #edit-readout the token under the pointer
//   #edit-undo #edit-redo #edit-save-picture #edit-save-tokens #edit-open
//   #edit-tools input[value=fill|extend|vary|paint|blend]
//   #edit-form          [data-state=working|done];  #edit-run #edit-seed #edit-stop #edit-again #edit-at, the settings under #edit-more
//   #edit-proposals     a canvas and an input each
//   #fill-ways #fill-size #fill-count #fill-all #fill-none;  #extend-top|right|bottom|left;  #vary-share
//   #paint-ways #paint-size #paint-code, #atlas button[data-code], #atlas-looks #atlas-which #atlas-order
//   #blend-file #blend-samples #blend-second #blend-ways #blend-share #blend-size
import { failure } from '../../engine/protocol.js';
import { purpose, save } from '../../files.js';
import { button, on } from '../../ui/h.js';
import { sampleFile } from '../../ui/samples.js';
import { chosenIn } from '../shared/chips.js';
import { Blend } from './blending.js';
import { Desk } from './desk.js';
import { Drawing } from './drawing.js';
import { Paint } from './painting.js';
import { panel } from './panel.js';
import { sameTokens, sizeOf } from './state.js';
import { Extend, Fill, Vary } from './tools.js';
import { HOW, lacks } from './words.js';

/** @typedef {import('../../session/session.js').Rebuilt} Rebuilt */
/** @typedef {import('./tools.js').Tool} Tool */
/** @typedef {import('./state.js').State} State */

class Edit {
  tokens = true;
  #session;
  #rooms;
  #desk;
  #drawing;
  #blend;
  #paint;
  /** @type {Record<string, Tool>} */ #tools;
  #panel;
  /** The one that is at work. @type {Tool | null} */ #tool = null;
  /** What came from Rebuild last. @type {State | null} */ #source = null;
  /** Whether what comes next takes no picture's place: a model is loaded for the one that is here. */ #stays = false;

  /** @param {import('../../session/session.js').Session} session @param {import('../../rooms.js').Rooms} rooms */
  constructor(session, rooms) {
    this.#session = session;
    this.#rooms = rooms;
    this.#desk = new Desk(session, {
      stroke: (cells) => {
        this.#tool?.stroke?.(cells);
        // By now there is something to fill.
        if (!this.#drawing.working) this.#drawing.say('');
      },
      end: () => this.#tool?.end?.(),
      pick: (cell) => this.#tool?.pick?.(cell),
      point: (cell) => this.#point(cell),
    });
    this.#drawing = new Drawing(session, this.#desk);
    this.#paint = new Paint(session, this.#desk);
    this.#blend = new Blend(session, this.#desk);
    this.#tools = {
      fill: new Fill(this.#desk),
      extend: new Extend(this.#desk),
      vary: new Vary(this.#desk),
      paint: this.#paint,
      blend: this.#blend,
    };
    const elements = Object.values(this.#tools).map(({ element }) => element);
    this.#panel = panel(this.#desk.board.element, elements, this.#drawing.element);
    /** @type {HTMLInputElement} */ (this.#panel.choice.querySelector('input')).checked = true;
    this.#listen();
    this.#adopt(session.rebuilt);
    this.#show();
  }

  get element() {
    return this.#panel.element;
  }

  /** A picture becomes the second one while pictures are blended, and otherwise the one to edit. @param {File[]} files */
  async take(files) {
    const [first] = files;
    if (this.#tool === this.#blend && first && purpose(first.name) === 'picture') return this.#blend.take(first);
    (await this.#rooms.get('rebuild'))?.take(files);
  }

  #listen() {
    const { file, picker, undo, redo, open, savePicture, saveTokens, choice } = this.#panel;
    const session = this.#session;
    on(session, 'rebuilt', (/** @type {Rebuilt | null} */ rebuilt) => this.#adopt(rebuilt));
    on(session, 'phase', (/** @type {string} */ phase) => (this.#stays &&= phase !== 'error'));
    for (const list of [session.models, session.ownPriors]) list.addEventListener('list', () => this.#show());
    this.#desk.addEventListener('change', () => this.#show());
    this.#desk.addEventListener('drawn', () => this.#buttons());
    choice.addEventListener('change', () => this.#show());
    file.addEventListener('change', () => {
      this.#rooms.take([...(file.files ?? [])]);
      file.value = '';
    });
    on(picker, 'sample', async (/** @type {import('../../ui/samples.js').Sample} */ sample) => {
      try {
        this.take([await sampleFile(sample)]);
      } catch (error) {
        session.complain(failure(error));
      }
    });
    picker.addEventListener('camera', async () => {
      const [photo] = await session.camera.take(1);
      if (photo) this.take([new File([photo], 'camera.jpg', { type: photo.type })]);
    });
    undo.addEventListener('click', () => this.#desk.undo());
    redo.addEventListener('click', () => this.#desk.redo());
    document.addEventListener('keydown', (event) => this.#key(event));
    savePicture.addEventListener('click', () => this.#save('png'));
    saveTokens.addEventListener('click', () => this.#save('tokens'));
    open.addEventListener('click', () => this.#open());
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { element } = this.#panel;
    const typing = event.target instanceof HTMLInputElement && event.target.type === 'number';
    if (!element.offsetParent || typing || document.querySelector('dialog[open]')) return;
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return;
    event.preventDefault();
    if (event.shiftKey) this.#desk.redo();
    else this.#desk.undo();
  }

  /** Takes the picture that Rebuild shows by now, which can be undone; the same one again leaves what has become of it. @param {Rebuilt | null} rebuilt */
  #adopt(rebuilt) {
    if (rebuilt?.loaded.model.grids.length !== 1) return;
    const { stem, loaded, original, tokens, picture, png } = rebuilt;
    const [side] = loaded.model.grids;
    const [indices] = tokens.indices;
    /** @type {State} */ const state = {
      stem,
      model: loaded.name,
      codebook: loaded.model.codebookHash,
      side,
      original,
      tokens: tokens.file,
      indices,
      size: sizeOf(tokens.facts),
      drawn: { pixels: picture, png, file: tokens.file, indices, facts: tokens.facts },
      by: loaded.model.decoderHash,
    };
    const known = this.#stays || sameTokens(state, this.#source) || sameTokens(state, this.#desk.state);
    this.#stays = false;
    this.#source = state;
    if (!known) this.#desk.put(state);
  }

  /** The picture, the tool or the model in use is another. */
  #show() {
    const { element, desk, empty, choice, how } = this.#panel;
    const { state, undoes } = this.#desk;
    const name = chosenIn(choice);
    const fillers = this.#fillers;
    const missing = lacks(this.#session.models, state, name, fillers);
    const tool = missing ? null : this.#tools[name];
    element.dataset.tool = name;
    /** @type {Element} */ (how.lastElementChild).textContent = HOW[name];
    desk.hidden = !state;
    empty.hidden = !!state || !!missing;
    this.#session.holds('edit', undoes);
    if (tool !== this.#tool) this.#change(tool);
    this.#missing(missing);
    for (const one of Object.values(this.#tools)) one.element.hidden = one !== tool;
    this.#drawing.element.hidden = !tool?.way;
    if (tool?.way) {
      this.#drawing.offer(fillers);
      this.#drawing.use(tool.way);
    }
    if (state) tool?.show();
    this.#buttons();
  }

  /** The priors, shipped and the visitor's own, that can draw tokens of the model in use. */
  get #fillers() {
    const { models, ownPriors } = this.#session;
    const codebook = models.inUse?.model.codebookHash ?? '';
    return [...models.shelf.fillers(codebook), ...ownPriors.fillers(codebook)];
  }

  /** @param {Tool | null} tool */
  #change(tool) {
    const before = this.#tool;
    this.#tool = tool;
    before?.leave();
    this.#drawing.leave();
    if (!tool) this.#desk.board.hand(null);
  }

  /** @param {import('./words.js').Lack | null} missing */
  #missing(missing) {
    const { note, missing: words, ways } = this.#panel;
    // Without a picture it stands in the place of the ways in.
    if (missing && !this.#desk.state) this.#panel.element.append(note);
    else this.#panel.choice.after(note);
    note.hidden = !missing;
    words.textContent = missing?.words ?? '';
    ways.hidden = !missing?.models.length;
    const { models = [], stays = false } = missing ?? {};
    ways.replaceChildren(...models.map((name) => button(`Use ${name}`, () => this.#use(name, stays), { 'data-model': name })));
  }

  /** @param {string} name of a model @param {boolean} stays whether the picture here does, whatever the model makes of the one in Rebuild */
  async #use(name, stays) {
    this.#stays = stays;
    await this.#session.models.choose(name);
    if (!this.#session.working) this.#stays = false;
  }

  #buttons() {
    const { undo, redo, open, savePicture, saveTokens, element } = this.#panel;
    const { undoes, redoes, drawn, busy } = this.#desk;
    undo.disabled = !undoes;
    redo.disabled = !redoes;
    open.disabled = savePicture.disabled = saveTokens.disabled = !drawn;
    element.toggleAttribute('data-busy', busy);
  }

  /** @param {number | null} cell */
  #point(cell) {
    const { state } = this.#desk;
    if (this.#tool === this.#paint) this.#paint.point(cell);
    if (cell === null || !state) return void (this.#panel.readout.textContent = '');
    const { columns } = state.size;
    const code = state.indices[cell];
    const times = state.indices.reduce((n, other) => n + (other === code ? 1 : 0), 0);
    this.#panel.readout.textContent = `Row ${Math.floor(cell / columns) + 1}, column ${(cell % columns) + 1}: code ${code}, used ${times === 1 ? 'once' : `${times} times`}`;
  }

  // ---- what becomes of the picture

  /** @param {'png' | 'tokens'} kind */
  #save(kind) {
    const { drawn, state } = this.#desk;
    if (!drawn || !state) return;
    if (kind === 'png') save(drawn.png, `${state.stem}.edited.png`, 'image/png');
    else save(drawn.file, `${state.stem}.edited.tokens`, 'application/octet-stream');
  }

  async #open() {
    const { drawn, state } = this.#desk;
    if (!drawn || !state) return;
    const room = await this.#rooms.go('rebuild');
    room?.take([new File([drawn.file], `${state.stem}.tokens`, { type: 'application/octet-stream' })]);
  }
}

/** @type {import('../index.js').Create} */
export const create = (session, rooms) => new Edit(session, rooms);
