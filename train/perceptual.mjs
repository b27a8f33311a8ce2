// Called by perceptual.sh: node perceptual.mjs PACKAGE FOLDER
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [home, folder] = process.argv.slice(2);
const require = createRequire(import.meta.url);

// The layers up to the last one that src/nn/features uses.
const NETWORKS = {
  inception: { model: 'inception_v3', last: 'mixed4' },
  mobilenet: { model: 'mobilenet_v2', last: 'block_13_expand_relu' },
};

/** A TF.js model in Keras's layers: its layers in order, and its tensors by name. */
function read(model) {
  const at = join(home, 'dist/models', model);
  const load = (file) => {
    const exported = require(join(at, file));
    return exported.default ?? exported;
  };
  const number = (file) => Number(file.match(/shard(\d+)of/)[1]);
  const shards = readdirSync(at).filter((file) => file.startsWith('group1-shard'));
  const bytes = Buffer.concat(shards.sort((a, b) => number(a) - number(b)).map((file) => Buffer.from(load(file), 'base64')));
  const { modelTopology, weightsManifest } = load('model.min.js');
  const tensors = new Map();
  let start = 0;
  for (const { name, shape, dtype, quantization } of weightsManifest.flatMap((group) => group.weights)) {
    const stored = quantization?.dtype ?? dtype;
    if (stored !== 'uint8' && stored !== 'float32') throw new Error(`${name} is stored as ${stored}`);
    const count = shape.reduce((product, side) => product * side, 1);
    const { scale = 1, min = 0 } = quantization ?? {};
    const width = stored === 'uint8' ? 1 : 4;
    const value = (i) => (width === 1 ? bytes[start + i] : bytes.readFloatLE(start + 4 * i));
    const values = Float64Array.from({ length: count }, (_, i) => value(i) * scale + min);
    tensors.set(name, { shape, values });
    start += count * width;
  }
  if (start !== bytes.length) throw new Error(`${bytes.length - start} bytes of ${model} are left over`);
  return { layers: modelTopology.model_config.config.layers, tensors };
}

/** Convolutions with the normalisation behind each folded in, in PyTorch's layout. */
function folded({ layers, tensors }, last) {
  const end = layers.findIndex((layer) => layer.name === last);
  if (end < 0) throw new Error(`no layer ${last}`);
  const used = layers.slice(0, end + 1);
  const norms = new Map();
  for (const { class_name, name, config, inbound_nodes } of used) {
    if (class_name === 'BatchNormalization') norms.set(inbound_nodes[0][0][0], { name, config });
  }
  const result = new Map();
  for (const { class_name, name } of used) {
    if (class_name !== 'Conv2D' && class_name !== 'DepthwiseConv2D') continue;
    const depthwise = class_name === 'DepthwiseConv2D';
    const kernel = tensors.get(`${name}/${depthwise ? 'depthwise_kernel' : 'kernel'}`);
    const norm = norms.get(name);
    if (!norm) throw new Error(`no normalisation follows ${name}`);
    const of = (part) => tensors.get(`${norm.name}/${part}`)?.values;
    const [variance, mean, gamma, beta] = ['moving_variance', 'moving_mean', 'gamma', 'beta'].map(of);
    const scale = Array.from(variance, (v, c) => (gamma?.[c] ?? 1) / Math.sqrt(v + norm.config.epsilon));
    const own = tensors.get(`${name}/bias`)?.values;
    const bias = scale.map((s, c) => (beta?.[c] ?? 0) + ((own?.[c] ?? 0) - mean[c]) * s);
    const [rows, columns, a, b] = kernel.shape;
    // Keras: rows, columns, in, out; depthwise: rows, columns, channel, 1.
    const [outputs, inputs] = depthwise ? [a, 1] : [b, a];
    const weight = [];
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        for (let place = 0; place < rows * columns; place++) {
          weight.push(kernel.values[depthwise ? place * a + o : (place * a + i) * b + o] * scale[o]);
        }
    result.set(`${name}.weight`, { shape: [outputs, inputs, rows, columns], values: weight });
    result.set(`${name}.bias`, { shape: [outputs], values: bias });
  }
  return result;
}

/** A safetensors file in single precision: https://huggingface.co/docs/safetensors. */
function safetensors(tensors) {
  const header = {};
  const parts = [];
  let start = 0;
  for (const [name, { shape, values }] of tensors) {
    const data = Buffer.from(Float32Array.from(values).buffer);
    header[name] = { dtype: 'F32', shape, data_offsets: [start, start + data.length] };
    parts.push(data);
    start += data.length;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

mkdirSync(folder, { recursive: true });
for (const [name, { model, last }] of Object.entries(NETWORKS)) {
  const tensors = folded(read(model), last);
  const file = join(folder, `${name}.safetensors`);
  writeFileSync(file, safetensors(tensors));
  console.log(`${tensors.size} tensors of ${model} in ${file}`);
}
