// @ts-check
// <picture-list>: thumbnails of the pictures to learn from: the one on the stage, and others that are
// dropped here, chosen, or taken with the camera, for which it emits `camera` with the number that it
// has room for. It emits `change`, and `refuse` when there are too many.

const MOST = 50;
const SIDE = 128;
const WORDS = ['Add pictures to learn from, or rebuild one first.', 'Learns from this picture. Add more like it, or drop them here.'];

export class PictureList extends HTMLElement {
  /** @type {Blob | null} the one on the stage */ #first = null;
  /** The one on the stage that the visitor has removed. @type {Blob | null} */ #removed = null;
  /** Whether it can be removed. */ #free = false;
  /** @type {Blob[]} */ #more = [];
  /** Small copies of the pictures in the list, each drawn once. @type {Map<Blob, HTMLCanvasElement>} */ #small = new Map();
  /** One picture is decoded at a time: at full size each may take a hundred megabytes. */
  #drawn = Promise.resolve();
  #list = document.createElement('ul');
  #input = document.createElement('input');
  #words = document.createElement('p');

  connectedCallback() {
    if (this.#list.isConnected) return;
    this.#list.className = 'pictures';
    Object.assign(this.#input, {
      type: 'file',
      id: 'tune-files',
      multiple: true,
      accept: 'image/png,image/jpeg,image/webp',
      className: 'visually-hidden',
    });
    this.#input.addEventListener('change', () => {
      this.add(this.#input.files ?? []);
      // So that the same file can be chosen twice in a row.
      this.#input.value = '';
    });
    this.#input.setAttribute('aria-label', 'Add pictures to learn from');
    this.#list.append(...this.#ways());
    this.#words.className = 'note';
    this.append(this.#words, this.#list);
    this.addEventListener('drop', (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      if (!this.matches(':disabled *')) this.add(event.dataTransfer.files);
    });
    this.#draw();
  }

  /** The buttons that add pictures. */
  #ways() {
    const add = document.createElement('label');
    Object.assign(add, { htmlFor: this.#input.id, className: 'pictures-add', textContent: 'Add' });
    const camera = document.createElement('button');
    Object.assign(camera, { type: 'button', id: 'tune-camera', className: 'pictures-add', textContent: 'Camera' });
    camera.addEventListener('click', () => {
      const room = MOST - this.pictures.length;
      this.dispatchEvent(room ? new CustomEvent('camera', { detail: room }) : refusal());
    });
    return [[this.#input, add], ...(navigator.mediaDevices ? [[camera]] : [])].map((way) => {
      const item = document.createElement('li');
      item.append(...way);
      return item;
    });
  }

  /** @returns {Blob[]} */
  get pictures() {
    return this.#first ? [this.#first, ...this.#more] : this.#more;
  }

  /** @param {Blob} blob the picture on the stage */
  begin(blob) {
    if (blob === this.#first || (this.#free && blob === this.#removed)) return;
    this.#first = blob;
    this.#draw();
  }

  /** @param {boolean} free whether the one on the stage need not be learned from */
  set free(free) {
    if (free === this.#free) return;
    this.#free = free;
    this.#draw();
  }

  /** @param {Blob[]} more in addition to the one on the stage */
  fill(more) {
    this.#more = more;
    this.#draw();
  }

  /** @param {ArrayLike<Blob>} more added as far as there is room */
  add(more) {
    const room = MOST - this.pictures.length;
    if (more.length > room) this.dispatchEvent(refusal());
    this.#more.push(...Array.from(more).slice(0, room));
    this.#draw();
  }

  #draw() {
    const count = this.pictures.length;
    this.#words.textContent = WORDS[count] ?? `Learns from these ${count} pictures.`;
    // The buttons that add pictures stay in place, and keep the focus.
    this.#list.querySelectorAll('li:has(canvas)').forEach((item) => item.remove());
    this.#list.prepend(...this.pictures.map((blob, i) => this.#item(blob, i)));
    // A browser may keep a picture's file for a long time, and with it whatever refers to it.
    const listed = new Set(this.pictures);
    for (const blob of this.#small.keys()) if (!listed.has(blob)) this.#small.delete(blob);
    this.dispatchEvent(new CustomEvent('change'));
  }

  /** @param {Blob} blob @param {number} at */
  #item(blob, at) {
    const item = document.createElement('li');
    const canvas = this.#small.get(blob) ?? this.#thumbnail(blob);
    canvas.setAttribute('aria-label', `Picture ${at + 1}`);
    item.append(canvas);
    if (blob !== this.#first || this.#free) {
      const remove = document.createElement('button');
      Object.assign(remove, { type: 'button', className: 'pictures-remove', textContent: '×' });
      remove.setAttribute('aria-label', `Remove picture ${at + 1}`);
      remove.addEventListener('click', () => {
        if (blob === this.#first) [this.#first, this.#removed] = [null, blob];
        else this.#more = this.#more.filter((other) => other !== blob);
        this.#draw();
        this.#input.focus();
      });
      item.append(remove);
    }
    return item;
  }

  /** @param {Blob} blob */
  #thumbnail(blob) {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = SIDE;
    canvas.setAttribute('role', 'img');
    this.#small.set(blob, canvas);
    this.#drawn = this.#drawn.then(async () => {
      // A picture that was removed before its turn is drawn if it comes back.
      if (canvas.isConnected) await draw(canvas, blob);
      else if (this.#small.get(blob) === canvas) this.#small.delete(blob);
    });
    return canvas;
  }
}

const refusal = () => new CustomEvent('refuse', { detail: MOST });

/** Draws the middle of a picture; one that cannot be read stays blank, and the engine reports it. @param {HTMLCanvasElement} canvas @param {Blob} blob */
async function draw(canvas, blob) {
  const image = await createImageBitmap(blob).catch(() => null);
  if (!image) return;
  const side = Math.min(image.width, image.height);
  const at = [(image.width - side) / 2, (image.height - side) / 2];
  canvas.getContext('2d')?.drawImage(image, at[0], at[1], side, side, 0, 0, SIDE, SIDE);
  image.close();
}

customElements.define('picture-list', PictureList);
