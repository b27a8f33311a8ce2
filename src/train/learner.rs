use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Gradients, Tensor};

use super::adamw::{self, Moments};
use super::{OptimizerConfig, State};
use crate::error::{Error, Result};
use crate::params;

/// Keeps the clipped norm finite when all gradients are zero, as in PyTorch.
const CLIP_EPSILON: f32 = 1e-6;

/// A module in training: its parameters, optimizer state and moving average.
pub struct Learner<M: Module> {
    module: M,
    moments: Moments,
    gathered: GradientsAccumulator<M>,
    /// Without gradients; only if the config asks for it.
    average: Option<M>,
    /// Number of updates of the average.
    followed: u32,
    config: OptimizerConfig,
}

/// State that [`Learner::read`] found, to be applied once everything else has been read too.
pub struct Restored<M> {
    module: M,
    average: Option<M>,
    followed: u32,
    moments: Moments,
}

impl<M: Module> Learner<M> {
    /// Starts from `module`, on a device without autodiff.
    pub fn new(module: M, config: &OptimizerConfig) -> Self {
        // The optimizer state is keyed by id, and a checkpoint outlives the process.
        let module = params::identify(params::widen(module));
        Self {
            average: config.average.map(|_| module.clone()),
            module: module.train(),
            moments: Moments::new(),
            gathered: GradientsAccumulator::new(),
            followed: 0,
            config: config.clone(),
        }
    }

    /// The current module, with gradients.
    pub fn module(&self) -> &M {
        &self.module
    }

    /// Mutable access, for parameters that are not trained by gradient.
    pub fn module_mut(&mut self) -> &mut M {
        &mut self.module
    }

    /// The result of training, without gradients: the EMA of the weights if there is one, otherwise
    /// the weights.
    pub fn outcome(&self) -> M {
        self.average.clone().unwrap_or_else(|| self.module.valid())
    }

    /// Adds the gradients of one batch to the step's.
    pub fn gather(&mut self, gradients: &mut Gradients) {
        let found = GradientsParams::from_module(gradients, &self.module);
        self.gathered.accumulate(&self.module, found);
    }

    /// Updates the parameters with the gradients accumulated since the last step.
    pub fn step(&mut self, rate: f64) {
        let mut gradients = self.gathered.grads();
        if let Some(clip) = self.config.clip {
            gradients = clipped(&self.module, gradients, clip);
        }
        let module = self.module.clone();
        self.module = adamw::step(&self.config, rate, module, gradients, &mut self.moments);
        if let (Some(keep), Some(average)) = (self.config.average, self.average.take()) {
            // Early on, the average decays faster, so that the initial weights wash out;
            // latent-diffusion, `modules/ema.py`.
            let n = f64::from(self.followed);
            let keep = keep.min((1.0 + n) / (10.0 + n));
            let average = params::lerp(average, &self.module.valid(), 1.0 - keep, |_| true);
            self.average = Some(average);
            self.followed = self.followed.saturating_add(1);
        }
    }

    /// Saves all state that the next step depends on under `prefix`.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn save(&self, prefix: &str, state: &mut State) -> Result<()> {
        state.put_module(prefix, &self.module.valid()).await?;
        if let Some(average) = &self.average {
            state
                .put_module(&format!("{prefix}.average"), average)
                .await?;
        }
        state.put_note(&format!("{prefix}.followed"), self.followed.to_string());
        adamw::save(&self.moments, &self.module, prefix, state).await
    }

    /// Reads what [`Learner::save`] wrote, without applying it.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] and [`Error::WeightsMismatch`] for the state of another module.
    pub fn read(&self, prefix: &str, state: &State) -> Result<Restored<M>> {
        let average = self.average.as_ref();
        let average = average.map(|m| state.module(&format!("{prefix}.average"), m.valid()));
        let followed = state.note(&format!("{prefix}.followed"))?;
        let still = self.module.valid();
        let device = still.devices().into_iter().next().unwrap_or_default();
        Ok(Restored {
            moments: adamw::read(&still, prefix, state, &device)?,
            module: state.module(prefix, still)?,
            average: average.transpose()?,
            followed: followed
                .parse()
                .map_err(|_| Error::WeightsCorrupt(format!("`{followed}` is not a step count")))?,
        })
    }

    /// Applies restored state.
    pub fn set(&mut self, restored: Restored<M>) {
        self.module = restored.module.train();
        self.average = restored.average;
        self.followed = restored.followed;
        self.moments = restored.moments;
        self.gathered = GradientsAccumulator::new();
    }
}

