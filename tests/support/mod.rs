//! Shared by the native end-to-end tests: pictures, models and edited weight files.

// Each test crate uses only a part of this.
#![allow(dead_code)]

pub mod models;
#[cfg(feature = "cli")]
pub mod program;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tesserae::tokens::Grid;
use tesserae::{Codec, Picture, Result, Tokens};

/// A briefly trained VQ-GAN with 32 codes and a down-sampling factor of 4.
pub const TINY: &[u8] = include_bytes!("../e2e/fixtures/tiny.safetensors");

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn sample_path(name: &str) -> PathBuf {
    root().join("www/samples").join(name)
}

pub fn sample(name: &str) -> Picture {
    Picture::decode(&std::fs::read(sample_path(name)).unwrap()).unwrap()
}

pub fn codec(weights: impl Into<Vec<u8>>) -> Codec {
    Codec::from_weights(weights.into(), &Device::flex()).unwrap()
}

pub fn try_encode(codec: &Codec, picture: &Picture) -> Result<Tokens> {
    block_on(codec.encode(picture))
}

pub fn try_decode(codec: &Codec, tokens: &Tokens) -> Result<Picture> {
    block_on(codec.decode(tokens))
}

pub fn encode(codec: &Codec, picture: &Picture) -> Tokens {
    try_encode(codec, picture).unwrap()
}

pub fn decode(codec: &Codec, tokens: &Tokens) -> Picture {
    try_decode(codec, tokens).unwrap()
}

pub fn try_reconstruct(codec: &Codec, picture: &Picture, sample: Option<u64>) -> Result<Picture> {
    block_on(codec.reconstruct_with(picture, sample, &mut async |_, _, _| true))
}

/// The picture as model input; its dimensions must be valid for the model without padding.
pub fn planes(codec: &Codec, picture: &Picture) -> Tensor<4> {
    let [low, high] = codec.config().input_range();
    let shape = [1, 3, picture.height() as usize, picture.width() as usize];
    let data = TensorData::new(picture.to_planar(low, high), shape);
    Tensor::from_data(data, &Device::flex())
}

/// The picture from model output of this picture's size.
pub fn of_planes(codec: &Codec, picture: &Picture, x: Tensor<4>) -> Picture {
    let [low, high] = codec.config().input_range();
    let planar: Vec<f32> = x.into_data().iter().collect();
    Picture::from_planar(&planar, picture.width(), picture.height(), low, high).unwrap()
}

/// The codes and the reconstruction from a single undivided pass, without the codec.
pub fn undivided(codec: &Codec, picture: &Picture) -> (Vec<Grid>, Picture) {
    let (model, x) = (codec.model(), planes(codec, picture));
    let (mut entries, mut grids) = (Vec::new(), Vec::new());
    for grid in 0..codec.config().grids().len() {
        let z = model.latents(x.clone(), &entries);
        let indices = model.indices(grid, z).unwrap();
        let [_, rows, columns] = indices.dims();
        entries.push(model.lookup(grid, indices.clone()).unwrap());
        grids.push(Grid {
            rows: rows as u32,
            columns: columns as u32,
            indices: indices.into_data().iter().collect(),
        });
    }
    if entries.is_empty() {
        entries.push(model.latents(x, &[]));
    }
    let rebuilt = model.decode(&entries).unwrap();
    (grids, of_planes(codec, picture, rebuilt))
}

/// The code of `result`, which must be an error.
pub fn code<T>(result: Result<T>) -> &'static str {
    match result {
        Ok(_) => "no error",
        Err(error) => error.code(),
    }
}

