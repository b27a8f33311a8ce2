use std::borrow::Cow;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::container::SCALE;
use crate::error::{Error, Result};

/// Stores the convolutions of a weight file in f32 as signed 8-bit integers, each output channel
/// with a scale of its own: value = integer · scale, integers in ±127.
///
/// Source: Jacob et al. 2018, <https://arxiv.org/abs/1712.05877>, symmetric and per channel.
pub fn narrow(file: &[u8]) -> Result<Vec<u8>> {
    let internal = |e: safetensors::SafeTensorError| Error::Internal(e.to_string());
    let (_, header) = SafeTensors::read_metadata(file).map_err(internal)?;
    let tensors = SafeTensors::deserialize(file).map_err(internal)?;
    let mut stored = Vec::new();
    for (name, view) in tensors.iter() {
        match Narrow::of(name, &view) {
            Some(narrow) => {
                let scale = narrow.scales.iter().flat_map(|s| s.to_le_bytes()).collect();
                stored.push((name.to_owned(), Dtype::I8, narrow.shape, narrow.values));
                let name = format!("{name}{SCALE}");
                stored.push((name, Dtype::F32, narrow.scale_shape, scale));
            }
            None => {
                let data = view.data().to_vec();
                stored.push((name.to_owned(), view.dtype(), view.shape().to_vec(), data));
            }
        }
    }
    let views = stored
        .iter()
        .map(|(name, dtype, shape, data)| {
            let view = TensorView::new(*dtype, shape.clone(), data).map_err(internal)?;
            Ok((Cow::from(name), view))
        })
        .collect::<Result<Vec<_>>>()?;
    safetensors::serialize(views, header.metadata().clone()).map_err(internal)
}

struct Narrow {
    shape: Vec<usize>,
    values: Vec<u8>,
    scale_shape: Vec<usize>,
    scales: Vec<f32>,
}

impl Narrow {
    /// A convolution's weight in 8 bits; `None` for anything else.
    fn of(name: &str, view: &TensorView) -> Option<Self> {
        let &[first, second, ..] = view.shape() else {
            return None;
        };
        if view.shape().len() != 4 || view.dtype() != Dtype::F32 {
            return None;
        }
        let (axis, channels) = if is_transposed(name) {
            (1, second)
        } else {
            (0, first)
        };
        let inner: usize = view.shape()[axis + 1..].iter().product();
        let channel = |i: usize| i / inner % channels;
        let (words, _) = view.data().as_chunks::<4>();
        let values: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
        let mut scales = vec![0.0_f32; channels];
        for (i, value) in values.iter().enumerate() {
            let scale = &mut scales[channel(i)];
            *scale = scale.max(value.abs() / 127.0);
        }
        let narrow = |(i, value): (usize, &f32)| match scales[channel(i)] {
            0.0 => 0,
            scale => ((value / scale).round().clamp(-127.0, 127.0) as i8).cast_unsigned(),
        };
        let mut scale_shape = vec![1; 4];
        scale_shape[axis] = channels;
        Some(Self {
            shape: view.shape().to_vec(),
            values: values.iter().enumerate().map(narrow).collect(),
            scale_shape,
            scales,
        })
    }
}

/// Whether this is a transposed convolution, which has its output channels second: VQ-VAE's
/// `decoder.up.{i}` and VQ-VAE-2's.
fn is_transposed(name: &str) -> bool {
    let layer = name.trim_end_matches(".weight");
    layer == "upsample_t"
        || layer
            .rsplit_once('.')
            .is_some_and(|(list, _)| list.ends_with(".up"))
}
