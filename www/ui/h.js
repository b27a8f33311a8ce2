// @ts-check
// Elements in one expression. What is given as text stays text, so nothing here can become HTML.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Record<string, string | number | boolean>} [attributes] those that are false are left out
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children);
  return element;
}

/**
 * @param {string} text @param {(() => unknown) | null} press @param {Record<string, string | number | boolean>} [attributes]
 */
export function button(text, press, attributes = {}) {
  const element = h('button', { type: 'button', class: 'button', ...attributes }, text);
  if (press) element.addEventListener('click', () => press());
  return element;
}

/**
 * A label over its control.
 * @param {string} text @param {HTMLElement} control with an id @param {string} [more] classes
 */
export const field = (text, control, more = '') =>
  h('div', { class: `field ${more}`.trim() }, h('label', { for: control.id }, text), control);

/** @param {string} id @param {[value: string, text: string][]} options */
export const select = (id, options) => h('select', { id }, ...options.map(([value, text]) => new Option(text, value)));

/**
 * Listens to an event with a typed detail.
 * @template T
 * @param {EventTarget} target @param {string} type @param {(detail: T) => unknown} hear
 */
export function on(target, type, hear) {
  target.addEventListener(type, (event) => hear(/** @type {CustomEvent<T>} */ (event).detail));
}

/** Adds a style sheet, and resolves once it has loaded. @param {string} href */
export function styled(href) {
  const link = h('link', { rel: 'stylesheet', href });
  const loaded = new Promise((resolve, reject) => {
    link.addEventListener('load', resolve);
    link.addEventListener('error', () => (link.remove(), reject(new TypeError(`${href} could not be imported`))));
  });
  document.head.append(link);
  return loaded;
}
