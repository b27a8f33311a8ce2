// <work-progress>: one bar for download and work. Within a job it never goes back.

class WorkProgress extends HTMLElement {
  #track = document.createElement('div');
  #fill = document.createElement('div');
  #text = document.createElement('p');
  #cancel = document.createElement('button');
  #at = 0;

  connectedCallback() {
    if (this.#track.isConnected) return;
    this.#track.className = 'progress-track';
    this.#track.setAttribute('role', 'progressbar');
    this.#track.setAttribute('aria-valuemin', '0');
    this.#track.setAttribute('aria-valuemax', '100');
    this.#track.setAttribute('aria-labelledby', 'progress-text');
    this.#fill.className = 'progress-fill';
    this.#track.append(this.#fill);
    this.#text.className = 'progress-text';
    this.#text.id = 'progress-text';
    Object.assign(this.#cancel, { type: 'button', id: 'cancel', className: 'button quiet', textContent: 'Cancel', hidden: true });
    this.#cancel.addEventListener('click', () => this.dispatchEvent(new CustomEvent('cancel')));
    this.append(this.#track, this.#text, this.#cancel);
    this.rest('');
  }

  /** A new job begins at nought. */
  begin(text) {
    this.#at = 0;
    this.dataset.busy = 'true';
    this.#cancel.hidden = false;
    this.#track.ariaHidden = null;
    this.to(0, text);
  }

  /** @param {number} fraction 0 to 1 @param {string} text @param {{done: number, total: number}} [bytes] of a download */
  to(fraction, text, bytes) {
    if (bytes) Object.assign(this.dataset, bytes);
    this.#at = Math.max(this.#at, Math.min(1, fraction));
    this.#fill.style.transform = `scaleX(${this.#at})`;
    this.#track.setAttribute('aria-valuenow', String(Math.round(this.#at * 100)));
    this.#text.textContent = text;
  }

  /** Nothing is under way; `text` says how it ended. */
  rest(text) {
    this.#at = 0;
    this.dataset.busy = 'false';
    if (this.#cancel === document.activeElement) document.getElementById('stage')?.focus({ preventScroll: true });
    this.#cancel.hidden = true;
    this.#track.ariaHidden = 'true';
    this.#text.textContent = text;
  }
}

customElements.define('work-progress', WorkProgress);
