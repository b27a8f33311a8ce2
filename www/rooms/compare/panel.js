// @ts-check
// The room's panel: its elements and their order. room.js adds the behaviour.
import { RANGES } from '../../session/sampling.js';
import { button, field, h } from '../../ui/h.js';
import { chipField } from '../shared/chips.js';

export function panel() {
  const modes = chipField('comparing-mode', 'What to do', []);
  const classes = chipField('comparing-classes', 'What to draw', []);
  const [least, most] = RANGES.seed;
  const seed = h('input', { id: 'comparing-seed', type: 'number', min: least, max: most, step: 1, required: true, autocomplete: 'off' });
  const run = h('button', { type: 'submit', id: 'comparing-run', class: 'button primary' }, 'Draw');
  const stop = button('Stop', null, { id: 'comparing-stop', class: 'button quiet' });
  const fill = h('div', { class: 'progress-fill' });
  const at = h('p', { id: 'comparing-at', class: 'note' });
  const status = h('div', { class: 'go-status' }, h('div', { class: 'progress-track', 'aria-hidden': 'true' }, fill), at, stop);
  const from = field('Seed', seed);
  const go = h('div', { class: 'go' }, run, from);
  const choices = h('div', { class: 'comparing-choices' }, classes);
  const form = h('form', { id: 'comparing-form' }, modes, choices, go, status);
  const none = h('p', { id: 'comparing-none', class: 'note', hidden: true }, 'This page has none of the models to compare.');
  const views = h('div', { class: 'comparing-views' });
  const board = h('div', { class: 'comparing-board', hidden: true }, form, views);
  const lead = h('p', { class: 'room-lead' });
  const element = h(
    'section',
    { id: 'comparing', class: 'room comparing', 'aria-label': 'Compare', 'data-comparing': 'idle' },
    h('h2', { class: 'room-title' }, 'Compare'),
    lead,
    none,
    board,
  );
  return { element, board, lead, modes, choices, classes, seed, run, stop, fill, at, status, form, none, views, go, from };
}
