// @ts-check
// The jobs of the trainings in front of the visitor. The engine has one of them at a time.
import { Code, PageCode, TesseraeError, failure } from '../../engine/protocol.js';
import { save } from '../../files.js';
import { lessonOf } from './learn-ways.js';

/** @typedef {import('./learn-lesson.js').Lesson} Lesson */

const SHEET = 'samples/digits.png';
const GONE = 'The engine was started anew, so this training is gone.';
const LOST = 'The graphics device was lost or failed, so this training is gone. It can start over on the CPU.';
const BROKEN = 'The loss became NaN or infinite, so this training cannot go on.';
/** @type {Record<string, string>} */
const WORDS = { [Code.CANCELLED]: GONE, [Code.DEVICE_LOST]: LOST, [Code.LOSS_NOT_FINITE]: BROKEN };

export class LearnRun {
  #session;
  #changed;
  /** @type {Lesson | null} the engine's */ #live = null;
  /** @type {Promise<Blob> | null} */ #sheet = null;
  #turn = 0;

  /** @param {import('../../session/session.js').Session} session @param {(lesson: Lesson) => void} changed */
  constructor(session, changed) {
    this.#session = session;
    this.#changed = changed;
  }

  /** From random weights, in the place of what was trained before. @param {Lesson} lesson @param {number} seed */
  async start(lesson, seed) {
    const mine = ++this.#turn;
    const before = this.#live;
    this.#live = lesson;
    if (before && before !== lesson) this.#leave(before);
    this.#session.alerts.clear();
    const asked = lessonOf(lesson.training, lesson.fail, seed);
    lesson.begin(seed, asked.steps);
    this.#set(lesson, 'starting');
    try {
      const sheet = await this.#digits();
      if (mine !== this.#turn) return;
      const { shown, look } = await this.#session.client.learn({ ...asked, sheet });
      if (mine !== this.#turn) return;
      lesson.shown = shown;
      lesson.see(look);
    } catch (error) {
      if (mine === this.#turn) this.#fail(lesson, error);
      return;
    }
    if (lesson.state === 'starting') await this.go(lesson);
    else this.#set(lesson, 'paused');
  }

  /** @param {Lesson} lesson that the engine has */
  async go(lesson) {
    const mine = this.#turn;
    const { client } = this.#session;
    this.#set(lesson, 'running');
    try {
      // One short job after the other, so that those of other rooms have their turn.
      do {
        const { done } = await client.lesson(lesson.steps, (step) => {
          if (mine !== this.#turn) return;
          lesson.step(step);
          this.#changed(lesson);
        });
        if (mine !== this.#turn) return;
        lesson.done = done;
      } while (lesson.state === 'running' && lesson.done < lesson.steps);
    } catch (error) {
      if (mine === this.#turn) this.#fail(lesson, error);
      return;
    }
    const over = lesson.done === lesson.steps;
    this.#set(lesson, over ? 'ended' : 'paused');
    this.#session.say(over ? `The training has ended. ${lesson.fail ? '' : lesson.training.end}` : `Paused at step ${lesson.done}.`);
  }

  /** After the current step. */
  pause() {
    const lesson = this.#live;
    if (lesson?.state !== 'running' && lesson?.state !== 'starting') return;
    if (lesson.state === 'running') this.#session.client.pause();
    this.#set(lesson, 'pausing');
  }

  /** @param {Lesson} lesson that the engine has */
  async save(lesson) {
    const mine = this.#turn;
    const name = `digits-${lesson.training.id}-${lesson.seed}`;
    try {
      const { weights } = await this.#session.client.learned(name);
      save(weights, `${name}.safetensors`, 'application/octet-stream');
    } catch (error) {
      if (mine === this.#turn) this.#fail(lesson, error);
    }
  }

  /** The training digits, which are fetched once. */
  #digits() {
    this.#sheet ??= fetched().catch((error) => {
      this.#sheet = null;
      throw error;
    });
    return this.#sheet;
  }

  /** @param {Lesson} lesson @param {unknown} error */
  #fail(lesson, error) {
    const { code, message } = failure(error);
    this.#live = null;
    this.#leave(lesson);
    const reported = { code: code === Code.CANCELLED ? PageCode.TUNING_GONE : code, message: WORDS[code] ?? message };
    this.#session.complain(reported, { label: 'Start over', run: () => this.start(lesson, lesson.seed) });
  }

  /** The engine has it no longer. @param {Lesson} lesson */
  #leave(lesson) {
    lesson.live = false;
    this.#set(lesson, lesson.state === 'ended' ? 'ended' : 'gone');
  }

  /** @param {Lesson} lesson @param {Lesson['state']} state */
  #set(lesson, state) {
    lesson.state = state;
    const busy = state === 'starting' || state === 'running';
    this.#session.work('compare', busy ? lesson.done / lesson.steps : -1);
    this.#session.holds('learn', this.#live !== null);
    this.#changed(lesson);
  }
}

async function fetched() {
  const response = await fetch(new URL(SHEET, document.baseURI).href).catch(() => null);
  if (response?.ok) return response.blob();
  const why = response ? ` (the server answered ${response.status})` : '';
  throw new TesseraeError(PageCode.DOWNLOAD_FAILED, `The handwritten digits to learn from could not be downloaded${why}.`);
}
