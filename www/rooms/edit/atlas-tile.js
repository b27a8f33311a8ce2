// @ts-check
// One code of the atlas, as a button that shows what it looks like.
import { h } from '../../ui/h.js';

/** @param {Element | null} canvas @param {ImageData} tile */
export function paint(canvas, tile) {
  if (!(canvas instanceof HTMLCanvasElement)) return;
  Object.assign(canvas, { width: tile.width, height: tile.height });
  canvas.getContext('2d')?.putImageData(tile, 0, 0);
}

/**
 * @param {number} code @param {ImageData} tile
 * @param {{uses: number, neighbours: boolean, chosen: boolean, first: boolean}} more how often the picture has it, whether
 *   its neighbours are shown, and whether the Tab key reaches it
 */
export function tileButton(code, tile, { uses, neighbours, chosen, first }) {
  const used = uses ? `used ${uses === 1 ? 'once' : `${uses} times`}` : 'not used';
  const label = `Code ${code}, ${used}${neighbours ? ', in the middle of its neighbours' : ''}`;
  const canvas = h('canvas', { width: 1, height: 1 });
  const button = h('button', {
    type: 'button',
    class: 'atlas-tile',
    'data-code': code,
    'data-look': neighbours ? 'among' : 'alone',
    'aria-label': label,
    title: label,
    'aria-pressed': String(chosen),
    tabindex: first ? 0 : -1,
  });
  button.append(canvas);
  paint(canvas, tile);
  return button;
}

/** Brings a button into view within its list, without moving the page. @param {HTMLElement} list @param {HTMLElement} button */
export function reveal(list, button) {
  const [inner, outer] = [button.getBoundingClientRect(), list.getBoundingClientRect()];
  if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top + 4;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom + 4;
}

/** Moves the focus in a list of them by the arrow keys. @param {HTMLElement} list @param {KeyboardEvent} event */
export function walk(list, event) {
  const tiles = [...list.querySelectorAll('button')];
  const at = tiles.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  const columns = getComputedStyle(list).gridTemplateColumns.split(' ').length;
  /** @type {Record<string, number>} */
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: tiles.length - 1 - at };
  const step = steps[event.key];
  const to = step === undefined ? null : tiles[at + step];
  if (!to) return;
  event.preventDefault();
  tiles[at].tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}
