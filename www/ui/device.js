// @ts-check
// <device-panel>: the device in use and why, the choice of another, and all that is known about the
// adapter. It emits `choose` with a choice.
import { button, h } from './h.js';

/** @typedef {import('../engine/protocol.js').DeviceChoice} DeviceChoice */

const NAMES = { webgpu: 'WebGPU', cpu: 'CPU' };
/** @type {[DeviceChoice, string, string][]} */
const CHOICES = [
  ['auto', 'Automatic', 'Times both on the same work and picks the faster one.'],
  ['webgpu', 'WebGPU', 'Runs on the graphics card.'],
  ['cpu', 'CPU', 'Runs on one core; works everywhere.'],
];

export class DevicePanel extends HTMLElement {
  #line = h('p', { id: 'device' }, 'Looking for the fastest device …');
  #memory = h('p', { id: 'memory' });
  #body = h('div');
  #choice = h('div', { id: 'device-choice', class: 'choices', role: 'group', 'aria-label': 'Run on' });
  #details = h('details', { id: 'device-facts', hidden: true }, h('summary', {}, 'About this device'), this.#memory, this.#body);

  connectedCallback() {
    if (this.#line.isConnected) return;
    for (const [value, title, words] of CHOICES) {
      const choose = button('', () => this.dispatchEvent(new CustomEvent('choose', { detail: value })), {
        class: 'choice',
        'data-device': value,
      });
      choose.append(h('strong', {}, title), ' ', words);
      this.#choice.append(choose);
    }
    this.append(this.#line, this.#choice, this.#details);
  }

  /** @param {DeviceChoice} choice */
  set choice(choice) {
    for (const element of this.#choice.querySelectorAll('button'))
      element.setAttribute('aria-pressed', String(element.dataset.device === choice));
  }

  /** @param {import('../engine/protocol.js').DeviceFacts} facts */
  show({ kind, reason, problem, adapter, selfTest }) {
    const why = [reason, problem?.message].filter((s, i, all) => s && all.indexOf(s) === i).join(' ');
    this.#line.replaceChildren(h('strong', {}, `Runs on ${kind === 'cpu' ? 'the CPU' : NAMES[kind]}.`), ` ${why}`);
    this.#line.dataset.kind = kind;
    if (problem) this.#line.dataset.problem = problem.code;
    else delete this.#line.dataset.problem;

    /** @type {[string, string][]} */ const rows = [];
    if (selfTest) {
      rows.push(['Self-test on WebGPU', milliseconds(selfTest.webgpuMs)], ['Self-test on the CPU', milliseconds(selfTest.cpuMs)]);
    }
    if (adapter) {
      rows.push(['Vendor', adapter.vendor], ['Architecture', adapter.architecture], ['Device', adapter.device]);
      rows.push(['Description', adapter.description], ['Kind', adapter.software ? 'software' : 'hardware']);
    } else {
      rows.push(['WebGPU adapter', 'none available']);
    }
    this.#body.replaceChildren(list(rows.filter(([, value]) => value)));
    if (adapter) {
      const limits = Object.entries(adapter.limits).map(
        ([name, value]) => /** @type {[string, string]} */ ([name, value.toLocaleString('en')]),
      );
      this.#body.append(
        h('h3', {}, 'Features'),
        h('ul', {}, ...adapter.features.map((name) => h('li', {}, name))),
        h('h3', {}, 'Limits'),
        list(limits),
      );
    }
    this.#details.hidden = false;
  }

  /** @param {number} bytes that the engine has allocated; it frees none before its worker ends */
  showMemory(bytes) {
    const graphics = this.#line.dataset.kind === 'webgpu' ? ', not counting graphics memory' : '';
    this.#memory.textContent = `The engine uses ${Math.round(bytes / 1e6)} MB of memory${graphics}.`;
    this.#memory.dataset.value = String(bytes);
  }
}

/** @param {number} value */
const milliseconds = (value) => `${value.toFixed(1)} ms`;

/** @param {[term: string, value: string][]} rows */
const list = (rows) => h('dl', {}, ...rows.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))));

customElements.define('device-panel', DevicePanel);
