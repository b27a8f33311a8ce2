// @ts-check
// The visitor's own prior: a button that takes its weight file, and what to do where that is not enough.
import { Code, PageCode, failure } from '../../engine/protocol.js';
import { choose } from '../../files.js';
import { button, h } from '../../ui/h.js';

export class OwnPrior {
  #session;
  #came;
  #file = h('input', {
    type: 'file',
    id: 'sampling-own-file',
    class: 'visually-hidden',
    multiple: true,
    accept: '.safetensors,.json',
    'aria-label': 'Choose the weight file of a prior, and of the model that decodes its tokens',
    tabindex: -1,
  });
  element = h(
    'div',
    { class: 'sampling-own' },
    button('Your own prior…', () => this.#file.click(), { id: 'sampling-own', class: 'button quiet' }),
    this.#file,
  );

  /** @param {import('../../session/session.js').Session} session @param {(prior: import('../../session/priors.js').Prior) => unknown} came */
  constructor(session, came) {
    this.#session = session;
    this.#came = came;
    this.#file.addEventListener('change', () => {
      const files = [...(this.#file.files ?? [])];
      // So that the same file can be chosen twice in a row.
      this.#file.value = '';
      if (files.length) this.take(files);
    });
  }

  /** @param {File[]} files */
  async take(files) {
    const { alerts, bar, ownPriors } = this.#session;
    alerts.clear();
    bar.begin('sample', 'Reading the weights');
    try {
      const prior = await ownPriors.add(files);
      this.#rest();
      this.#came(prior);
    } catch (error) {
      this.#rest();
      const { code, message } = failure(error);
      this.#session.complain({ code, message }, this.#wayOn(code, files));
    }
  }

  #rest() {
    const { bar } = this.#session;
    if (bar.kind === 'sample') bar.rest();
  }

  /** @param {string} code @param {File[]} files */
  #wayOn(code, files) {
    if (code === PageCode.TOKENIZER_WANTED) return { label: 'Add its file', run: () => this.#file.click() };
    if (code === PageCode.PRIOR_FILES) return { label: 'Choose files', run: () => this.#file.click() };
    const { file, config } = choose(files);
    const source = file && { from: /** @type {const} */ ('file'), name: file.name, blob: file, config };
    return code === Code.WEIGHTS_MISMATCH && source
      ? { label: 'Use it as a model', run: () => this.#session.models.use(source) }
      : undefined;
  }
}
