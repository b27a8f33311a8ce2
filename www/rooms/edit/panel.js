// @ts-check
// The room's panel: its elements and their order. room.js adds the behaviour.
import { button, h } from '../../ui/h.js';
import '../../ui/samples.js';
import { chipField, chips } from '../shared/chips.js';

/** The tools, in the order of their chips. @type {[id: string, title: string][]} */
export const TOOLS = [
  ['fill', 'Fill'],
  ['extend', 'Extend'],
  ['vary', 'Vary'],
  ['paint', 'Paint'],
  ['blend', 'Blend'],
];

/** @typedef {ReturnType<typeof panel>} Panel */

/** @param {HTMLElement} board @param {HTMLElement[]} tools @param {HTMLElement} drawing */
export function panel(board, tools, drawing) {
  const file = h('input', {
    id: 'edit-file',
    class: 'visually-hidden',
    type: 'file',
    accept: 'image/png,image/jpeg,image/webp,.png,.jpg,.jpeg,.webp,.tokens',
    'aria-label': 'Choose a picture to edit',
  });
  const picker = h('sample-picker', { id: 'edit-samples', for: 'edit-file', label: 'Choose a picture to edit, or drop one here' });
  const empty = h('div', { id: 'edit-empty', class: 'edit-empty' }, file, picker);

  const undo = button('Undo', null, { id: 'edit-undo', title: 'Undo (Ctrl+Z)' });
  const redo = button('Redo', null, { id: 'edit-redo', title: 'Redo (Ctrl+Shift+Z)' });
  const open = button('Open in Rebuild', null, { id: 'edit-open' });
  const savePicture = button('Save picture', null, { id: 'edit-save-picture' });
  const saveTokens = button('Save tokens', null, { id: 'edit-save-tokens' });
  const readout = h('p', { id: 'edit-readout', class: 'edit-readout', 'aria-live': 'polite' });
  const stage = h(
    'div',
    { class: 'edit-stage' },
    h('div', {}, board, h('div', { class: 'edit-under' }, undo, redo, readout)),
    h('div', { class: 'actions' }, savePicture, saveTokens, open),
  );

  const choice = chipField('edit-tools', 'Tool', chips('edit-tool', TOOLS));
  const ways = h('div', { class: 'edit-row', hidden: true });
  const missing = h('p', { id: 'edit-missing', class: 'note' });
  const note = h('div', { class: 'edit-missing', hidden: true }, missing, ways);
  const work = h('div', { class: 'edit-work' }, ...tools, drawing);
  const how = h('details', { id: 'edit-how', class: 'more' }, h('summary', {}, 'How it works'), h('p'));
  const side = h('div', { class: 'edit-side' }, choice, note, work, how);
  const desk = h('div', { class: 'edit-desk', hidden: true }, stage, side);
  const element = h(
    'section',
    { id: 'edit', class: 'room edit', 'aria-label': 'Edit' },
    h('h2', { class: 'room-title' }, 'Edit'),
    h(
      'p',
      { class: 'room-lead' },
      'Changes a picture by its tokens: have a part of it drawn anew, give it more room, paint with single codes, or blend it with another picture. What you do not touch keeps its tokens.',
    ),
    empty,
    desk,
  );
  return {
    element,
    file,
    picker,
    empty,
    undo,
    redo,
    open,
    savePicture,
    saveTokens,
    readout,
    choice,
    missing,
    ways,
    note,
    work,
    how,
    side,
    desk,
  };
}
