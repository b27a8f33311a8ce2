// @ts-check
// A sentence that is seen while a tuning runs in another room, which waits until the visitor asks for something here.
import { h } from '../../ui/h.js';

/**
 * @param {import('../../session/session.js').Session} session @param {string} words
 * @param {() => void} [free] called when the tuning has ended or is paused
 */
export function tuningNote(session, words, free) {
  const element = h('p', { class: 'note', hidden: !session.client.tuning }, words);
  const look = () => {
    const was = !element.hidden;
    element.hidden = !session.client.tuning;
    if (was && element.hidden) free?.();
  };
  session.address.addEventListener('room', look);
  // Each job ends with its memory, just before a next one may begin.
  session.addEventListener('memory', () => setTimeout(look));
  return element;
}
