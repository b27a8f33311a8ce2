use burn::module::Module;
use burn::tensor::module::avg_pool2d;
use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Device, Tensor};
use rand::RngExt;

use crate::nn::{FeatureNetwork, double_smoothly};
use crate::random::stream;

/// Salt for the seed of the views.
const VIEWS: u64 = 0xfea7_02e5;

/// Offsets of a view in pixels, in each direction: the network's strides would otherwise always
/// meet the same pixels, and leave a weave in flat areas.
const JITTER: usize = 8;

/// Pixels that an enlarged half reaches beyond half of a crop.
const MARGIN: usize = 2;

/// Window side in which local contrast is measured.
const WINDOW: usize = 6;

/// Keeps the square root's derivative finite where a window is flat.
const FLAT: f32 = 1e-5;

/// A perceptual loss: compares crops by the features of a trained network. Every batch is seen at a
/// random offset, either at its own size or, a random half of it, enlarged two times.
pub struct FeatureLoss {
    network: FeatureNetwork,
    seed: u64,
}

impl FeatureLoss {
    /// Uses `network` on `device`, with or without autodiff.
    pub fn new(network: FeatureNetwork, seed: u64, device: &Device) -> Self {
        Self {
            network: network.to_device(device).train().no_grad(),
            seed: seed ^ VIEWS,
        }
    }

    /// The smallest crop that a network whose input has at least `smallest` pixels can see.
    pub fn smallest_crop(smallest: usize) -> usize {
        smallest + JITTER - 1
    }

    /// The features of batch `number`.
    ///
    /// # Shapes
    /// - input: `[batch, 3, side, side]` in 0 to 1; gradients reach `fake` only
    pub fn see(&self, fake: Tensor<4>, real: Tensor<4>, number: usize) -> Seen {
        let view = self.view(number, fake.dims()[2]);
        Seen([fake, real.detach()].map(|x| self.network.features(view.of(x))))
    }

    /// How batch `number` of crops of `side` pixels is seen.
    fn view(&self, number: usize, side: usize) -> View {
        let mut rng = stream(self.seed, number);
        let half = (side / 2 + MARGIN).min(side);
        let enlarged = rng.random::<bool>().then(|| {
            let offset = [0; 2].map(|_| rng.random_range(0..=side - half));
            (half, offset)
        });
        View {
            enlarged,
            offset: [0; 2].map(|_| rng.random_range(0..JITTER)),
        }
    }
}

/// A part of a crop.
#[derive(Debug, Clone, Copy)]
struct View {
    /// The side in pixels, and the top and left edges, of the part that is enlarged.
    enlarged: Option<(usize, [usize; 2])>,
    /// Pixels that are cut off at the top and left; [`JITTER`] − 1 are cut off in all.
    offset: [usize; 2],
}

impl View {
    fn of(self, x: Tensor<4>) -> Tensor<4> {
        let x = match self.enlarged {
            Some((side, offset)) => double_smoothly(window(x, offset, side)),
            None => x,
        };
        let side = x.dims()[2] + 1 - JITTER;
        window(x, self.offset, side)
    }
}

fn window(x: Tensor<4>, [top, left]: [usize; 2], side: usize) -> Tensor<4> {
    x.narrow(2, top, side).narrow(3, left, side)
}

/// The features of a batch and of its originals.
pub struct Seen([Vec<Tensor<4>>; 2]);

impl Seen {
    /// Their squared distance, averaged over places and layers, `[1]`; without layers, nothing.
    pub fn difference(&self) -> Option<Tensor<1>> {
        let [fake, real] = &self.0;
        FeatureNetwork::distance(fake, real).map(Tensor::mean)
    }

