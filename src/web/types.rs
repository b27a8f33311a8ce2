//! The TypeScript types of plain objects that go in and out.

use wasm_bindgen::prelude::*;

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

/** What a weight file is, whatever kind of model is in it. */
export interface FileFacts {
  kind: string;
  /** The file's format: this project's or another project's. */
  family: string;
  /** Config fields that the file does not state, set to the family's published value. */
  assumed: string[];
  name: string | null;
  config: object;
  parameters: number;
}

export interface ModelFacts extends FileFacts {
  /** Common prefix of the model's tensor names in the file; usually empty. */
  prefix: string;
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
export interface PriorFacts extends FileFacts {
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

/** Facts about a generator: a model that makes pictures out of noise. */
export interface GeneratorFacts extends FileFacts {
  /** Pixels of a picture. */
  width: number;
  height: number;
  /** 1 for grey pictures, 3 for colour. */
  channels: number;
  /** Number of classes; 0 for an unconditional generator. */
  classes: number;
  /** Numbers that one picture is made of. */
  noise: number;
  /** Whether it makes a picture in steps rather than at once. */
  inSteps: boolean;
  /** Whether it has an encoder, which finds the latent of a picture. */
  encodes: boolean;
  /** Multiply-accumulates of one pass. */
  passMacs: number;
}

/** How a generator's pictures are made; each field has a default. */
export interface PictureOptions {
  /** From 0; null for none. */
  class?: number | null;
  count?: number;
  /** Of the first picture; the others have the numbers after it. */
  seed?: number;
  /** Of a diffusion model, 1 to 1,000. */
  steps?: number;
  /** Of a diffusion model; 1 is none. */
  guidance?: number;
  /** Share of new noise in each step of a diffusion model: 0 is DDIM, 1 is DDPM. */
  eta?: number;
  /** Multiplies the latents that a VAE or a GAN draws. */
  temperature?: number;
  /** Pictures on the way from the noise of `seed` to that of another seed. */
  walk?: { to: number; route?: "straight" | "spherical" } | null;
  /** How far a diffusion model goes back to noise from a picture, 0 to 1. */
  strength?: number;
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

/** The codes nearest to each latent of a picture. */
export interface Nearest {
  rows: number;
  columns: number;
  /** Codes listed for each latent. */
  count: number;
  /** Latents row by row, nearest code first. */
  codes: number[];
  /** Squared distances from the latent. */
  distances: number[];
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
