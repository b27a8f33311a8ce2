// @ts-check
// What the room asks of each of its two modes, which share its pictures, its buttons and its run.

/** @typedef {import('../../engine/protocol.js').Training} Training */
/** @typedef {import('../../engine/protocol.js').Loaded} Loaded */
/** @typedef {import('../../engine/protocol.js').Begun | import('../../engine/protocol.js').Taught} Begun */
/** @typedef {{maxSide: number, square: boolean}} Fit how a picture is cropped and scaled elsewhere on the page */

/**
 * @typedef {object} Mode
 * @property {'tune' | 'teach'} id
 * @property {string} title
 * @property {string} lead what it does, in a sentence
 * @property {{what: string, preparing: string, stop: string, undo: string, until: string, rate: string, memory: string}} words `what` it is called,
 *   `until` when its record is discarded, `rate` and `memory` what is proposed after a failure, empty where nothing is
 * @property {boolean} single whether a single step can be taken
 * @property {boolean} early whether the result can be had while it is paused
 * @property {boolean} free whether the picture on the stage need not be among those that it learns from
 * @property {HTMLElement} fields its settings
 * @property {import('./training-view.js').TrainingView} view
 * @property {HTMLElement} keep what becomes of the result
 * @property {(loaded: Loaded) => string} refuses why this model cannot be trained, empty if it can
 * @property {(loaded: Loaded) => void} model shows the settings for another model
 * @property {(model: string, pictures: Blob[], fit: Fit, stem: string) => Training} chosen
 * @property {(training: Training) => void} fill shows the settings of a resumed one
 * @property {(begun: Begun, training: Training, loaded: Loaded) => void} begun
 * @property {(now: import('../../engine/protocol.js').Stepped['now']) => void} preview
 * @property {() => unknown} ended all steps are done, or the visitor stopped it
 * @property {() => void} gone
 * @property {(side: number) => void} smaller proposes smaller crops or squares
 * @property {() => void} slower proposes a tenth of the learning rate
 */

export {};
