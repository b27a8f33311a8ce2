// @ts-check
// <alert-box>: one plain sentence and what to do next. It stays until it is dismissed or no longer true.
import { button, h } from './h.js';

/**
 * What to do next, by error code; the sentence itself comes with the error. Backticks mark code in both.
 * @type {Record<string, string>}
 */
const WAY_ON = {
  image_unsupported: 'Save it as PNG, JPEG or WebP and try again.',
  image_corrupt: 'Try another copy of it.',
  image_too_large: 'Choose a smaller “Longest side”, or a smaller picture.',
  image_empty: 'Choose another file.',
  image_size: 'Choose another picture.',
  tokens_corrupt: 'Save the tokens again and drop the new file.',
  tokens_version: 'Reload the page to get its newest version.',
  tokens_other_decoder: 'Choose the model that made them under “Model” to get exactly the same picture.',
  tokens_other_codebook: 'Choose the model that made them under “Model”.',
  tokens_retired:
    'The old weights are still available; the project’s change log says where. Drop that file here first, then the tokens again.',
  tokens_geometry: 'Choose the model that made them under “Model”.',
  latents_other_encoder: 'Choose the model that made them under “Model”.',
  latents_geometry: 'Choose the model that made them under “Model”.',
  weights_corrupt: 'The current model stays in use.',
  weights_unknown:
    'Weights from taming-transformers, latent-diffusion, diffusers, LlamaGen, open-muse and rosinality’s VQ-VAE-2 are supported; the current model stays in use.',
  weights_pickle:
    'Run `tesserae convert model.ckpt model.safetensors` in a terminal and drop the file that it writes; the current model stays in use.',
  weights_sharded:
    'Run `tesserae convert model.safetensors.index.json model.safetensors` in a terminal and drop the file that it writes; the current model stays in use.',
  model_too_large: 'Drop a smaller model, or use the command line; the current model stays in use.',
  pickle_refused: 'Get a copy from a source that you trust; the current model stays in use.',
  prior_other_codebook: 'Reload the page to get files that belong together; the current model stays in use.',
  prior_files: 'Choose a prior, with the weight file of the model that it was trained for.',
  tokenizer_wanted: 'Add the weight file of that model, too.',
  logits_not_finite: 'Choose the CPU under “Device” and try again.',
  no_codebook: 'Choose one that has a codebook under “Model”, or drop its file; the current model stays in use.',
  weights_mismatch: 'The current model stays in use.',
  weights_not_finite: 'The current model stays in use.',
  config_invalid: 'If weights came with a config.json, drop both together; the current model stays in use.',
  model_unknown: 'Choose one under “Model”.',
  webgpu_absent: 'The CPU is used instead.',
  adapter_absent: 'The CPU is used instead.',
  feature_missing: 'The CPU is used instead.',
  device_refused: 'The CPU is used instead.',
  self_test_failed: 'The CPU is used instead.',
  device_lost: 'You can switch back under “Device”.',
  download_failed: 'Check the connection and try again.',
  download_length: 'Try again.',
  download_hash: 'Try again.',
  worker_failed: 'If it happens again, reload the page.',
  release_changed: 'Save what you want to keep, then reload the page.',
  dataset_empty: 'Choose larger pictures, or smaller crops under “More”.',
  out_of_memory: 'Smaller pictures or crops need less.',
  loss_not_finite: 'Undo it and start again with a lower learning rate, under “More”.',
  too_many: 'Remove some to make room for others.',
  camera_refused: 'Allow it in the browser’s settings for this page, or choose files instead.',
  camera_failed: 'Try again, or choose files instead.',
  tuning_gone: 'Continue there, or start a new one here.',
  name_taken: 'Choose another name.',
  not_kept: 'Download the weights instead; drop the file here to load them again.',
  io: 'Choose the file again.',
  argument: 'Choose another setting.',
  internal: 'Try again, or choose the CPU under “Device”.',
};

export class AlertBox extends HTMLElement {
  connectedCallback() {
    this.addEventListener('keydown', (event) => event.key === 'Escape' && this.clear());
  }

  /** @returns {string | undefined} the code of the error that it shows */
  get code() {
    return this.dataset.code;
  }

  /**
   * @param {{code: string, message: string, wayOn?: string}} error with what to do next, where that is not the usual
   * @param {{label: string, run: () => unknown}} [action]
   */
  show(error, action) {
    const sentence = error.message || 'Something went wrong.';
    const words = withCode([sentence, error.wayOn ?? WAY_ON[error.code]].filter(Boolean).join(' '));
    const buttons = h('div', { class: 'alert-buttons' });
    if (action) buttons.append(button(action.label, () => (this.clear(), action.run())));
    buttons.append(button('Dismiss', () => this.clear(), { class: 'button quiet' }));
    this.dataset.code = error.code;
    this.replaceChildren(h('p', {}, ...words), buttons);
    this.dispatchEvent(new CustomEvent('show'));
  }

  clear() {
    delete this.dataset.code;
    this.replaceChildren();
  }
}

/** Text in which the parts between backticks become code; never HTML, since it contains file names. @param {string} words */
const withCode = (words) => words.split('`').map((part, i) => (i % 2 === 0 ? part : h('code', {}, part)));

customElements.define('alert-box', AlertBox);