    /// Squared distance of their local standard deviations, `[1]`: it asks for as much detail,
    /// wherever it lies.
    pub fn contrast_difference(&self) -> Option<Tensor<1>> {
        let contrasts = |layers: &Vec<Tensor<4>>| layers.iter().map(contrast).collect::<Vec<_>>();
        let [fake, real] = self.0.each_ref().map(contrasts);
        FeatureNetwork::distance(&fake, &real).map(Tensor::mean)
    }
}

/// Standard deviation in each window, per channel.
fn contrast(x: &Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let side = WINDOW.min(height).min(width);
    let mean = |x| {
        let options = AvgPoolOptions::new([side; 2]);
        avg_pool2d(x, options.with_stride([(side / 2).max(1); 2]))
    };
    let variance = mean(x.clone().square()) - mean(x.clone()).square();
    variance.clamp_min(0.0).add_scalar(FLAT).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Inception;

    fn picture(side: usize, value: impl Fn(usize, usize) -> f32) -> Tensor<4> {
        let values: Vec<f32> = (0..3 * side * side)
            .map(|i| value(i % side, i / side % side))
            .collect();
        Tensor::<1>::from_floats(values.as_slice(), &Device::flex()).reshape([1, 3, side, side])
    }

    fn loss(device: &Device) -> FeatureLoss {
        let network = FeatureNetwork::Inception(Inception::new(device));
        FeatureLoss::new(network, 3, &device.clone().autodiff())
    }

    #[test]
    fn views_vary_by_number_repeat_and_stay_within_the_crop() {
        let loss = loss(&Device::flex());
        let smallest = FeatureLoss::smallest_crop(Inception::SMALLEST);
        let mut enlarged = 0;
        for number in 0..64 {
            for side in [smallest, 64, 97] {
                let view = loss.view(number, side);
                assert_eq!(
                    format!("{view:?}"),
                    format!("{:?}", loss.view(number, side))
                );
                let [_, _, height, width] = view.of(picture(side, |_, _| 0.5)).dims();
                assert!(height == width && height >= Inception::SMALLEST, "{height}");
            }
            enlarged += usize::from(loss.view(number, 64).enlarged.is_some());
        }
        assert!(
            (16..48).contains(&enlarged),
            "{enlarged} of 64 are enlarged"
        );
    }

    #[test]
    fn equal_crops_have_no_distance_and_others_a_gradient_at_the_first_only() {
        let device = Device::flex();
        let loss = loss(&device);
        let on = |x: Tensor<4>| x.autodiff();
        let real = on(picture(64, |x, y| ((x * y) % 7) as f32 / 7.0));
        let terms = |fake: &Tensor<4>| {
            let seen = loss.see(fake.clone(), real.clone(), 0);
            [seen.difference(), seen.contrast_difference()].map(Option::unwrap)
        };
        for term in terms(&real) {
            assert_eq!(term.into_scalar::<f32>(), 0.0);
        }
        for part in 0..2 {
            let fake = on(picture(64, |x, _| x as f32 / 64.0)).require_grad();
            let term = terms(&fake)[part].clone();
            assert!(term.clone().into_scalar::<f32>() > 0.0);
            let gradient = fake.grad(&term.backward()).unwrap();
            assert!(
                gradient.abs().max().into_scalar::<f32>() > 0.0,
                "term {part}"
            );
        }
    }

    #[test]
    fn contrast_counts_how_much_varies_and_not_where() {
        let stripes = |phase: usize| vec![picture(32, move |x, _| ((x + phase) % 2) as f32)];
        let flat = vec![picture(32, |_, _| 0.5)];
        let between = |a: &[Tensor<4>], b: &[Tensor<4>]| -> f32 {
            let seen = Seen([a.to_vec(), b.to_vec()]);
            seen.contrast_difference().unwrap().into_scalar()
        };
        assert!(between(&stripes(0), &stripes(1)) < 1e-10);
        // Half of the range in each of three channels, less what keeps the root differentiable.
        let found = between(&stripes(0), &flat);
        assert!((found - 0.75).abs() < 0.02, "{found}");
    }
}
