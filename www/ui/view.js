// @ts-check
// Where a picture is in its frame: the arithmetic of fitting, zooming and panning, without a DOM.
// Lengths are CSS pixels of the frame; `scale` is how many of them one pixel of the picture takes.

/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {{x: number, y: number, width: number, height: number}} Region of a picture, in 0..1 */

/** One pixel of the picture per CSS pixel, as browsers show a picture by default. */
const ACTUAL = 1;
/** The largest scale, unless eight times the fitted one is more. */
const LARGEST = 32;
/** From this scale on an enlarged picture shows its pixels as squares: below, some would be drawn wider than others. */
const CRISP = 4;
/** How far inside the frame a region is placed that was outside. */
const MARGIN = 8;

export class View {
  #picture = { width: 1, height: 1 };
  #frame = { width: 1, height: 1 };
  scale = 1;
  /** The top left corner of the picture. */
  x = 0;
  y = 0;

  /** Another picture, fitted into the frame. @param {Size} size */
  show({ width, height }) {
    this.#picture = { width, height };
    this.fit();
  }

  /** The frame's size has changed: a fitted picture stays fitted, another keeps its scale and its middle. @param {Size} size */
  resize({ width, height }) {
    const { fitted } = this;
    const middle = this.#middle;
    this.#frame = { width, height };
    if (fitted) return this.fit();
    const { x, y } = this.#middle;
    this.#put(this.x + x - middle.x, this.y + y - middle.y);
  }

  /** The largest scale at which the whole picture is visible. */
  get #whole() {
    return Math.min(this.#frame.width / this.#picture.width, this.#frame.height / this.#picture.height);
  }

  get #middle() {
    return { x: this.#frame.width / 2, y: this.#frame.height / 2 };
  }

  get fitted() {
    return near(this.scale, this.#whole);
  }

  get actual() {
    return near(this.scale, ACTUAL);
  }

  /** Whether some of the picture is outside of the frame. */
  get movable() {
    return this.scale > this.#whole && !this.fitted;
  }

  get crisp() {
    return this.movable && this.scale >= CRISP;
  }

  fit() {
    this.scale = this.#whole;
    this.#put(0, 0);
  }

  /** @param {number} scale @param {Point} [at] the point that stays in place */
  zoom(scale, at = this.#middle) {
    const whole = this.#whole;
    const to = Math.min(Math.max(scale, Math.min(whole, ACTUAL)), Math.max(LARGEST, 8 * whole));
    const factor = to / this.scale;
    this.scale = to;
    this.#put(at.x - (at.x - this.x) * factor, at.y - (at.y - this.y) * factor);
  }

  /** A step in or out, which ends where the picture fits: only `one` makes it smaller. @param {number} factor @param {Point} [at] */
  step(factor, at) {
    const scale = this.scale * factor;
    this.zoom(factor < 1 ? Math.max(scale, Math.min(this.#whole, this.scale)) : scale, at);
  }

  /** One to one. @param {Point} [at] */
  one(at) {
    this.zoom(ACTUAL, at);
  }

  /** Fits the picture, or shows a fitted one as it is. @param {Point} at */
  toggle(at) {
    if (this.fitted) this.one(at);
    else this.fit();
  }

  /** @param {Point} by */
  move({ x, y }) {
    this.#put(this.x + x, this.y + y);
  }

  /** What was under two points comes under two others. @param {[Point, Point]} from @param {[Point, Point]} to */
  pinch(from, to) {
    const [before, after] = [from, to].map(([a, b]) => ({
      x: (a.x + b.x) / 2,
      y: (a.y + b.y) / 2,
      apart: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)),
    }));
    this.step(after.apart / before.apart, before);
    this.move({ x: after.x - before.x, y: after.y - before.y });
  }

  /** Moves the picture by the least that shows a region. @param {Region} region */
  reveal(region) {
    const { left, top, width, height } = this.box(region);
    this.move({ x: inward(left, width, this.#frame.width), y: inward(top, height, this.#frame.height) });
  }

  /** Where a region of the picture is in the frame. @param {Region} region */
  box({ x, y, width, height }) {
    const { width: across, height: down } = this.#picture;
    return {
      left: this.x + x * across * this.scale,
      top: this.y + y * down * this.scale,
      width: width * across * this.scale,
      height: height * down * this.scale,
    };
  }

  /** The point of the picture under a point of the frame, in 0..1; null outside the picture. @param {Point} at @returns {Point | null} */
  under(at) {
    const x = (at.x - this.x) / (this.#picture.width * this.scale);
    const y = (at.y - this.y) / (this.#picture.height * this.scale);
    return x >= 0 && x < 1 && y >= 0 && y < 1 ? { x, y } : null;
  }

  /** @param {number} x @param {number} y */
  #put(x, y) {
    this.x = within(x, this.#picture.width * this.scale, this.#frame.width);
    this.y = within(y, this.#picture.height * this.scale, this.#frame.height);
  }
}

/** @param {number} a @param {number} b */
const near = (a, b) => Math.abs(a - b) <= 1e-6 * b;

/** A side that is longer than the frame's leaves no gap, a shorter one is in the middle. @param {number} at @param {number} length @param {number} frame */
const within = (at, length, frame) => (length <= frame ? (frame - length) / 2 : Math.min(0, Math.max(frame - length, at)));

/** How far to move what is at `at`. @param {number} at @param {number} length @param {number} frame */
function inward(at, length, frame) {
  const end = at + length;
  if (at >= 0 && end <= frame) return 0;
  if (length > frame) return at > 0 ? -at : Math.max(0, frame - end);
  const margin = Math.min(MARGIN, (frame - length) / 2);
  return at < 0 ? margin - at : frame - margin - end;
}
