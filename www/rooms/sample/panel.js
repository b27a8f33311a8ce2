// @ts-check
// The room's panel: its elements and their order. room.js adds the behaviour.
import { RANGES } from '../../session/sampling.js';
import { button, field, h, select } from '../../ui/h.js';
import { chipField } from '../shared/chips.js';

/** @typedef {ReturnType<typeof panel>} Panel */

export function panel() {
  const prior = select('sampling-prior', []);
  const made = field('Made by', prior);
  const classes = chipField('sampling-classes', 'What to draw', []);
  const kinds = /** @type {HTMLElement} */ (classes.lastElementChild);
  const [least, most] = RANGES.seed;
  const seed = h('input', { id: 'sampling-seed', type: 'number', min: least, max: most, step: 1, required: true, autocomplete: 'off' });
  const run = h('button', { type: 'submit', id: 'sampling-run', class: 'button primary' }, 'Sample');
  const stop = button('Stop', null, { id: 'sampling-stop', class: 'button quiet' });
  const fill = h('div', { class: 'progress-fill' });
  const at = h('p', { id: 'sampling-at', class: 'note' });
  const status = h('div', { class: 'go-status' }, h('div', { class: 'progress-track', 'aria-hidden': 'true' }, fill), at, stop);
  const form = h('form', { id: 'sampling-form' }, classes, h('div', { class: 'go' }, run, field('Seed', seed)), status);
  const none = h('p', { id: 'sampling-none', class: 'note', hidden: true }, 'This page has no model that makes new pictures.');
  const gallery = h('section', { class: 'sampling-result', 'aria-label': 'Pictures' });
  const how = h('details', { id: 'sampling-how', class: 'more' }, h('summary', {}, 'How it works'), h('p'));
  const rest = h('div', { class: 'sampling-rest' }, how);
  const board = h('div', { class: 'sampling-board', hidden: true }, form, gallery, rest);
  const element = h(
    'section',
    { id: 'sampling', class: 'room sampling', 'aria-label': 'Sample', 'data-sampling': 'idle' },
    h('h2', { class: 'room-title' }, 'Sample'),
    h('p', { class: 'room-lead' }, 'Draws pictures that nobody has drawn before. Choose what, and watch them form.'),
    none,
    board,
  );
  return { element, board, how, rest, status, made, prior, classes, kinds, seed, run, stop, fill, at, form, none, gallery };
}
