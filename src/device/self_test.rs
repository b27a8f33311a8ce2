//! Tests whether a device computes correctly, and how fast, with a small network whose output is
//! known.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::error::{Error, Result};
use crate::nn::{AttnBlock, Downsample, Norm, ResnetBlock, Upsample};
use crate::quantize::VectorQuantizer;
use crate::readback::read_all;

/// Contains every kind of layer that the models use: 0.3 GFLOP, enough to be representative of
/// larger workloads, yet at most a second or two on a software adapter.
#[derive(Module, Debug)]
struct Probe {
    wide: ResnetBlock,
    down: Downsample,
    attention: AttnBlock,
    quantize: VectorQuantizer,
    up: Upsample,
}

/// Side length of the probe's picture, and its channels.
const SIDE: usize = 64;
const WIDTH: usize = 32;
/// Rows and columns of latents that are quantized. Few, and with clear nearest entries: on a close
/// call, two correct devices may differ.
const QUANTIZED: usize = 2;
/// Start of the codebook's sequence, found by trial so that the choices are clear.
const SALT: u32 = 3;
/// Stride between the compared values of the probe's output.
const STRIDE: usize = 4099;
/// The expected values, in the order of `[1, WIDTH, SIDE, SIDE]`.
#[rustfmt::skip]
const ANSWER: [f32; 32] = [
    1.34141, -6.82539, -3.77051, -1.05566, -4.05469, -1.69796, -1.07176, -2.19972,
    0.31963, -0.69341, -1.86061, 1.2872, -2.80868, 0.3892, -0.90804, -2.46972,
    1.06114, 0.00022, 2.11473, 1.02124, -0.16666, 8.36685, 0.03717, -4.05647,
    -1.5702, -1.82572, 1.70834, -1.36352, -2.32214, -0.14602, 0.89397, 0.5884,
];

/// Fills every parameter with a fixed sequence, so that the output is the same everywhere.
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
            let filled = Tensor::from_data(TensorData::new(data, dims), &tensor.device());
            filled.set_require_grad(tensor.is_require_grad())
        })
    }
}

/// Collects the gradients of a module's parameters, flattened.
struct Collect<'a> {
    source: &'a Gradients,
    found: Vec<Tensor<1>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.source) {
            let count = gradient.shape().num_elements();
            self.found.push(gradient.reshape([count]));
        }
    }
}

/// `count` values spread evenly over ±`scale` by the golden ratio.
fn sequence(count: usize, salt: u32, scale: f32) -> Vec<f32> {
    (0..count)
        .map(|i| {
            let turn = (i as f64 + 1.0) * 0.618_033_988_749_895 + f64::from(salt) * 0.37;
            (turn.fract() as f32 - 0.5) * 2.0 * scale
        })
        .collect()
}

/// The latents to quantize, at the codebook's scale.
fn few(z: &Tensor<4>) -> Tensor<4> {
    let few = z.clone().narrow(2, 0, QUANTIZED).narrow(3, 0, QUANTIZED);
    few.div_scalar(16.0)
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
        .with_codebook(SALT)
    }

    fn with_codebook(mut self, salt: u32) -> Self {
        let codebook = &self.quantize.embedding.weight;
        let data = sequence(32 * WIDTH, salt, 1.0);
        let data = TensorData::new(data, [32, WIDTH]);
        let codebook = Tensor::from_data(data, &codebook.val().device());
        self.quantize.set_codebook(codebook);
        self
    }

    fn latents(&self, device: &Device) -> Tensor<4> {
        let data = sequence(3 * SIDE * SIDE, 99, 1.0);
        let x = Tensor::<4>::from_data(TensorData::new(data, [1, 3, SIDE, SIDE]), device);
        self.attention
            .forward(self.down.forward(self.wide.forward(x)))
    }

    /// `[1, WIDTH, SIDE, SIDE]`.
    fn forward(&self, device: &Device) -> Tensor<4> {
        let z = self.latents(device);
        let codes = self.quantize.lookup(self.quantize.indices(few(&z)));
        let [_, width, height, columns] = z.dims();
        let sides = [
            0..1,
            0..width,
            0..QUANTIZED.min(height),
            0..QUANTIZED.min(columns),
        ];
        self.up.forward(z.slice_assign(sides, codes))
    }

    /// # Errors
    /// [`Error::SelfTestFailed`] if the device fails.
    async fn run(&self, device: &Device) -> Result<Vec<f32>> {
        let data = self.forward(device).into_data_async().await;
        Ok(data
            .map_err(|e| Error::SelfTestFailed(e.to_string()))?
            .iter()
            .collect())
    }

    /// The gradients of a weighted sum of the output with respect to every parameter, on an
    /// autodiff device.
    ///
    /// # Errors
    /// [`Error::SelfTestFailed`] if the device fails.
    async fn gradients(&self, device: &Device) -> Result<Vec<Vec<f32>>> {
        let y = self.forward(device);
        let weights = sequence(y.shape().num_elements(), 98, 1.0);
        let weights = Tensor::from_data(TensorData::new(weights, y.dims()), device);
        let source = (y * weights).sum().backward();
        let mut collect = Collect {
            source: &source,
            found: Vec::new(),
        };
        self.visit(&mut collect);
        let read = read_all(collect.found).await;
        read.map_err(|e| match e {
            Error::DeviceLost(reason) => Error::SelfTestFailed(reason),
            error => error,
        })
    }
}

