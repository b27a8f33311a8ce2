use serde::{Deserialize, Serialize};

use super::Walk;
use crate::error::{Error, Result};
use crate::models::GeneratorConfig;

/// Most pictures at once.
const MAX_COUNT: usize = 1024;
/// Most steps: as many as the discrete schedules have.
const MAX_STEPS: usize = 1000;
/// Most guidance: more only saturates.
const MAX_GUIDANCE: f64 = 100.0;
/// Highest temperature, far above any use.
const MAX_TEMPERATURE: f64 = 100.0;
/// Most numbers that all pictures together are made of: 256 MiB.
const MAX_NUMBERS: usize = 1 << 26;

/// How a generator's pictures are made; the fields that JavaScript passes, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PictureOptions {
    /// The class, counted from 0; none for a picture of any class.
    pub class: Option<usize>,
    /// Number of pictures.
    pub count: usize,
    /// Seed of the first picture; the others have the numbers that follow.
    pub seed: u64,
    /// Steps of a diffusion model, 1 to 1,000; other generators take one.
    pub steps: usize,
    /// Classifier-free guidance of a diffusion model: u + s · (c − u), from its predictions with (c)
    /// and without (u) the class. 1 is none.
    pub guidance: f64,
    /// Share of new noise in each step of a diffusion model: 0 is DDIM, 1 is DDPM.
    pub eta: f64,
    /// Multiplies the latents that a VAE or a GAN draws: below 1 more typical pictures.
    pub temperature: f64,
    /// Noise from the way between two seeds, instead of the seeds that follow the first.
    pub walk: Option<Walk>,
    /// How far a diffusion model that starts from a picture goes back to noise, from 0 (the picture
    /// stays) to 1 (nothing is left of it).
    pub strength: f64,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self {
            class: None,
            count: 1,
            seed: 0,
            steps: 50,
            guidance: 1.0,
            eta: 0.0,
            temperature: 1.0,
            walk: None,
            strength: 0.6,
        }
    }
}

impl PictureOptions {
    /// Checks that a generator can make such pictures.
    ///
    /// # Errors
    /// [`Error::Argument`] says what does not fit.
    pub fn validate(&self, config: &GeneratorConfig) -> Result<()> {
        let refused = |message: String| Err(Error::Argument(message));
        for (what, value, most) in [
            ("The number of pictures", self.count, MAX_COUNT),
            ("The number of steps", self.steps, MAX_STEPS),
        ] {
            if !(1..=most).contains(&value) {
                return refused(format!("{what} is {value}, outside 1 to {most}"));
            }
        }
        for (what, value, most) in [
            ("The guidance", self.guidance, MAX_GUIDANCE),
            ("The share of new noise", self.eta, 1.0),
            ("The temperature", self.temperature, MAX_TEMPERATURE),
            ("The strength", self.strength, 1.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return refused(format!("{what} is {value}, outside 0 to {most}"));
            }
        }
        let numbers: usize = config.noise().iter().product();
        if self.count.saturating_mul(numbers) > MAX_NUMBERS {
            let count = MAX_NUMBERS / numbers.max(1);
            return refused(format!(
                "At most {count} pictures of this size are made at once"
            ));
        }
        match (self.class, config.classes()) {
            (Some(_), 0) => refused("This model has no classes".to_owned()),
            (Some(class), classes) if class >= classes => {
                refused(format!("Class {class} is outside 0 to {}", classes - 1))
            }
            (None, _) if self.guidance != 1.0 => {
                refused("Guidance needs a class to guide to".to_owned())
            }
            _ => Ok(()),
        }
    }
}
