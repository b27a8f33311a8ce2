// @ts-check
// Chips, one of which is chosen: radio buttons to the keyboard and to a screen reader.
import { h } from '../../ui/h.js';

/** @param {string} name of the group @param {[value: string, text: string][]} options */
export const chips = (name, options) =>
  options.map(([value, text]) =>
    h('label', { class: 'kind' }, h('input', { type: 'radio', name, class: 'visually-hidden', value }), h('span', {}, text)),
  );

/** A chip for each class. @param {string} name of the group @param {string[]} names @param {boolean} any whether none need be chosen */
export const classChips = (name, names, any) =>
  chips(name, [
    ...names.map((text, i) => /** @type {[string, string]} */ ([String(i), text])),
    ...(any ? [/** @type {[string, string]} */ (['any', 'Any'])] : []),
  ]);

/** A group of them. @param {string} id @param {string} legend @param {HTMLElement[]} options */
export const chipField = (id, legend, options) =>
  h('fieldset', { class: 'kinds' }, h('legend', {}, legend), h('div', { id, class: 'kinds-list' }, ...options));

/** The one that is chosen. @param {ParentNode} group */
export const chosenIn = (group) => /** @type {HTMLInputElement | null} */ (group.querySelector('input:checked'))?.value ?? '';
