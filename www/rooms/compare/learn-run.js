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
const FULL = 'The training needs more memory than there is.';
/** @type {Record<string, string>} */
const WORDS = { [Code.CANCELLED]: GONE, [Code.DEVICE_LOST]: LOST, [Code.LOSS_NOT_FINITE]: BROKEN, [PageCode.OUT_OF_MEMORY]: FULL };
/** What to do next, where that is not what it is in other rooms. @type {Record<string, string>} */
const WAY_ON = {
  [Code.CANCELLED]: 'Start over, or choose another seed.',
  [PageCode.TUNING_GONE]: 'Start over, or choose another seed.',
  [Code.LOSS_NOT_FINITE]: 'Start over with another seed.',
  [PageCode.OUT_OF_MEMORY]: 'Close other tabs, then start over.',
};

export class LearnRun {
  #session;
  #changed;
  #show;
  /** @type {Lesson | null} the engine's */ #live = null;
  /** @type {Promise<Blob> | null} */ #sheet = null;
  #turn = 0;

  /**
   * @param {import('../../session/session.js').Session} session
   * @param {(lesson: Lesson) => void} changed @param {(lesson: Lesson) => void} show brings it before the visitor
   */
  constructor(session, changed, show) {
    this.#session = session;
    this.#changed = changed;
    this.#show = show;
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
    lesson.go();
    this.#set(lesson, 'running');
    try {
      // One short job after the other, so that those of other rooms have their turn.
      do {
        const { done } = await client.lesson(lesson.steps, (step) => {
          if (mine !== this.#turn) return;
          lesson.step(step);
          this.#tell(lesson);
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

  /** Another mode is chosen, which has the room's work from now on. */
  leave() {
    this.pause();
    this.#session.work('compare', -1);
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
    const reported = {
      code: code === Code.CANCELLED ? PageCode.TUNING_GONE : code,
      message: WORDS[code] ?? message,
      wayOn: WAY_ON[code],
    };
    // Nothing is trained where nobody sees it.
    const again = () => (this.#show(lesson), this.start(lesson, lesson.seed));
    this.#session.complain(reported, { label: 'Start over', run: again });
  }

  /** The engine has it no longer. @param {Lesson} lesson */
  #leave(lesson) {
    lesson.live = false;
    this.#set(lesson, lesson.state === 'ended' ? 'ended' : 'gone');
  }

  /** @param {Lesson} lesson @param {Lesson['state']} state */
  #set(lesson, state) {
    lesson.state = state;
    this.#tell(lesson);
    this.#session.holds('learn', this.#live !== null);
    this.#changed(lesson);
  }

  /** How far it is, unless another mode has the room's work by now. @param {Lesson} lesson */
  #tell({ state, done, steps }) {
    if (this.#session.address.comparing.mode !== 'learn') return;
    const busy = state === 'starting' || state === 'running';
    this.#session.work('compare', busy ? done / steps : -1);
  }
}

async function fetched() {
  let why = '';
  try {
    const response = await fetch(new URL(SHEET, document.baseURI).href);
    if (response.ok) return await response.blob();
    why = ` (the server answered ${response.status})`;
  } catch {
    // The connection was lost, perhaps half-way.
  }
  throw new TesseraeError(PageCode.DOWNLOAD_FAILED, `The handwritten digits to learn from could not be downloaded${why}.`);
}
