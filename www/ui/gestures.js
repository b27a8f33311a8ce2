// @ts-check
// Gestures on a picture: tap, hold, drag, pinch and wheel. Mouse, pen and touch alike, in CSS pixels of
// the element.

/** @typedef {import('./view.js').Point} Point */

const HOLD_MS = 500;
/** Two taps this close in time and space are a double tap; for a mouse, the system decides. */
const TWICE_MS = 350;
const TWICE_PIXELS = 30;
/** How far a press may move before it is a drag; fingers are less steady than mice. */
const SLOP = { mouse: 3, other: 10 };
/** After this pause, a new turn of the wheel begins. */
const WHEEL_MS = 250;
/** The most that one wheel event zooms; a notch with Ctrl would be two octaves. */
const WHEEL_OCTAVES = 0.5;

/**
 * @typedef {object} Hand
 * @property {(at: Point) => void} tap a press and its release in one place
 * @property {(at: Point) => void} twice the second tap of two
 * @property {(at: Point | null) => boolean} hold a press stays in one place, or has ended; returns false if it means nothing there, so
 *   that it stays a tap
 * @property {(at: Point, pinched: boolean) => void} grab a drag begins, or continues with the finger left after a pinch
 * @property {(at: Point, by: Point) => void} drag
 * @property {(from: [Point, Point], to: [Point, Point]) => void} pinch
 * @property {(factor: number, at: Point) => void} zoom by the wheel or a trackpad
 * @property {(inward: boolean) => boolean} wheels whether a turn of the wheel without Ctrl that begins now zooms instead of scrolling the page
 */

export class Gestures {
  #element;
  #hand;
  /** @type {Map<number, Point>} where each finger is */ #fingers = new Map();
  /** @type {'none' | 'press' | 'hold' | 'drag' | 'pinch'} */ #phase = 'none';
  /** @type {Point} */ #start = { x: 0, y: 0 };
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #mouse = false;
  #tapped = { x: 0, y: 0, time: -Infinity };
  #wheel = { time: -Infinity, zooms: false };
  #spread = 1;

  /** @param {HTMLElement} element @param {Hand} hand */
  constructor(element, hand) {
    this.#element = element;
    this.#hand = hand;
    element.addEventListener('pointerdown', (event) => this.#down(event));
    element.addEventListener('pointermove', (event) => this.#move(event));
    element.addEventListener('pointerup', (event) => this.#up(event, true));
    element.addEventListener('pointercancel', (event) => this.#up(event, false));
    element.addEventListener('dblclick', () => this.#mouse && hand.twice(this.#start));
    // A long touch is a hold, not a menu.
    element.addEventListener('contextmenu', (event) => this.#phase !== 'none' && !this.#mouse && event.preventDefault());
    // Two fingers are for the picture, whatever `touch-action` leaves to the page.
    element.addEventListener('touchmove', (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });
    element.addEventListener('wheel', (event) => this.#turn(event), { passive: false });
    // A turn of the wheel that scrolls the page continues to when the picture comes under the pointer.
    addEventListener('wheel', (event) => this.#elsewhere(event), { passive: true, capture: true });
    for (const type of ['gesturestart', 'gesturechange']) element.addEventListener(type, (event) => this.#spreads(event));
  }

  /** @param {MouseEvent} event @returns {Point} */
  #place(event) {
    const { left, top } = this.#element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || this.#fingers.size === 2) return;
    this.#element.setPointerCapture(event.pointerId);
    this.#mouse = event.pointerType === 'mouse';
    const at = this.#place(event);
    this.#fingers.set(event.pointerId, at);
    if (this.#fingers.size === 2) return this.#become('pinch');
    this.#start = at;
    this.#become('press');
    this.#timer = setTimeout(() => {
      if (this.#hand.hold(at)) this.#phase = 'hold';
    }, HOLD_MS);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (!this.#fingers.has(event.pointerId)) return;
    const from = [...this.#fingers.values()];
    const at = this.#place(event);
    this.#fingers.set(event.pointerId, at);
    const to = [...this.#fingers.values()];
    if (this.#phase === 'pinch') return this.#hand.pinch(/** @type {[Point, Point]} */ (from), /** @type {[Point, Point]} */ (to));
    if ((this.#phase === 'press' || this.#phase === 'hold') && apart(at, this.#start) > SLOP[this.#mouse ? 'mouse' : 'other']) {
      if (this.#pages(at)) return this.#become('none');
      from[0] = this.#start;
      this.#become('drag');
      this.#hand.grab(this.#start, false);
    }
    if (this.#phase === 'drag') this.#hand.drag(at, { x: at.x - from[0].x, y: at.y - from[0].y });
  }

  /** Whether a finger scrolls the page, which the browser may be slow to report. @param {Point} at */
  #pages(at) {
    const upright = Math.abs(at.y - this.#start.y) > Math.abs(at.x - this.#start.x);
    return upright && !this.#mouse && getComputedStyle(this.#element).touchAction === 'pan-y';
  }

  /** @param {PointerEvent} event @param {boolean} wanted false if the browser took it for something else */
  #up(event, wanted) {
    if (!this.#fingers.delete(event.pointerId)) return;
    const tapped = wanted && this.#phase === 'press';
    const [left] = this.#fingers.values();
    this.#become(left ? 'drag' : 'none');
    if (left) return this.#hand.grab(left, true);
    if (tapped) this.#tap(this.#place(event), event.timeStamp);
  }

  /** @param {Point} at @param {number} time */
  #tap(at, time) {
    this.#hand.tap(at);
    if (this.#mouse) return;
    const second = time - this.#tapped.time < TWICE_MS && apart(at, this.#tapped) < TWICE_PIXELS;
    this.#tapped = { ...at, time: second ? -Infinity : time };
    if (second) this.#hand.twice(at);
  }

  /** @param {'none' | 'press' | 'drag' | 'pinch'} phase */
  #become(phase) {
    clearTimeout(this.#timer);
    if (this.#phase === 'hold') this.#hand.hold(null);
    this.#phase = phase;
  }

  /** @param {WheelEvent} event */
  #turn(event) {
    if (!event.deltaY) return;
    // A pinch on a trackpad comes as a wheel with Ctrl.
    const meant = event.ctrlKey || event.metaKey;
    const begins = event.timeStamp - this.#wheel.time > WHEEL_MS;
    const zooms = meant || (begins ? this.#hand.wheels(event.deltaY < 0) : this.#wheel.zooms);
    this.#wheel = { time: event.timeStamp, zooms };
    if (!zooms) return;
    event.preventDefault();
    const unit = [0.002, 0.05, 1][event.deltaMode] * (meant ? 10 : 1);
    const octaves = Math.min(WHEEL_OCTAVES, Math.max(-WHEEL_OCTAVES, -event.deltaY * unit));
    this.#hand.zoom(2 ** octaves, this.#place(event));
  }

  /** @param {WheelEvent} event */
  #elsewhere(event) {
    if (!this.#element.contains(/** @type {Node} */ (event.target))) this.#wheel = { time: event.timeStamp, zooms: false };
  }

  /** Safari's events for a pinch on a trackpad, and again for one on a touchscreen. @param {Event} event */
  #spreads(event) {
    event.preventDefault();
    const { scale } = /** @type {Event & {scale: number}} */ (event);
    const before = event.type === 'gesturestart' ? 1 : this.#spread;
    this.#spread = scale;
    if (!this.#fingers.size) this.#hand.zoom(scale / before, this.#place(/** @type {MouseEvent} */ (event)));
  }
}

/** @param {Point} a @param {Point} b */
const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
