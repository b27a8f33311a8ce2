// @ts-check
// The room's panel: its elements and their order. room.js adds the behaviour.
import { copyButton } from '../../ui/copy.js';
import { button, field, h, select } from '../../ui/h.js';
import '../../ui/compare.js';
import '../../ui/numbers.js';
import '../../ui/samples.js';
import '../../ui/tokens.js';
import './slider.js';

const ACCEPT = 'image/png,image/jpeg,image/webp,.png,.jpg,.jpeg,.webp,.tokens,.safetensors,.ckpt,.pt,.pth,.bin,.json';
/** @type {[value: string, text: string][]} */
const SIZES = [
  ['256', '256 pixels'],
  ['512', '512 pixels'],
  ['1024', '1024 pixels'],
  ['0', 'Original'],
];
/** The pictures that explain the page, with their captions. @type {[file: string, alt: string, title: string, words: string][]} */
const STEPS = [
  ['photo.jpg', 'A photo of a tabby cat', 'Photo', 'Your picture, decoded on this device.'],
  [
    'tokens.png',
    'The same cat as 32 by 32 tokens, one colour per code',
    'Tokens',
    'Each patch of pixels becomes one code from a codebook.',
  ],
  ['rebuilt.webp', 'The cat as the model rebuilds it from the tokens', 'Photo', 'The codes alone become a picture again.'],
];

const art = (/** @type {string} */ file) => new URL(`../../art/${file}`, import.meta.url).href;

/** @typedef {ReturnType<typeof panel>} Panel */

/** @param {() => string} address that a link to the page has */
export function panel(address) {
  const compare = h('compare-slider', { id: 'compare', hidden: true });
  const stages = h('stage-slider', { id: 'stages', hidden: true });
  const samples = h('sample-picker', { id: 'samples', for: 'file', label: 'Or try one of these' });
  const file = h('input', {
    id: 'file',
    class: 'visually-hidden',
    type: 'file',
    multiple: true,
    accept: ACCEPT,
    'aria-label': 'Choose a photo, a token file or a weight file',
  });
  const camera = button('Camera', () => samples.dispatchEvent(new CustomEvent('camera')), {
    id: 'photo-camera',
    hidden: !navigator.mediaDevices,
  });
  const drop = h(
    'div',
    { id: 'drop', class: 'drop' },
    h(
      'div',
      { class: 'invite' },
      h('p', { class: 'invite-title' }, 'Drop a photo here'),
      h(
        'p',
        { class: 'invite-ways' },
        h('label', { class: 'button primary', for: 'file' }, 'Choose a file'),
        ' ',
        camera,
        ' ',
        h('span', {}, 'or paste one'),
      ),
    ),
    file,
    samples,
    h(
      'p',
      { class: 'invite invite-kinds' },
      'PNG, JPEG or WebP; also ',
      h('code', {}, '.tokens'),
      ' files, and models as ',
      h('code', {}, '.safetensors'),
      ' with their ',
      h('code', {}, 'config.json'),
      ' if there is one',
    ),
  );
  const size = select('size', SIZES);
  const square = h('input', { id: 'square', type: 'checkbox' });
  const link = copyButton('Copy link', address, { id: 'copy-link', class: 'button quiet' });
  const settings = h(
    'div',
    { class: 'settings', role: 'group', 'aria-label': 'Settings' },
    field('Longest side', size),
    h('div', { class: 'field-check' }, h('label', { for: 'square' }, square, ' Centre square')),
    link,
  );

  const tokens = h('token-grid', { id: 'tokens' });
  const sample = h('input', { id: 'sample', type: 'checkbox' });
  const noTokens = h(
    'div',
    { id: 'no-tokens', class: 'no-tokens', hidden: true },
    h('h2', {}, 'No tokens'),
    h('p', {}, 'This model has no codebook, so there are no tokens: the picture is rebuilt from continuous numbers.'),
    h(
      'label',
      { for: 'sample', title: 'The model predicts a mean and a spread for each number; without this, the means are used.' },
      sample,
      ' Sample them at random around their means',
    ),
  );
  const numbers = h('result-numbers', { id: 'numbers' });
  const savePicture = button('Save picture', null, { id: 'save-picture', class: 'button primary', disabled: true });
  const saveTokens = button('Save tokens', null, { id: 'save-tokens', disabled: true });
  const actions = h('p', { class: 'actions' }, savePicture, saveTokens);
  const result = h('section', { id: 'result', class: 'result', 'aria-label': 'Result' }, tokens, noTokens, numbers, actions);

  const codes = h('em', { id: 'intro-codes' }, 'two\u00a0thousand');
  const withoutTokens = h('span', { id: 'intro-no-tokens', hidden: true }, 'This model uses continuous numbers instead.');
  const element = h(
    'section',
    { id: 'rebuild', class: 'room rebuild', 'aria-label': 'Rebuild', 'data-view': 'empty' },
    h(
      'div',
      { class: 'intro' },
      h('p', { class: 'headline' }, 'A photo, rebuilt from\u00a0', codes, ' kinds\u00a0of\u00a0stone.'),
      h(
        'p',
        { class: 'lead' },
        'A neural network reduces your picture to a small grid of code numbers, its tesserae, and then rebuilds the picture from nothing but those numbers. It runs right here, in your browser: pictures never leave this device.',
      ),
    ),
    h(
      'div',
      { class: 'board' },
      h('div', { id: 'stage', class: 'stage', tabindex: -1 }, compare, stages, drop, settings),
      steps(withoutTokens),
      result,
    ),
  );
  return {
    element,
    compare,
    stages,
    samples,
    file,
    drop,
    size,
    square,
    tokens,
    sample,
    noTokens,
    numbers,
    savePicture,
    saveTokens,
    result,
    codes,
    withoutTokens,
  };
}

/** @param {HTMLElement} more shown under the second */
function steps(more) {
  const items = STEPS.map(([file, alt, title, words], i) =>
    h(
      'li',
      {},
      h('img', { src: art(file), alt, width: 256, height: 256 }),
      h('div', {}, h('strong', {}, title), h('span', {}, words), ...(i === 1 ? [more] : [])),
    ),
  );
  return h(
    'section',
    { class: 'steps', 'aria-label': 'How it works' },
    h('ol', {}, ...items),
    h('p', { class: 'steps-note' }, 'Then compare the two, explore the tokens and read the numbers.'),
  );
}
