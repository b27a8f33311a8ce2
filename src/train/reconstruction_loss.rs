use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::features::FeatureLoss;
use super::losses::{gradient_difference, texture_difference};
use super::{LossConfig, PixelLoss, TrainConfig};
use crate::error::{Error, Result};
use crate::nn::{FeatureNetwork, Lpips};

/// Variance of a photo's pixels in the range 0…1: a standard deviation of about a quarter.
const VARIANCE: f32 = 1.0 / 16.0;

/// The reconstruction loss: the weighted sum of all terms that compare a picture with its original.
pub struct ReconstructionLoss {
    config: LossConfig,
    /// What black and white are to the model.
    range: [f32; 2],
    perceptual: Option<Lpips>,
    features: Option<FeatureLoss>,
}

impl ReconstructionLoss {
    /// The loss of `config` on `device`, with the networks that it gives a weight.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] for a network without a weight, a weight without a network, and
    /// crops that are too small for it.
    pub fn new(
        config: &TrainConfig,
        perceptual: Option<Lpips>,
        features: Option<FeatureNetwork>,
        device: &Device,
    ) -> Result<Self> {
        if (config.loss.perceptual > 0.0) != perceptual.is_some() {
            return Err(Error::ConfigInvalid(
                "`perceptual` above 0 and LPIPS's weights must be given together".to_owned(),
            ));
        }
        if (config.loss.features > 0.0) != features.is_some() {
            return Err(Error::ConfigInvalid(
                "`features` above 0 and its network's weights must be given together".to_owned(),
            ));
        }
        if matches!(features, Some(FeatureNetwork::MobileNet(_))) {
            return Err(Error::ConfigInvalid(
                "training needs Inception-v3's features; MobileNetV2's are kept to judge by"
                    .to_owned(),
            ));
        }
        let smallest = features.as_ref().map(FeatureNetwork::smallest);
        if let Some(smallest) = smallest.map(FeatureLoss::smallest_crop)
            && config.data.crop < smallest
        {
            return Err(Error::ConfigInvalid(format!(
                "`crop` must be at least {smallest} for this network of features"
            )));
        }
        Ok(Self {
            config: config.loss.clone(),
            range: config.model.input_range(),
            perceptual: perceptual.map(Module::train).map(Module::no_grad),
            features: features.map(|network| FeatureLoss::new(network, config.seed, device)),
        })
    }

    /// The loss of batch `number`, `[1]`; `add` hears each term, without its weight.
    ///
    /// # Shapes
    /// - `fake`, `real`: `[batch, channels, side, side]` in the model's range
    pub fn of(
        &self,
        fake: &Tensor<4>,
        real: &Tensor<4>,
        number: usize,
        add: &mut impl FnMut(&'static str, &Tensor<1>),
    ) -> Tensor<1> {
        let [low, high] = self.range;
        let [fake, real] = [fake, real].map(|x| x.clone().sub_scalar(low).div_scalar(high - low));
        let error = fake.clone() - real.clone();
        let squared = error.clone().square().mean();
        add("mse", &squared);
        let mut sum = match self.config.pixel {
            PixelLoss::Squared => squared.div_scalar(VARIANCE),
            PixelLoss::Absolute => {
                let absolute = error.abs().mean();
                add("l1", &absolute);
                absolute
            }
        };
        let mut weighted = |name, term: Tensor<1>, weight| {
            add(name, &term);
            sum = sum.clone() + term.mul_scalar(weight);
        };
        if self.config.gradient > 0.0 {
            let term = gradient_difference(fake.clone(), real.clone());
            weighted("gradient", term, self.config.gradient);
        }
        if self.config.texture > 0.0 {
            let term = texture_difference(fake.clone(), real.clone());
            weighted("texture", term, self.config.texture);
        }
        if let Some(lpips) = &self.perceptual {
            let [fake, real] = [&fake, &real].map(|x| x.clone().mul_scalar(2.0).sub_scalar(1.0));
            let term = lpips.forward(fake, real).mean();
            weighted("perceptual", term, self.config.perceptual);
        }
        if let Some(features) = &self.features {
            let seen = features.see(fake, real, number);
            let weight = self.config.features;
            if let Some(term) = seen.difference() {
                weighted("features", term, weight);
            }
            let contrast = self.config.feature_contrast;
            if contrast > 0.0
                && let Some(term) = seen.contrast_difference()
            {
                weighted("feature_contrast", term, weight * contrast);
            }
        }
        sum
    }
}
