//! Pictures and classes on the device.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::{Rng, RngExt};

use super::{GeneratorTrainConfig, LabelledPictures};
use crate::models::GeneratorConfig;

/// A batch on the device.
pub struct Batch {
    /// `[batch, channels, side, side]`.
    pub pictures: Tensor<4>,
    /// `[batch]`.
    pub classes: Tensor<1, Int>,
}

/// A random batch, as the config has it.
pub fn drawn(
    config: &GeneratorTrainConfig,
    pictures: &LabelledPictures,
    rng: &mut impl Rng,
    device: &Device,
) -> Batch {
    let (mut planes, mut classes) = (Vec::new(), Vec::new());
    for _ in 0..config.batch {
        let class = pictures.draw(config.shift, rng, &mut planes);
        let dropped = rng.random::<f64>() < config.label_drop;
        classes.push(if dropped {
            config.model.classes()
        } else {
            class
        });
    }
    batch(&config.model, planes, classes, device)
}

/// A batch of the given planes and classes; all of no class if the model has none.
pub fn batch(
    config: &GeneratorConfig,
    planes: Vec<f32>,
    classes: Vec<usize>,
    device: &Device,
) -> Batch {
    let none = config.classes();
    let classes = classes.into_iter().map(|class| class.min(none) as i32);
    let classes: Vec<i32> = classes.collect();
    let count = classes.len();
    let [channels, height, width] = config.shape();
    let planes = TensorData::new(planes, [count, channels, height, width]);
    Batch {
        pictures: Tensor::from_data(planes, device),
        classes: Tensor::from_data(TensorData::new(classes, [count]), device),
    }
}
