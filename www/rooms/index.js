// @ts-check
// The rooms, in the order of their links. Each is a folder with room.js, style.css and icon.svg; shared/ has what
// several of them are made of. A room is loaded when it is first opened, and keeps its state when another is opened.

/**
 * @typedef {object} Room
 * @property {HTMLElement} element
 * @property {(files: File[]) => void} take pictures and token files that were dropped or pasted while it is open
 * @property {boolean} [tokens] whether it takes token files, which are otherwise for the first room
 * @property {boolean} [weights] whether it takes weight files, which are otherwise models for all rooms
 * @property {() => void} [resume] resumes the unfinished training
 * @property {(prior: import('../session/priors.js').Prior) => void} [draw] draws with a prior of the visitor's
 *
 * @typedef {object} Entry
 * @property {string} id its folder, and its name in the address
 * @property {string} title
 * @property {() => Promise<{create: Create}>} load
 *
 * @callback Create
 * @param {import('../session/session.js').Session} session @param {import('../rooms.js').Rooms} rooms
 * @returns {Room}
 */

/** @type {Entry[]} the first is the default */
export const ROOMS = [
  { id: 'rebuild', title: 'Rebuild', load: () => import('./rebuild/room.js') },
  { id: 'edit', title: 'Edit', load: () => import('./edit/room.js') },
  { id: 'sample', title: 'Sample', load: () => import('./sample/room.js') },
  { id: 'compare', title: 'Compare', load: () => import('./compare/room.js') },
  { id: 'tune', title: 'Fine-tune', load: () => import('./tune/room.js') },
];
