// <sample-picker>: bundled pictures, one click each, and ways to the visitor's own. It emits `sample`
// with {name, file, url}, and `camera`.

const SAMPLES = [
  { name: 'astronaut', file: 'astronaut.png', label: 'Astronaut' },
  { name: 'chelsea', file: 'chelsea.png', label: 'Cat' },
  { name: 'coffee', file: 'coffee.png', label: 'Coffee' },
  { name: 'rocket', file: 'rocket.jpg', label: 'Rocket' },
];

class SamplePicker extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const heading = document.createElement('p');
    heading.className = 'samples-title';
    heading.id = 'samples-title';
    heading.textContent = 'Or try one of these';
    const list = document.createElement('div');
    list.className = 'samples-list';
    list.setAttribute('role', 'group');
    list.setAttribute('aria-labelledby', heading.id);
    for (const sample of SAMPLES) list.append(this.#button(sample));
    const own = document.createElement('label');
    own.className = 'sample sample-own';
    own.htmlFor = 'file';
    own.textContent = 'Your own';
    list.append(own);
    if (navigator.mediaDevices) {
      const camera = document.createElement('button');
      Object.assign(camera, { type: 'button', className: 'sample sample-own sample-camera', textContent: 'Camera' });
      camera.addEventListener('click', () => this.dispatchEvent(new CustomEvent('camera')));
      list.append(camera);
    }
    this.append(heading, list);
  }

  /** @param {string | null} name the sample on the stage, if it is one */
  mark(name) {
    for (const button of this.querySelectorAll('[data-sample]')) {
      button.setAttribute('aria-pressed', String(button.dataset.sample === name));
    }
  }

  #button({ name, file, label }) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', className: 'sample' });
    button.dataset.sample = name;
    button.setAttribute('aria-pressed', 'false');
    const image = new Image(96, 96);
    Object.assign(image, { src: `samples/${file}`, alt: '', decoding: 'async' });
    const text = document.createElement('span');
    text.textContent = label;
    button.append(image, text);
    const url = new URL(`samples/${file}`, document.baseURI).href;
    button.addEventListener('click', () => this.dispatchEvent(new CustomEvent('sample', { detail: { name, file, url } })));
    return button;
  }
}

customElements.define('sample-picker', SamplePicker);
