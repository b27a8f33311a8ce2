// @ts-check
// What the room asks of each of its modes, which share its form and its run.

/** @typedef {import('../../session/comparing.js').Comparing} Comparing */

/**
 * @typedef {object} Task what one job draws
 * @property {string} title
 * @property {(asked: Comparing) => void} wait its turn will come
 * @property {(client: import('../../engine/client.js').EngineClient, asked: Comparing, hear: (part: import('./ways.js').Part) => void) => Promise<void>} draw
 * @property {(why: string) => void} rest it was not drawn
 *
 * @typedef {object} Mode
 * @property {Comparing['mode']} id
 * @property {string} title
 * @property {string} lead what it does, in a sentence
 * @property {string} go what its button says
 * @property {Partial<Comparing>} typed seeds of its own, as they are typed
 * @property {string} from what the field with the seed is called
 * @property {HTMLElement | null} seeds fields for others
 * @property {string} what the choice of a class is called; nothing where there is none
 * @property {HTMLElement | null} fields its own settings
 * @property {HTMLElement} view what it shows
 * @property {Task[]} tasks in their order
 * @property {(asked: Comparing) => void} fill shows the settings
 * @property {(asked: Comparing) => Partial<Comparing>} again other seeds
 * @property {(asked: Comparing) => void} [live] begins or goes on without the room's button, where it draws by itself
 * @property {() => void} [leave] another mode is shown
 */

export {};
