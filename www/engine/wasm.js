// @ts-check
// Where the wasm package is, and its types. It is imported by its address, so that a missing file is an
// error of the job that needed it.
const PACKAGE = new URL('../pkg/tesserae.js', import.meta.url).href;

/**
 * @typedef {typeof import('../../pkg/tesserae.js')} Wasm
 * @typedef {import('../../pkg/tesserae.js').Engine} Engine
 * @typedef {import('../../pkg/tesserae.js').Model} Model
 * @typedef {import('../../pkg/tesserae.js').Picture} Picture
 * @typedef {import('../../pkg/tesserae.js').Tokens} Tokens
 * @typedef {import('../../pkg/tesserae.js').Tuner} Tuner
 * @typedef {import('../../pkg/tesserae.js').PriorTrainer} PriorTrainer
 * @typedef {import('../../pkg/tesserae.js').Trainer} Trainer
 * @typedef {import('../../pkg/tesserae.js').Prior} Prior
 * @typedef {import('../../pkg/tesserae.js').PriorWeights} PriorWeights
 * @typedef {import('../../pkg/tesserae.js').PriorFacts} PriorFacts
 * @typedef {import('../../pkg/tesserae.js').Sampler} Sampler
 * @typedef {import('../../pkg/tesserae.js').Canvas} Canvas
 * @typedef {import('../../pkg/tesserae.js').Generator} Generator
 * @typedef {import('../../pkg/tesserae.js').PictureSampler} PictureSampler
 * @typedef {import('../../pkg/tesserae.js').PictureOptions} PictureOptions
 * @typedef {import('../../pkg/tesserae.js').DeviceChoice} DeviceChoice
 * @typedef {import('../../pkg/tesserae.js').DeviceFacts} DeviceFacts
 * @typedef {import('../../pkg/tesserae.js').ModelFacts} ModelFacts
 * @typedef {import('../../pkg/tesserae.js').TokenFacts} TokenFacts
 * @typedef {import('../../pkg/tesserae.js').Quality} Quality
 * @typedef {import('../../pkg/tesserae.js').Nearest} Nearest
 * @typedef {import('../../pkg/tesserae.js').TuneConfig} TuneConfig
 * @typedef {import('../../pkg/tesserae.js').Usage} Usage
 * @typedef {import('../../pkg/tesserae.js').SampleOptions} SampleOptions
 */

/** @returns {Promise<Wasm>} the wasm package, ready for use */
export async function loadWasm() {
  const wasm = await import(PACKAGE);
  await wasm.default();
  return wasm;
}
