// <drop-target>: files from a drop anywhere on the page, from the file dialog and from the clipboard,
// all as one `file` event with the File, and with the config.json that came with a weight file.
import { choose } from '../files.js';

class DropTarget extends HTMLElement {
  #depth = 0;

  connectedCallback() {
    const input = this.querySelector('input[type=file]');
    input.addEventListener('change', () => {
      this.#emit(input.files);
      // So that the same file can be chosen twice in a row.
      input.value = '';
    });
    this.addEventListener('click', (event) => {
      if (!event.target.closest('label, input, a, button')) input.click();
    });
    addEventListener('dragenter', (event) => this.#over(event, 1));
    addEventListener('dragleave', (event) => this.#over(event, -1));
    addEventListener('dragover', (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
    });
    addEventListener('drop', (event) => {
      if (!carriesFiles(event)) return;
      this.#depth = 0;
      delete document.documentElement.dataset.dragging;
      // What a part of the page has taken for itself is not for the stage.
      if (event.defaultPrevented) return;
      event.preventDefault();
      this.#emit(event.dataTransfer.files);
    });
    addEventListener('paste', (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.#emit(event.clipboardData.files);
    });
  }

  // Every child that the pointer crosses sends its own enter and leave.
  #over(event, step) {
    if (!carriesFiles(event)) return;
    this.#depth = Math.max(0, this.#depth + step);
    if (this.#depth) document.documentElement.dataset.dragging = '';
    else delete document.documentElement.dataset.dragging;
  }

  #emit(files) {
    const { file, config } = choose([...(files ?? [])]);
    if (file) this.dispatchEvent(new CustomEvent('file', { detail: { file, config } }));
  }
}

function carriesFiles(event) {
  return event.dataTransfer?.types.includes('Files') ?? false;
}

customElements.define('drop-target', DropTarget);
