use serde::{Deserialize, Serialize};

use super::{
    AdversaryConfig, CodebookConfig, Damage, DataConfig, LossConfig, OptimizerConfig, Parts,
    PixelLoss, TrainConfig,
};
use crate::error::{Error, Result, one_line};
use crate::models::AutoencoderConfig;
use crate::nn::DiscriminatorConfig;
use crate::pixels::Picture;

/// Largest default crop side. Whole images are learned faster than the same number of pixels in
/// crops, whose edges are padded where the image continues.
const CROP: usize = 256;

/// Config of the shipped models' discriminators, used for a new one.
const DISCRIMINATOR: DiscriminatorConfig = DiscriminatorConfig {
    in_channels: 3,
    ndf: 32,
    n_layers: 3,
};

/// The tuning objective.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// VQ-VAE's objective: squared pixel error.
    #[default]
    Faithful,
    /// VQ-GAN's objective: absolute pixel error, edges and texture, and a discriminator.
    Lifelike,
}

/// How to tune a trained model on a few images. Every field has a working default.
///
/// # Examples
/// ```
/// # use tesserae::train::{Objective, Parts, TuneConfig};
/// # fn main() -> tesserae::Result<()> {
/// let config = TuneConfig::from_json(r#"{"steps": 50, "parts": "decoder"}"#)?;
/// assert_eq!((config.parts, config.objective), (Parts::Decoder, Objective::Faithful));
/// let error = TuneConfig::from_json(r#"{"stpes": 50}"#).unwrap_err();
/// assert!(error.to_string().contains("`stpes`"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuneConfig {
    /// Which parameters are trained.
    pub parts: Parts,
    /// What to optimise for.
    pub objective: Objective,
    /// For restoration: the damage applied to the model's input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
    /// Total number of steps.
    pub steps: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Crops per step.
    pub batch: usize,
    /// Crop side in pixels, reduced to the largest that fits in any image if necessary; 0 chooses
    /// the largest that fits in every image, at most 256.
    pub crop: usize,
    /// Seed of the crops.
    pub seed: u64,
}

impl Default for TuneConfig {
    fn default() -> Self {
        Self {
            parts: Parts::Decoder,
            objective: Objective::Faithful,
            damage: None,
            steps: 50,
            learning_rate: 1e-3,
            batch: 1,
            crop: 0,
            seed: 0,
        }
    }
}

impl TuneConfig {
    /// Reads a config from JSON.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map_err(|e| Error::ConfigInvalid(one_line(e)))
    }

    /// The training config for `model` on `pictures`.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field that training could not start with;
    /// [`Error::DatasetEmpty`] if an image is smaller than a token.
    pub fn training(&self, model: &AutoencoderConfig, pictures: &[Picture]) -> Result<TrainConfig> {
        let factor = model.factor();
        let held = pictures.iter().map(|p| p.width().min(p.height()) as usize);
        let whole = |side: usize| side / factor * factor;
        let crop = match self.crop {
            0 => whole(held.min().unwrap_or_default().min(CROP)),
            // Images smaller than the crop are left out, as long as there are others.
            side => side.min(whole(held.max().unwrap_or_default())),
        };
        if crop == 0 {
            return Err(Error::DatasetEmpty(format!(
                "the pictures given (each side must be at least {factor} pixels)"
            )));
        }
        let lifelike = self.objective == Objective::Lifelike;
        let rate = |learning_rate, [beta_1, beta_2]: [f32; 2]| OptimizerConfig {
            learning_rate,
            warmup: (self.steps / 10).max(1),
            final_share: 0.1,
            beta_1,
            beta_2,
            weight_decay: 0.0,
            clip: None,
            average: None,
        };
        let betas = if lifelike { [0.5, 0.9] } else { [0.9, 0.99] };
        let config = TrainConfig {
            model: model.clone(),
            parts: self.parts,
            data: DataConfig {
                crop,
                mirror: false,
                colour: false,
                scales: false,
                leaves: 0.0,
                damage: self.damage,
            },
            batch: self.batch,
            accumulate: 1,
            steps: self.steps,
            optimizer: rate(self.learning_rate, betas),
            loss: LossConfig {
                pixel: match lifelike {
                    true => PixelLoss::Absolute,
                    false => PixelLoss::Squared,
                },
                gradient: if lifelike { 1.0 } else { 0.0 },
                ..LossConfig::default()
            },
            codebook: CodebookConfig::default(),
            adversary: lifelike.then(|| AdversaryConfig {
                discriminator: DISCRIMINATOR,
                optimizer: rate(self.learning_rate, betas),
                start: 0,
                weight: 0.6,
                feature_matching: 2.0,
            }),
            seed: self.seed,
        };
        config.validate()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test images with these shorter sides.
    fn pictures(sides: &[u32]) -> Vec<Picture> {
        let picture = |side: &u32| {
            let rgb = vec![0; 3 * (side * (side + 1)) as usize];
            Picture::from_rgb(side + 1, *side, rgb).unwrap()
        };
        sides.iter().map(picture).collect()
    }

    #[test]
    fn defaults_fit_the_model_and_the_picture() {
        let model = AutoencoderConfig::preset("photos-f8").unwrap();
        let crop = |crop, sides: &[u32]| {
            let config = TuneConfig {
                crop,
                ..TuneConfig::default()
            };
            config
                .training(&model, &pictures(sides))
                .map(|t| t.data.crop)
        };
        for (asked, sides, expected) in [
            (0, &[1000][..], 256),
            (0, &[128], 128),
            (0, &[77, 300], 72),
            (0, &[8], 8),
            (128, &[77, 300], 128),
            (128, &[77, 60], 72),
        ] {
            assert_eq!(crop(asked, sides).unwrap(), expected, "{asked} {sides:?}");
        }
        for (asked, sides) in [(0, &[7][..]), (128, &[7]), (0, &[]), (128, &[])] {
            let error = crop(asked, sides).unwrap_err();
            assert_eq!(error.code(), "dataset_empty", "{asked} {sides:?}");
        }
    }

    #[test]
    fn what_cannot_be_trained_is_refused_by_name() {
        let model = AutoencoderConfig::preset("photos-f8").unwrap();
        for (json, name) in [
            (r#"{"steps": 0}"#, "`steps`"),
            (r#"{"learning_rate": -1.0}"#, "`learning_rate`"),
            (r#"{"crop": 12}"#, "`crop`"),
            (r#"{"damage": {"jpeg": 0}}"#, "`jpeg`"),
        ] {
            let config = TuneConfig::from_json(json).unwrap();
            let error = config.training(&model, &pictures(&[256])).unwrap_err();
            assert_eq!(error.code(), "config_invalid");
            assert!(error.to_string().contains(name), "{error}");
        }
        let error = TuneConfig::from_json(r#"{"stepps": 1}"#).unwrap_err();
        assert!(error.to_string().contains("`stepps`"), "{error}");
    }
}
