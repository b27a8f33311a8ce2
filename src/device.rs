//! Whether a device computes what it should, and how fast: a small network with a known answer.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

use crate::error::{Error, Result};
use crate::nn::{AttnBlock, Downsample, Norm, ResnetBlock, Upsample};
use crate::quantize::VectorQuantizer;

/// Every kind of layer that the models need, at a few thousand parameters.
#[derive(Module, Debug)]
struct Probe {
    wide: ResnetBlock,
    down: Downsample,
    attention: AttnBlock,
    quantize: VectorQuantizer,
    up: Upsample,
}

/// Side of the probe's picture, and its width.
const SIDE: usize = 16;
const WIDTH: usize = 8;
/// Every 67th value of the probe's output, in the order of `[1, WIDTH, SIDE, SIDE]`.
#[rustfmt::skip]
const ANSWER: [f32; 31] = [
    -0.258994, 4.731277, -7.869517, -3.954908, -1.045165, -2.996171, -0.410448, -2.105453,
    -8.873536, -6.100403, -6.983617, -8.778548, -2.021473, -1.882031, 1.046564, -0.356226,
    -0.657095, -7.481878, 3.711978, -2.032754, 2.913258, -5.719433, 3.487814, -3.350358,
    2.7823, -4.226732, 4.333925, -8.701315, 1.464822, -7.250463, -3.134546,
];

/// Fills every parameter with a fixed sequence, so that the answer is the same everywhere.
struct Fill {
    salt: u32,
}

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.salt += 1;
        let salt = self.salt;
        param.map(|tensor| {
            let dims = tensor.dims();
            let fan_in = dims.iter().skip(1).product::<usize>().max(1) as f32;
            let data = sequence(dims.iter().product(), salt, 2.0 / fan_in.sqrt());
            Tensor::from_data(TensorData::new(data, dims), &tensor.device())
        })
    }
}

/// `count` values spread evenly in ±`scale`, by the golden ratio.
fn sequence(count: usize, salt: u32, scale: f32) -> Vec<f32> {
    (0..count)
        .map(|i| {
            let turn = (i as f64 + 1.0) * 0.618_033_988_749_895 + f64::from(salt) * 0.37;
            (turn.fract() as f32 - 0.5) * 2.0 * scale
        })
        .collect()
}

impl Probe {
    fn new(device: &Device) -> Self {
        let norm = Norm {
            groups: 2,
            eps: 1e-6,
        };
        Self {
            wide: ResnetBlock::new(3, WIDTH, Norm { groups: 1, ..norm }, device),
            down: Downsample::new(WIDTH, device),
            attention: AttnBlock::new(WIDTH, norm, device),
            quantize: VectorQuantizer::new(32, WIDTH, device),
            up: Upsample::new(WIDTH, device),
        }
        .map(&mut Fill { salt: 0 })
    }

    async fn run(&self, device: &Device) -> Result<Vec<f32>> {
        let data = sequence(3 * SIDE * SIDE, 99, 1.0);
        let x = Tensor::<4>::from_data(TensorData::new(data, [1, 3, SIDE, SIDE]), device);
        let h = self
            .attention
            .forward(self.down.forward(self.wide.forward(x)));
        let codes = self.quantize.lookup(self.quantize.indices(h.clone()));
        let y = self.up.forward(h + codes);
        let data = y.into_data_async().await;
        Ok(data
            .map_err(|e| Error::SelfTestFailed(e.to_string()))?
            .iter()
            .collect())
    }
}

/// Runs the network with the known answer.
///
/// # Errors
/// [`Error::SelfTestFailed`] when the device fails or its answer is off by more than 10⁻³ of the
/// largest value.
pub async fn check(device: &Device) -> Result<()> {
    let output = Probe::new(device).run(device).await?;
    let sampled = output.iter().step_by(67).copied().collect::<Vec<_>>();
    let largest = ANSWER.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    let error = sampled
        .iter()
        .zip(ANSWER)
        .map(|(got, want)| (got - want).abs())
        // `max` would drop a NaN; this keeps it.
        .fold(0.0_f32, |max, e| if e <= max { max } else { e });
    if sampled.len() == ANSWER.len() && error <= 1e-3 * largest {
        Ok(())
    } else {
        Err(Error::SelfTestFailed(format!(
            "its answer is off by {error:e} where values reach {largest:e}"
        )))
    }
}

/// Milliseconds that a stretch of decoder work takes (0.6 GFLOP), after one run to warm up. `now` is
/// a clock in milliseconds.
///
/// # Errors
/// [`Error::SelfTestFailed`] when the device fails.
pub async fn measure(device: &Device, now: impl Fn() -> f64) -> Result<f64> {
    let norm = Norm {
        groups: 8,
        eps: 1e-6,
    };
    let block = ResnetBlock::new(64, 64, norm, device);
    let run = async || {
        let x = Tensor::<4>::ones([1, 64, 64, 64], device);
        let y = block.forward(x).mean().into_data_async().await;
        y.map(|_| ())
            .map_err(|e| Error::SelfTestFailed(e.to_string()))
    };
    run().await?;
    let start = now();
    run().await?;
    Ok(now() - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_passes() {
        pollster::block_on(check(&Device::flex())).unwrap();
    }

    #[test]
    fn every_layer_counts() {
        // A probe that ignored one of its layers could not tell a device that computes it wrongly.
        let device = Device::flex();
        let run = |probe: Probe| pollster::block_on(probe.run(&device)).unwrap();
        let right = run(Probe::new(&device));
        for layer in 0..5 {
            let other = Probe::new(&device);
            let other = match layer {
                0 => Probe {
                    wide: other.wide.map(&mut Fill { salt: 50 }),
                    ..other
                },
                1 => Probe {
                    down: other.down.map(&mut Fill { salt: 50 }),
                    ..other
                },
                2 => Probe {
                    attention: other.attention.map(&mut Fill { salt: 50 }),
                    ..other
                },
                3 => Probe {
                    quantize: other.quantize.map(&mut Fill { salt: 50 }),
                    ..other
                },
                _ => Probe {
                    up: other.up.map(&mut Fill { salt: 50 }),
                    ..other
                },
            };
            assert_ne!(run(other), right, "layer {layer}");
        }
    }
}
