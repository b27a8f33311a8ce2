//! Diffusion over time: shares of picture and noise, and the step from one time to an earlier one.

use burn::tensor::Tensor;

use crate::models::diffusion::{Path, Target};

/// Steps of the discrete schedules.
const STEPS: usize = 1000;
/// Bounds of the linear schedule's β.
const LINEAR: [f64; 2] = [1e-4, 0.02];
/// Offset of the cosine schedule.
const OFFSET: f64 = 0.008;
/// Largest β of the cosine schedule.
const MAX_BETA: f64 = 0.999;

/// The shares of picture, α, and noise, σ, by time from 0 (picture) to 1 (noise).
///
/// # Examples
/// ```
/// # use tesserae::generate::Noising;
/// # use tesserae::models::diffusion::Path;
/// let [alpha, sigma] = Noising::new(Path::Straight).shares(0.25);
/// assert_eq!([alpha, sigma], [0.75, 0.25]);
/// ```
#[derive(Debug, Clone)]
pub struct Noising {
    path: Path,
    /// α² after each step of a discrete schedule, the first without any; empty for a straight path.
    cumulative: Vec<f64>,
}

impl Noising {
    /// The shares along `path`.
    pub fn new(path: Path) -> Self {
        let beta = |step: usize| match path {
            Path::Linear => {
                let [first, last] = LINEAR;
                first + (last - first) * step as f64 / (STEPS - 1) as f64
            }
            Path::Cosine => {
                let [now, next] = [step, step + 1].map(cosine);
                (1.0 - next / now).min(MAX_BETA)
            }
            Path::Straight => 0.0,
        };
        let steps = match path {
            Path::Straight => 0,
            _ => STEPS,
        };
        let mut product = 1.0;
        let after = (0..steps).map(|step| {
            product *= 1.0 - beta(step);
            product
        });
        let cumulative = match path {
            Path::Straight => Vec::new(),
            _ => [1.0].into_iter().chain(after).collect(),
        };
        Self { path, cumulative }
    }

    /// α and σ at `time`, between the steps of a discrete schedule by interpolation.
    pub fn shares(&self, time: f64) -> [f64; 2] {
        let time = time.clamp(0.0, 1.0);
        if self.path == Path::Straight {
            return [1.0 - time, time];
        }
        let place = time * STEPS as f64;
        let before = (place as usize).min(STEPS - 1);
        let part = place - before as f64;
        let [from, to] = [self.cumulative[before], self.cumulative[before + 1]];
        let square = from + (to - from) * part;
        [square.sqrt(), (1.0 - square).sqrt()]
    }

    /// The target of a network's prediction.
    pub fn target(target: Target, shares: [f64; 2], picture: f64, noise: f64) -> f64 {
        let [alpha, sigma] = shares;
        match target {
            Target::Noise => noise,
            Target::Velocity => alpha * noise - sigma * picture,
            Target::Flow => noise - picture,
        }
    }

    /// Picture and noise in `x`, by what the network predicts.
    pub fn split<const D: usize>(
        target: Target,
        [alpha, sigma]: [f64; 2],
        x: Tensor<D>,
        predicted: Tensor<D>,
    ) -> [Tensor<D>; 2] {
        match target {
            Target::Noise => {
                let picture = x - predicted.clone().mul_scalar(sigma);
                [picture.div_scalar(alpha), predicted]
            }
            Target::Velocity => {
                let square = alpha * alpha + sigma * sigma;
                let picture = x.clone().mul_scalar(alpha) - predicted.clone().mul_scalar(sigma);
                let noise = x.mul_scalar(sigma) + predicted.mul_scalar(alpha);
                [picture, noise].map(|part| part.div_scalar(square))
            }
            Target::Flow => {
                let picture = x.clone() - predicted.clone().mul_scalar(sigma);
                let noise = x + predicted.mul_scalar(alpha);
                [picture, noise].map(|part| part.div_scalar(alpha + sigma))
            }
        }
    }

