//! Weights that follow from their names, as `gen_losses.py` describes: millions of them need not be
//! stored.

use std::borrow::Cow;
use std::rc::Rc;

use safetensors::tensor::{Dtype, TensorView};
use tesserae::weights::Container;

/// Element `i` of the tensor `name` before scaling, in 0..1.
fn hashed(name: &str, i: u32) -> f64 {
    let fnv = |h: u32, b: u8| (h ^ u32::from(b)).wrapping_mul(0x0100_0193);
    let mut x = name.bytes().fold(0x811C_9DC5, fnv);
    x = x.wrapping_add(i.wrapping_mul(0x9E37_79B9));
    x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    f64::from(x ^ (x >> 16)) / 2_f64.powi(32)
}

/// The values of the tensor `name`.
pub fn values(name: &str, shape: &[usize]) -> Vec<f32> {
    let count: usize = shape.iter().product();
    let bound = match shape {
        _ if name.starts_with("lin") => None,
        [_] => Some(0.1),
        [_, fan_in @ ..] => Some((6.0 / fan_in.iter().product::<usize>() as f64).sqrt()),
        [] => None,
    };
    let value = |i| match bound {
        Some(bound) => (hashed(name, i) - 0.5) * 2.0 * bound,
        None => hashed(name, i),
    };
    (0..count as u32).map(|i| value(i) as f32).collect()
}

/// A published file's tensors by name and shape.
pub fn published(tensors: &[(String, Vec<usize>)]) -> Container {
    Container::open(Rc::new(bytes(tensors))).unwrap()
}

/// The same, as a file.
pub fn bytes(tensors: &[(String, Vec<usize>)]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(name, shape)| values(name, shape))
        .map(|values| values.iter().flat_map(|v| v.to_le_bytes()).collect())
        .collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap();
        (Cow::from(name.as_str()), view)
    });
    safetensors::serialize(views, None).unwrap()
}