/// Compares a device's output, `[1, WIDTH, SIDE, SIDE]`, with the known values.
///
/// # Errors
/// [`Error::SelfTestFailed`] if it is off by more than 10⁻³ of the largest value.
fn judge(output: &[f32]) -> Result<()> {
    let sampled = output.iter().step_by(STRIDE).copied().collect::<Vec<_>>();
    let largest = ANSWER.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    let error = sampled
        .iter()
        .zip(ANSWER)
        .map(|(got, want)| (got - want).abs())
        // `max` would drop a NaN; this keeps it.
        .fold(0.0_f32, |max, e| match max.is_nan() || e <= max {
            true => max,
            false => e,
        });
    if sampled.len() == ANSWER.len() && error <= 1e-3 * largest {
        Ok(())
    } else {
        Err(Error::SelfTestFailed(format!(
            "its result is off by {error:.1e}, on values up to {largest:.1}"
        )))
    }
}

/// Compares a device's gradients with the CPU's.
///
/// # Errors
/// [`Error::SelfTestFailed`] if one is off by more than 10⁻³ of its largest value.
fn judge_gradients(found: &[Vec<f32>], wanted: &[Vec<f32>]) -> Result<()> {
    let largest = |values: &[f32]| values.iter().fold(0.0_f32, |max, v| max.max(v.abs()));
    // A gradient that is zero except for rounding is compared on the scale of the others.
    let least = 1e-2 * wanted.iter().fold(0.0_f32, |max, w| max.max(largest(w)));
    let close = |(found, wanted): (&Vec<f32>, &Vec<f32>)| {
        let allowed = 1e-3 * largest(wanted).max(least);
        found.len() == wanted.len()
            && (found.iter().zip(wanted)).all(|(got, want)| (got - want).abs() <= allowed)
    };
    if found.len() == wanted.len() && found.iter().zip(wanted).all(close) {
        Ok(())
    } else {
        let told = "its gradients differ from the CPU's";
        Err(Error::SelfTestFailed(told.to_owned()))
    }
}

/// The network with known output, kept on a device so that it can be checked repeatedly. A check
/// draws no random numbers, so it does not affect a training's results.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::device::SelfTest;
/// # fn main() -> tesserae::Result<()> {
/// let test = SelfTest::new(&Device::flex());
/// block_on(test.check())?; // before work, and now and then between
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SelfTest {
    probe: Probe,
    device: Device,
    /// For training: the CPU's gradients.
    gradients: Option<Vec<Vec<f32>>>,
}

impl SelfTest {
    /// Builds the network on `device`.
    pub fn new(device: &Device) -> Self {
        Self {
            probe: Probe::new(device),
            device: device.clone(),
            gradients: None,
        }
    }

    /// The same for a device used for training: also checks its gradients.
    ///
    /// # Errors
    /// [`Error::Internal`] if the CPU's gradients cannot be read.
    pub async fn for_training(device: &Device) -> Result<Self> {
        let cpu = Device::flex().autodiff();
        Ok(Self {
            gradients: Some(Probe::new(&cpu).gradients(&cpu).await?),
            ..Self::new(&device.clone().autodiff())
        })
    }

    /// Runs the network once.
    ///
    /// # Errors
    /// [`Error::SelfTestFailed`] if the device fails or its output is wrong.
    pub async fn check(&self) -> Result<()> {
        judge(&self.probe.run(&self.device).await?)?;
        match &self.gradients {
            Some(wanted) => judge_gradients(&self.probe.gradients(&self.device).await?, wanted),
            None => Ok(()),
        }
    }
}

