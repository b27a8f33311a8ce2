// <device-panel>: one line that says what runs and why, and all that is known about the adapter.

const NAMES = { webgpu: 'WebGPU', cpu: 'CPU' };

class DevicePanel extends HTMLElement {
  #line = document.createElement('p');
  #details = document.createElement('details');
  #body = document.createElement('div');
  #memory = document.createElement('p');

  connectedCallback() {
    if (this.#line.isConnected) return;
    this.#line.id = 'device';
    this.#line.textContent = 'Looking for the fastest device …';
    const summary = document.createElement('summary');
    summary.textContent = 'About this device';
    this.#details.id = 'device-facts';
    this.#memory.id = 'memory';
    this.#details.append(summary, this.#memory, this.#body);
    this.#details.hidden = true;
    this.append(this.#line, this.#details);
  }

  /** @param {import('../engine/protocol.js').DeviceFacts} facts */
  show(facts) {
    const strong = document.createElement('strong');
    strong.textContent = `Runs on ${facts.kind === 'cpu' ? 'the CPU' : NAMES[facts.kind]}.`;
    const why = [facts.reason, facts.problem?.message].filter((s, i, all) => s && all.indexOf(s) === i).join(' ');
    this.#line.replaceChildren(strong, ` ${why}`);
    this.#line.dataset.kind = facts.kind;
    if (facts.problem) this.#line.dataset.problem = facts.problem.code;
    else delete this.#line.dataset.problem;

    const rows = [];
    const { adapter, selfTest } = facts;
    if (selfTest) {
      rows.push(['Self-test on WebGPU', milliseconds(selfTest.webgpuMs)], ['Self-test on the CPU', milliseconds(selfTest.cpuMs)]);
    }
    if (adapter) {
      rows.push(
        ['Vendor', adapter.vendor],
        ['Architecture', adapter.architecture],
        ['Device', adapter.device],
        ['Description', adapter.description],
      );
      rows.push(['Kind', adapter.software ? 'software' : 'hardware']);
    } else {
      rows.push(['WebGPU adapter', 'none was offered']);
    }
    const parts = [list(rows.filter(([, value]) => value))];
    if (adapter) {
      parts.push(heading('Features'), chips(adapter.features));
      parts.push(heading('Limits'), list(entries(adapter.limits).map(([k, v]) => [k, Number(v).toLocaleString('en')])));
    }
    this.#body.replaceChildren(...parts);
    this.#details.hidden = false;
  }

  /** @param {number} bytes that the engine has taken, and never gives back before its worker ends */
  showMemory(bytes) {
    const beside = this.#line.dataset.kind === 'webgpu' ? ', beside what the graphics device holds' : '';
    this.#memory.textContent = `The engine has taken ${Math.round(bytes / 1e6)} MB of memory${beside}.`;
    this.#memory.dataset.value = String(bytes);
  }
}

// Maps come over the wasm boundary as Map or as object, by the serializer's setting.
function entries(limits) {
  return limits instanceof Map ? [...limits] : Object.entries(limits ?? {});
}

function milliseconds(value) {
  return value === null || value === undefined ? 'not run' : `${value.toFixed(1)} ms`;
}

function heading(text) {
  const h = document.createElement('h3');
  h.textContent = text;
  return h;
}

function list(rows) {
  const dl = document.createElement('dl');
  for (const [term, value] of rows) {
    const dt = document.createElement('dt');
    dt.textContent = term;
    const dd = document.createElement('dd');
    dd.textContent = value;
    const div = document.createElement('div');
    div.append(dt, dd);
    dl.append(div);
  }
  return dl;
}

function chips(names) {
  const ul = document.createElement('ul');
  for (const name of names) {
    const li = document.createElement('li');
    li.textContent = name;
    ul.append(li);
  }
  return ul;
}

customElements.define('device-panel', DevicePanel);