    /// Factors of picture, old noise and new noise for the step from time `from` to time `to`. `eta`
    /// is 0 for DDIM or, on a straight path, Euler's method, and 1 for DDPM's ancestral sampling, whose
    /// new noise has the variance of the earlier picture given both this one and the clean one.
    ///
    /// Source: Song et al. 2020, <https://arxiv.org/abs/2010.02502>, equations 12 and 16.
    pub fn step(&self, from: f64, to: f64, eta: f64) -> [f64; 3] {
        let [alpha, sigma] = self.shares(from);
        let [next_alpha, next_sigma] = self.shares(to);
        // The share of the noise that the earlier time has already.
        let kept = match sigma > 0.0 {
            true => alpha * next_sigma / (next_alpha * sigma),
            false => 1.0,
        };
        let fresh = eta * next_sigma * (1.0 - kept * kept).max(0.0).sqrt();
        let old = (next_sigma * next_sigma - fresh * fresh).max(0.0).sqrt();
        [next_alpha, old, fresh]
    }
}

/// The cosine schedule's α² after `step` steps, up to a factor.
fn cosine(step: usize) -> f64 {
    let time = step as f64 / STEPS as f64;
    let angle = (time + OFFSET) / (1.0 + OFFSET) * std::f64::consts::FRAC_PI_2;
    angle.cos().powi(2)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    const PATHS: [Path; 3] = [Path::Linear, Path::Cosine, Path::Straight];
    const TARGETS: [Target; 3] = [Target::Noise, Target::Velocity, Target::Flow];

    /// diffusers 0.42: `DDPMScheduler(beta_schedule=…).alphas_cumprod[[0, 249, 499, 999]]`.
    #[test]
    fn discrete_schedules_are_those_of_diffusers() {
        for (path, expected) in [
            (
                Path::Linear,
                [0.9999, 0.524_085_4, 0.078_587_24, 4.035_83e-5],
            ),
            (
                Path::Cosine,
                [0.999_958_7, 0.847_012_2, 0.493_843_6, 2.428_767e-9],
            ),
        ] {
            let noising = Noising::new(path);
            for (step, expected) in [1, 250, 500, 1000].into_iter().zip(expected) {
                let [alpha, sigma] = noising.shares(step as f64 / STEPS as f64);
                let off = (alpha * alpha / expected - 1.0).abs();
                assert!(off < 1e-5, "{path:?}, {step}: {}", alpha * alpha);
                assert!((alpha.hypot(sigma) - 1.0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn what_is_mixed_is_split_again() {
        let device = Device::flex();
        let tensor = |value: f64| Tensor::<1>::from_floats([value as f32], &device);
        for path in PATHS {
            for target in TARGETS {
                for time in [0.1, 0.5, 0.9] {
                    let shares = Noising::new(path).shares(time);
                    let [alpha, sigma] = shares;
                    let (picture, noise) = (0.7, -1.3);
                    let x = tensor(alpha * picture + sigma * noise);
                    let predicted = tensor(Noising::target(target, shares, picture, noise));
                    let found = Noising::split(target, shares, x, predicted);
                    for (found, wanted) in found.into_iter().zip([picture, noise]) {
                        let off = f64::from(found.into_scalar::<f32>()) - wanted;
                        assert!(
                            off.abs() < 1e-4,
                            "{path:?}, {target:?}, {time}: off by {off}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn steps_end_at_the_picture_and_keep_the_share_of_noise() {
        for path in PATHS {
            let noising = Noising::new(path);
            assert_eq!(noising.step(0.3, 0.0, 1.0), [1.0, 0.0, 0.0]);
            for eta in [0.0, 0.5, 1.0] {
                let [_, sigma] = noising.shares(0.4);
                let [_, old, new] = noising.step(0.6, 0.4, eta);
                assert!((old.hypot(new) - sigma).abs() < 1e-12);
                assert_eq!(new == 0.0, eta == 0.0);
            }
        }
    }

    /// DDPM's ancestral step has variance (1 − ᾱ') / (1 − ᾱ) · β (Ho et al. 2020, section 3.2).
    #[test]
    fn new_noise_is_that_of_ddpm() {
        let noising = Noising::new(Path::Linear);
        let [from, to] = [300.0, 299.0].map(|step| step / STEPS as f64);
        let [[alpha, sigma], [earlier, less]] = [from, to].map(|time| noising.shares(time));
        let beta = 1.0 - (alpha / earlier).powi(2);
        let [.., new] = noising.step(from, to, 1.0);
        assert!((new * new - (less / sigma).powi(2) * beta).abs() < 1e-12);
    }
}