/// Builds and runs the network once.
///
/// # Errors
/// As [`SelfTest::check`].
pub async fn check(device: &Device) -> Result<()> {
    SelfTest::new(device).check().await
}

/// Time that the network takes in milliseconds, with `now` as a clock in milliseconds. It runs
/// twice; the first run, which compiles and warms up, is not timed, but both outputs are checked.
///
/// # Errors
/// [`Error::SelfTestFailed`] if the device fails or its output is wrong.
pub async fn measure(device: &Device, now: impl Fn() -> f64) -> Result<f64> {
    let test = SelfTest::new(device);
    test.check().await?;
    let start = now();
    test.check().await?;
    Ok(now() - start)
}

/// Runs the network one layer at a time, which compiles the kernels, and calls `alive` after each
/// layer: compiling is slow on a busy machine, and this tells a slow device from a hung one.
///
/// # Errors
/// [`Error::SelfTestFailed`] if the device fails.
#[cfg(target_arch = "wasm32")]
pub(crate) async fn warm_up(device: &Device, alive: impl Fn()) -> Result<()> {
    let probe = Probe::new(device);
    let done = async |layer: Tensor<4>| {
        // Devices compute lazily, so reading one value forces the work to finish.
        let value = layer.clone().slice([0..1, 0..1, 0..1, 0..1]);
        let read = value.into_data_async().await;
        read.map_err(|e| Error::SelfTestFailed(e.to_string()))?;
        alive();
        Ok::<_, Error>(layer)
    };
    let x = Tensor::<4>::zeros([1, 3, SIDE, SIDE], device);
    let x = done(probe.wide.forward(x)).await?;
    let x = done(probe.down.forward(x)).await?;
    let z = done(probe.attention.forward(x)).await?;
    let codes = probe.quantize.lookup(probe.quantize.indices(few(&z)));
    done(codes).await?;
    done(probe.up.forward(z)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::{flatten, margins};

    #[test]
    fn the_cpu_passes() {
        let device = Device::flex();
        pollster::block_on(check(&device)).unwrap();
    }

    #[test]
    fn an_answer_that_is_tampered_with_fails() {
        let device = Device::flex();
        let right = pollster::block_on(Probe::new(&device).run(&device)).unwrap();
        judge(&right).unwrap();
        let code = |change: &dyn Fn(&mut Vec<f32>)| {
            let mut output = right.clone();
            change(&mut output);
            judge(&output).map_err(|error| error.code())
        };
        let wrong = Err("self_test_failed");
        assert_eq!(code(&|output| output[STRIDE] += 0.02), wrong);
        assert_eq!(code(&|output| output[3 * STRIDE] = f32::NAN), wrong);
        assert_eq!(code(&|output| output.fill(0.0)), wrong);
        assert_eq!(code(&|output| output.truncate(31 * STRIDE)), wrong);
    }

    #[test]
    fn a_wrong_gradient_of_any_parameter_fails() {
        let test = pollster::block_on(SelfTest::for_training(&Device::flex())).unwrap();
        pollster::block_on(test.check()).unwrap();
        let right = test.gradients.unwrap();
        // All parameters have a gradient.
        let mut count = Count(0);
        test.probe.visit(&mut count);
        assert_eq!(right.len(), count.0);
        let largest = right.iter().flatten().fold(0.0_f32, |m, v| m.max(v.abs()));
        for at in 0..right.len() {
            for change in [0.01 * largest, f32::NAN] {
                let mut wrong = right.clone();
                wrong[at][0] += change;
                let found = judge_gradients(&wrong, &right).map_err(|error| error.code());
                assert_eq!(found, Err("self_test_failed"), "parameter {at}");
            }
        }
        assert!(judge_gradients(&right[1..], &right).is_err());
    }

    struct Count(usize);

    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {
            self.0 += 1;
        }
    }

    #[test]
    fn the_quantized_choices_are_clear() {
        let device = Device::flex();
        let probe = Probe::new(&device);
        let z = probe.latents(&device);
        let nearest = margins(flatten(few(&z)), probe.quantize.codebook()).into_data();
        for pair in nearest.iter::<f32>().collect::<Vec<_>>().as_chunks::<2>().0 {
            assert!(pair[1] - pair[0] > 0.05 * pair[1], "{pair:?}");
        }
    }

    #[test]
    fn every_layer_counts() {
        // If the probe ignored one of its layers, it could not detect a device that computes it
        // wrongly.
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
