// @ts-check
// <camera-dialog>: a camera's live picture, and the pictures taken with it. The camera is off as soon
// as the dialog is closed. It emits `fail` with the error when there is no picture.
import { PageCode, TesseraeError } from '../engine/protocol.js';

/** The back camera where there are two, and not many more pixels than a model uses. */
const WISH = { video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 960 } } };
const QUALITY = 0.95;
/** @type {Record<string, string>} */
const SENTENCES = {
  NotFoundError: 'No camera was found.',
  NotReadableError: 'The camera could not be started; another program may be using it.',
};

export class CameraDialog extends HTMLElement {
  #dialog = document.createElement('dialog');
  #video = document.createElement('video');
  #words = document.createElement('p');
  #shutter = document.createElement('button');
  #done = document.createElement('button');
  /** @type {Promise<Blob>[]} */ #taken = [];
  #most = 0;

  connectedCallback() {
    if (this.#dialog.isConnected) return;
    const title = document.createElement('h2');
    Object.assign(title, { id: 'camera-title', textContent: 'Camera' });
    this.#dialog.setAttribute('aria-labelledby', title.id);
    Object.assign(this.#video, { muted: true, playsInline: true, autoplay: true });
    this.#video.setAttribute('aria-label', 'What the camera sees');
    this.#video.addEventListener('loadeddata', () => this.#ready());
    this.#words.className = 'note';
    this.#words.setAttribute('role', 'status');
    Object.assign(this.#shutter, { type: 'button', id: 'camera-take', className: 'button primary', textContent: 'Take picture' });
    this.#shutter.addEventListener('click', () => this.#take());
    Object.assign(this.#done, { type: 'button', id: 'camera-done', className: 'button' });
    this.#done.addEventListener('click', () => this.#dialog.close());
    const buttons = document.createElement('p');
    buttons.className = 'actions';
    buttons.append(this.#shutter, this.#done);
    this.#dialog.append(title, this.#video, this.#words, buttons);
    this.append(this.#dialog);
  }

  /**
   * Opens it until it is closed or this many pictures have been taken.
   * @param {number} most @returns {Promise<Blob[]>} what was taken
   */
  async take(most) {
    this.#most = most;
    this.#taken = [];
    this.#shutter.disabled = true;
    this.#done.textContent = most === 1 ? 'Cancel' : 'Done';
    this.#words.textContent = 'Waiting for the camera …';
    const closed = new Promise((resolve) => this.#dialog.addEventListener('close', () => resolve(null), { once: true }));
    this.#dialog.showModal();
    const asked = navigator.mediaDevices.getUserMedia(WISH);
    try {
      const stream = await Promise.race([asked, closed]);
      stream?.getVideoTracks()[0].addEventListener('ended', () => this.#fail(null));
      this.#video.srcObject = stream;
      await closed;
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#video.srcObject = null;
      // A camera that is allowed only after the dialog was closed is turned off at once.
      asked.then(
        (stream) => stream.getTracks().forEach((track) => track.stop()),
        () => {},
      );
    }
    return Promise.all(this.#taken);
  }

  #ready() {
    this.#shutter.disabled = false;
    this.#shutter.focus();
    this.#words.textContent = 'Pictures never leave this device.';
  }

  #take() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext('2d')?.drawImage(this.#video, 0, 0);
    this.#taken.push(canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITY }));
    const count = this.#taken.length;
    this.#words.textContent = count === 1 ? '1 picture taken.' : `${count} pictures taken.`;
    if (count === this.#most) return this.#dialog.close();
    if (!matchMedia('(prefers-reduced-motion: reduce)').matches) this.#video.animate({ opacity: [0.2, 1] }, 250);
  }

  /** @param {unknown} error null if the camera was disconnected while on */
  #fail(error) {
    this.#dialog.close();
    const name = error instanceof Error ? error.name : '';
    const detail = ['NotAllowedError', 'SecurityError'].includes(name)
      ? new TesseraeError(PageCode.CAMERA_REFUSED, 'This page is not allowed to use the camera.')
      : new TesseraeError(PageCode.CAMERA_FAILED, SENTENCES[name] ?? 'The camera does not deliver a picture.');
    this.dispatchEvent(new CustomEvent('fail', { detail }));
  }
}

customElements.define('camera-dialog', CameraDialog);