/// Clips the gradients to a total norm of at most `most`.
fn clipped<M: Module>(module: &M, gradients: GradientsParams, most: f32) -> GradientsParams {
    let mut squares = Squares {
        gradients: &gradients,
        sum: None,
    };
    module.visit(&mut squares);
    let Some(sum) = squares.sum else {
        return gradients;
    };
    let norm = sum.sqrt().add_scalar(CLIP_EPSILON);
    let scale = norm.recip().mul_scalar(most).clamp_max(1.0);
    let mut scaled = Scaled {
        from: gradients,
        to: GradientsParams::new(),
        scale,
    };
    module.visit(&mut scaled);
    scaled.to
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let square = gradient.square().sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

struct Scaled {
    from: GradientsParams,
    to: GradientsParams,
    scale: Tensor<1>,
}

impl ModuleVisitor for Scaled {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.from.remove::<D>(param.id) {
            let scale = self.scale.clone().reshape([1; D]);
            self.to.register(param.id, gradient * scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::quantize::VectorQuantizer;

    /// Two parameters, and a loss whose gradients are 3 in one component and 4 in another.
    type Pair = Vec<VectorQuantizer>;

    fn pair() -> Pair {
        let device = Device::flex();
        (0..2)
            .map(|_| VectorQuantizer::new(1, 1, &device))
            .collect()
    }

    fn weight(pair: &Pair, index: usize) -> Tensor<2> {
        pair[index].embedding.weight.val()
    }

    fn gradients(pair: &Pair) -> Gradients {
        let sum = weight(pair, 0).mul_scalar(3.0) + weight(pair, 1).mul_scalar(4.0);
        sum.sum().backward()
    }

    fn clipped_to(most: f32) -> [f32; 2] {
        let pair = params::identify(pair()).train();
        let found = GradientsParams::from_module(&mut gradients(&pair), &pair);
        let clipped = clipped(&pair, found, most);
        [0, 1].map(|index| {
            let id = pair[index].embedding.weight.id;
            clipped.get::<2>(id).unwrap().into_scalar()
        })
    }

    #[test]
    fn clipping_is_by_the_norm_over_all_parameters() {
        assert_eq!(clipped_to(6.0), [3.0, 4.0]);
        let [a, b] = clipped_to(1.0);
        assert!((a - 0.6).abs() < 1e-5 && (b - 0.8).abs() < 1e-5, "{a}, {b}");
    }

    #[test]
    fn gradients_gather_until_the_step() {
        let config = OptimizerConfig {
            learning_rate: 0.1,
            warmup: 1,
            final_share: 1.0,
            beta_1: 0.0,
            beta_2: 0.0,
            weight_decay: 0.0,
            clip: None,
            average: None,
        };
        let mut learner = Learner::new(pair(), &config);
        let before: f32 = weight(learner.module(), 0).into_scalar();
        for _ in 0..2 {
            let mut gradients = gradients(learner.module());
            learner.gather(&mut gradients);
        }
        assert_eq!(weight(learner.module(), 0).into_scalar::<f32>(), before);
        // With both betas at 0, a step has the length of the rate, whatever the gradient.
        learner.step(0.1);
        let after: f32 = weight(&learner.outcome(), 0).into_scalar();
        assert!((before - after - 0.1).abs() < 1e-4, "{before} to {after}");
    }
}