/// Smooth colours, discs with hard edges and a fine weave: no two parts look alike.
pub fn painted(width: u32, height: u32) -> Picture {
    let value = |x: u32, y: u32, c: u32| {
        let (x, y, c) = (f64::from(x), f64::from(y), f64::from(c));
        let slow = 50.0 * (x * 0.021 + c * 1.3).sin() + 40.0 * (y * 0.034 - c + x * 0.008).cos();
        let (u, v) = (x % 47.0 - 23.0, y % 41.0 - 20.0);
        let disc = if u.hypot(v) < 9.0 + 5.0 * (x * 0.02 + c).sin() {
            35.0
        } else {
            0.0
        };
        let weave = 12.0 * ((x * 0.9 + y * 0.4).sin() * (y * 0.7).cos());
        (110.0 + slow + disc + weave).clamp(0.0, 255.0) as u8
    };
    let rgb = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |c| value(x, y, c))))
        .collect();
    Picture::from_rgb(width, height, rgb).unwrap()
}

/// The part of `picture` whose top left corner is at `left`, `top`.
pub fn part(picture: &Picture, left: u32, top: u32, width: u32, height: u32) -> Picture {
    let row = 3 * picture.width() as usize;
    let (start, length) = (3 * left as usize, 3 * width as usize);
    let rows = picture.rgb().chunks_exact(row);
    let rgb = rows
        .skip(top as usize)
        .take(height as usize)
        .flat_map(|row| &row[start..start + length])
        .copied()
        .collect();
    Picture::from_rgb(width, height, rgb).unwrap()
}

/// A stored tensor.
#[derive(Clone, PartialEq)]
pub struct Stored {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub data: Vec<u8>,
}

impl Stored {
    /// The values of an f16 or f32 tensor.
    pub fn values(&self) -> Vec<f32> {
        match self.dtype {
            Dtype::F16 => {
                let pairs = self.data.as_chunks::<2>().0.iter();
                pairs
                    .map(|b| half::f16::from_le_bytes(*b).to_f32())
                    .collect()
            }
            Dtype::F32 => {
                let words = self.data.as_chunks::<4>().0.iter();
                words.map(|b| f32::from_le_bytes(*b)).collect()
            }
            other => panic!("{other:?} is not read here"),
        }
    }

    /// A tensor with the same shape and other values, in f32.
    pub fn with(&self, values: impl IntoIterator<Item = f32>) -> Self {
        Self {
            dtype: Dtype::F32,
            shape: self.shape.clone(),
            data: values.into_iter().flat_map(f32::to_le_bytes).collect(),
        }
    }
}

/// A weight file that can be modified and written again.
#[derive(Clone)]
pub struct WeightFile {
    pub metadata: Option<HashMap<String, String>>,
    pub tensors: BTreeMap<String, Stored>,
}

impl WeightFile {
    pub fn of(bytes: &[u8]) -> Self {
        let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
        let tensors = SafeTensors::deserialize(bytes).unwrap();
        let stored = |view: TensorView| Stored {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            data: view.data().to_vec(),
        };
        Self {
            metadata: header.metadata().clone(),
            tensors: tensors
                .iter()
                .map(|(name, view)| (name.to_owned(), stored(view)))
                .collect(),
        }
    }

    pub fn tiny() -> Self {
        Self::of(TINY)
    }

    pub fn get(&mut self, name: &str) -> &mut Stored {
        self.tensors
            .get_mut(name)
            .unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Changes the values of one tensor, which becomes f32.
    pub fn map(&mut self, name: &str, f: impl Fn(f32) -> f32) {
        let tensor = self.get(name);
        *tensor = tensor.with(tensor.values().into_iter().map(f));
    }

    pub fn config(&self) -> String {
        self.metadata.as_ref().unwrap()["config"].clone()
    }

    pub fn set_config(&mut self, json: impl Into<String>) {
        let metadata = self.metadata.get_or_insert_default();
        metadata.insert("config".to_owned(), json.into());
    }

    pub fn bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, t)| {
            let view = TensorView::new(t.dtype, t.shape.clone(), &t.data).unwrap();
            (name.clone(), view)
        });
        safetensors::serialize(views, self.metadata.clone()).unwrap()
    }
}
