use std::rc::Rc;

use crate::params::Values;

/// The weight of a convolution or a linear layer, or a table of vectors, quantized to int8, with one
/// scale per output channel or vector: value = integer · scale, integers in ±127.
///
/// Source: Jacob et al. 2018, <https://arxiv.org/abs/1712.05877>, symmetric and per channel.
pub struct Narrow {
    /// Shape of the weight.
    pub shape: Vec<usize>,
    /// The integers, in two's complement.
    pub values: Vec<u8>,
    /// Number of output channels on their axis, 1 on the others.
    pub scale_shape: Vec<usize>,
    /// One per output channel.
    pub scales: Vec<f32>,
}

impl Narrow {
    /// Quantizes the weight of a two-dimensional convolution or of a linear layer, or a table; `None`
    /// for anything else.
    pub fn of(weight: &Values) -> Option<Rc<Self>> {
        if weight.shape.len() != 4 && !weight.matrix {
            return None;
        }
        let axis = weight.outputs;
        let channels = weight.shape[axis];
        let inner: usize = weight.shape[axis + 1..].iter().product();
        let channel = |i: usize| i / inner % channels;
        let mut scales = vec![0.0_f32; channels];
        for (i, value) in weight.values.iter().enumerate() {
            let scale = &mut scales[channel(i)];
            *scale = scale.max(value.abs() / 127.0);
        }
        let narrow = |(i, value): (usize, &f32)| match scales[channel(i)] {
            0.0 => 0,
            scale => ((value / scale).round().clamp(-127.0, 127.0) as i8).cast_unsigned(),
        };
        let mut scale_shape = vec![1; weight.shape.len()];
        scale_shape[axis] = channels;
        Some(Rc::new(Self {
            shape: weight.shape.clone(),
            values: weight.values.iter().enumerate().map(narrow).collect(),
            scale_shape,
            scales,
        }))
    }
}
