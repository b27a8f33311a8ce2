//! The browser bindings, and the only module that knows JavaScript. `www/engine/worker.js` uses
//! exactly this API, as does everyone who installs the package from npm.

mod adapter;
mod canvas;
mod clock;
mod engine;
mod error;
mod latents;
mod model;
mod picture;
mod prior;
mod prior_trainer;
mod sampler;
mod source;
mod start;
mod tokens;
mod tuner;

pub use canvas::Canvas;
pub use engine::Engine;
pub use latents::Latents;
pub use model::{Model, Weights};
pub use picture::{Picture, compare};
pub use prior::{Prior, PriorWeights};
pub use prior_trainer::PriorTrainer;
pub use sampler::Sampler;
pub use start::start;
pub use tokens::Tokens;
pub use tuner::Tuner;

use serde::Serialize;
use wasm_bindgen::prelude::*;

/// The package version.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Size of the wasm memory in bytes. Wasm memory never shrinks, so this is also the peak.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    f64::from(buffer.byte_length())
}

/// Converts a value to a plain JavaScript object: numbers as numbers, maps as objects.
fn object(value: &impl Serialize) -> Result<JsValue, JsValue> {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .map_err(|e| error::internal(&e.to_string()))
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export type DeviceChoice = "auto" | "webgpu" | "cpu";

/** What the WebGPU adapter reports about itself. */
export interface AdapterFacts {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** Runs on the CPU, whatever its name says. */
  software: boolean;
  features: string[];
  limits: Record<string, number>;
}

export interface DeviceFacts {
  /** The device in use. */
  kind: "webgpu" | "cpu";
  /** The device that was requested. */
  choice: DeviceChoice;
  /** Why this device, in a sentence. */
  reason: string;
  adapter: AdapterFacts | null;
  /** Milliseconds for the same work on both, if measured. */
  selfTest: { webgpuMs: number; cpuMs: number } | null;
  /** Why WebGPU is not in use although it was requested or tried. */
  problem: { code: string; message: string } | null;
}

export interface ModelFacts {
  kind: string;
  /** The file's format: this project's or another project's. */
  family: string;
  /** Config fields that the file does not state, set to the family's published value. */
  assumed: string[];
  /** Common prefix of the model's tensor names in the file; usually empty. */
  prefix: string;
  name: string | null;
  config: object;
  parameters: number;
  /** Picture sides are padded to a multiple of this. */
  factor: number;
  /** For each grid of tokens, coarsest first, the side in pixels of the patch that a token covers;
      empty for a model without a codebook. */
  grids: number[];
  /** Entries of each grid's codebook; 0 without one. */
  codebookSize: number;
  bitsPerToken: number;
  codebookHash: string;
  /** Hash of the encoder: latents can only be decoded by a model with the same one. */
  encoderHash: string;
  decoderHash: string;
  /** How latents are scaled for a generator, where the file says so: (value − shift) · scale. */
  latentScale: { scale: number; shift: number } | null;
  maxPixels: number;
}

export interface TokenFacts {
  width: number;
  height: number;
  codebookSize: number;
  grids: { rows: number; columns: number }[];
  count: number;
  bitsPerToken: number;
  bitsPerPixel: number;
  /** Length of the token file. */
  bytes: number;
  perplexity: number;
  used: number;
  codebookHash: string;
  decoderHash: string;
}

/** Facts about a prior over tokens. */
export interface PriorFacts {
  kind: string;
  /** The file's format: this project's or another project's. */
  family: string;
  /** Config fields that the file does not state, set to the family's published value. */
  assumed: string[];
  name: string | null;
  config: object;
  parameters: number;
  /** Whether it predicts tokens row by row, or masked ones in any order. */
  order: "raster" | "masked";
  codes: number;
  rows: number;
  columns: number;
  /** Number of classes; 0 for an unconditional prior. */
  classes: number;
  /** Whether it can be guided: it was trained without classes, too. */
  guided: boolean;
  /** What it learned from, where its file says so; `codebook` is the hash of its tokens' codebook. */
  corpus: { tokenizer: string; codebook: string; classes: string[] } | null;
}

/** How pictures are sampled; each field has a default. */
export interface SampleOptions {
  /** From 0; null for none. */
  class?: number | null;
  count?: number;
  /** Of the first picture; the others have the numbers after it. */
  seed?: number;
  /** Of a masked prior. */
  steps?: number;
  /** 0 always takes the likeliest code. */
  temperature?: number;
  /** 0 keeps all codes. */
  top_k?: number;
  /** 1 keeps all codes. */
  top_p?: number;
  /** 1 is none. */
  guidance?: number;
  order?: "halton" | "confidence" | "raster" | null;
  schedule?: "arccos" | "cosine";
}

export interface Quality {
  /** Decibels over the 8-bit RGB samples; Infinity for equal pictures. */
  psnr: number;
  /** Gaussian 11×11 on luma, at most 1. */
  ssim: number;
}

/** Settings of a tuning; each has a default. */
export interface TuneConfig {
  /** The parts to train: with the decoder alone, pictures keep their tokens. */
  parts?: "decoder" | "codebook" | "all";
  /** VQ-VAE's objective, or VQ-GAN's with a discriminator. */
  objective?: "faithful" | "lifelike";
  /** For a restoration: the damage applied to the model's input. */
  damage?: { noise: number } | { jpeg: number } | { blur: number } | { small: number };
  steps?: number;
  learning_rate?: number;
  batch?: number;
  /** Side in pixels; 0 for the largest that fits, at most 256. */
  crop?: number;
  seed?: number;
}

/** The unweighted loss terms of one tuning step. */
export interface TuneStep {
  step: number;
  losses: Record<string, number>;
}

/** Settings of a small prior's training; each has a default. */
export interface PriorTrainOptions {
  steps?: number;
  seed?: number;
}

/** How much of a codebook is in use; all grids together. */
export interface Usage {
  /** Codes that were chosen at least once. */
  used: number;
  /** The number of equally frequent codes that would carry as much information; 0 without any. */
  perplexity: number;
}

/** Called between windows; returning false ends the work with the code "cancelled". */
export type Progress = (stage: "encode" | "decode", done: number, total: number) => boolean | void;

/** The error of every function and promise here. */
export interface TesseraeError extends Error {
  name: "TesseraeError";
  /** Stable: see docs/codes.md. */
  code: string;
}
"#;
