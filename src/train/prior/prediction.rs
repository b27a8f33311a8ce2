use std::f64::consts::FRAC_PI_2;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{Rng, RngExt};

use super::{PriorTrainConfig, TokenGrids};
use crate::error::{Error, Result};
use crate::models::{Predictor, Prior};
use crate::params;
use crate::random::stream;
use crate::train::task::{Artifact, Losses, Role, Task};
use crate::train::{Learner, State};
use crate::weights::{About, Corpus, Storage, save};

/// Salt for the seed, so that held-out batches are not those trained on.
const HELD_OUT: u64 = 0x4e1d_0007;

/// Trains a prior by predicting tokens: a masked one all tokens of a grid of which some are masked,
/// a raster one each token from those before it.
///
/// Source: Besnier et al. 2025, <https://arxiv.org/abs/2503.17076>; Sun et al. 2024,
/// <https://arxiv.org/abs/2406.06525>.
pub struct Prediction {
    config: PriorTrainConfig,
    corpus: Option<Corpus>,
    learner: Learner<Prior>,
    /// With autodiff.
    device: Device,
}

/// A batch on the device.
struct Batch {
    /// What the prior is given.
    inputs: Tensor<2, Int>,
    /// What it is to predict.
    targets: Tensor<2, Int>,
    classes: Tensor<1, Int>,
}

impl Prediction {
    /// Starts from `prior`; training runs on its device. `corpus` is recorded in the weight file.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a config that cannot be trained, [`Error::WeightsMismatch`] for
    /// weights that do not match it.
    pub fn new(
        config: PriorTrainConfig,
        prior: Prior,
        corpus: Option<Corpus>,
        device: &Device,
    ) -> Result<Self> {
        config.validate()?;
        if params::shapes(&prior) != params::shapes(&Prior::new(&config.model, device)?) {
            let message = "the prior does not match the config";
            return Err(Error::WeightsMismatch(message.to_owned()));
        }
        Ok(Self {
            learner: Learner::new(prior, &config.optimizer),
            corpus,
            device: device.clone().autodiff(),
            config,
        })
    }

    /// The trained prior, without gradients.
    pub fn prior(&self) -> Prior {
        self.learner.outcome()
    }

    /// The training config.
    pub fn config(&self) -> &PriorTrainConfig {
        &self.config
    }

    /// Mean bits a token of held-out grids under the current prior, each given what training would
    /// give: for a masked prior, with masks drawn by a fixed seed.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn bits(&self, grids: &TokenGrids) -> Result<f64> {
        let prior = self.prior();
        let device = self.device.clone().without_autodiff();
        let (mut sum, mut count) = (0.0, 0);
        let indices: Vec<usize> = (0..grids.len()).collect();
        for (number, indices) in indices.chunks(self.config.batch).enumerate() {
            let examples = indices.iter().map(|index| grids.middle(*index)).collect();
            let mut rng = stream(self.config.seed ^ HELD_OUT, number);
            let batch = self.batch(examples, 0.0, 0.0, &mut rng, &device);
            let mut losses = Losses::default();
            losses.add("loss", loss(&prior, batch));
            for (_, value) in losses.read().await? {
                sum += f64::from(value) * indices.len() as f64;
                count += indices.len();
            }
        }
        Ok(sum / count.max(1) as f64 / std::f64::consts::LN_2)
    }

    /// Examples as a batch, with masks, dropped classes and replaced tokens drawn from `rng`.
    fn batch(
        &self,
        examples: Vec<(Vec<u32>, usize)>,
        label_drop: f64,
        noise: f64,
        rng: &mut impl Rng,
        device: &Device,
    ) -> Batch {
        let config = &self.config.model;
        let (codes, none) = (config.codes(), config.no_class());
        let masked = matches!(self.learner.module().predictor(), Predictor::Masked(_));
        let shape = [examples.len(), config.tokens()];
        let (mut inputs, mut targets, mut classes) = (Vec::new(), Vec::new(), Vec::new());
        for (tokens, class) in examples {
            let dropped = rng.random::<f64>() < label_drop || config.classes() == 0;
            classes.push(none.filter(|_| dropped).unwrap_or(class) as i32);
            let chance = match masked {
                true => rng.random::<f64>().acos() / FRAC_PI_2,
                false => 0.0,
            };
            for token in tokens {
                targets.push(token as i32);
                inputs.push(if rng.random::<f64>() < chance {
                    codes as i32
                } else if noise > 0.0 && rng.random::<f64>() < noise {
                    rng.random_range(0..codes) as i32
                } else {
                    token as i32
                });
            }
        }
        let grid = |values| Tensor::from_data(TensorData::new(values, shape), device);
        Batch {
            inputs: grid(inputs),
            targets: grid(targets),
            classes: Tensor::from_data(TensorData::new(classes, [shape[0]]), device),
        }
    }
}

/// Mean cross-entropy of all tokens, in nats, `[1]`.
fn loss(prior: &Prior, batch: Batch) -> Tensor<1> {
    let logits = match prior.predictor() {
        Predictor::Masked(masked) => masked.logits(batch.inputs, batch.classes),
        Predictor::Raster(raster) => raster.logits(batch.inputs, batch.classes),
    };
    let right = log_softmax(logits, 2).gather(2, batch.targets.unsqueeze_dim(2));
    right.mean().neg()
}

impl Task for Prediction {
    type Data = TokenGrids;

    async fn step(&mut self, grids: &TokenGrids, step: usize, steps: usize) -> Result<Losses> {
        let config = &self.config;
        let mut rng = stream(config.seed, step);
        let examples = (0..config.batch).map(|_| grids.draw(&mut rng)).collect();
        let (label_drop, noise) = (config.label_drop, config.noise);
        let batch = self.batch(examples, label_drop, noise, &mut rng, &self.device);
        let loss = loss(self.learner.module(), batch);
        let mut losses = Losses::default();
        losses.add("cross_entropy", loss.clone().inner());
        self.learner.gather(&mut loss.backward());
        self.learner.step(self.config.optimizer.rate(step, steps));
        Ok(losses)
    }

    fn identity(&self) -> Result<String> {
        serde_json::to_string(&self.config).map_err(|e| Error::Internal(e.to_string()))
    }

    fn is_same(&self, identity: &str) -> Result<bool> {
        let other: Option<PriorTrainConfig> = serde_json::from_str(identity).ok();
        Ok(other.as_ref() == Some(&self.config))
    }

    async fn save(&self, state: &mut State) -> Result<()> {
        self.learner.save("prior", state).await
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let restored = self.learner.read("prior", state)?;
        self.learner.set(restored);
        Ok(())
    }

    async fn artifacts(&self, about: About<'_>, storage: Storage) -> Result<Vec<Artifact>> {
        let about = About {
            corpus: self.corpus.as_ref(),
            ..about
        };
        Ok(vec![Artifact {
            role: Role::Weights,
            bytes: save(&self.prior(), &self.config.model, about, storage).await?,
        }])
    }
}
