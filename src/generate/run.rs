use burn::tensor::{Device, Int, Tensor, TensorData};

use super::SampleOptions;
use crate::error::Result;
use crate::models::PriorConfig;
use crate::readback::read_all;

/// Most elements of the attention scores of one pass: 64 MiB of f32, half of WebGPU's guaranteed
/// binding size.
const MAX_SCORES: usize = 1 << 24;
/// Most pictures in one pass: more at once would take memory, but hardly less time.
const MAX_BATCH: usize = 64;

/// Most pictures in one pass.
pub(super) fn batch(config: &PriorConfig) -> usize {
    (MAX_SCORES / config.scores().max(1)).clamp(1, MAX_BATCH)
}

/// What both orders need of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub options: &'a SampleOptions,
    pub device: &'a Device,
    /// The number of the step, from 0.
    pub step: usize,
}

impl Run<'_> {
    /// The classes for `count` pictures; with guidance, then as often no class.
    pub fn classes(&self, none: usize, count: usize) -> Tensor<1, Int> {
        let class = self.options.class.unwrap_or(none) as i32;
        let mut classes = vec![class; count];
        if self.guided() {
            classes.resize(2 * count, none as i32);
        }
        let length = classes.len();
        Tensor::from_data(TensorData::new(classes, [length]), self.device)
    }

    /// Whether there is guidance.
    pub fn guided(&self) -> bool {
        self.options.guidance != 1.0
    }

    /// Reads logits, `[rows, K]`, back after `scale` of guidance; with guidance there are as many
    /// rows again without the class.
    pub async fn read(&self, logits: Tensor<2>, scale: f64) -> Result<Vec<Vec<f32>>> {
        let [rows, codes] = logits.dims();
        let logits = match self.guided() {
            true => {
                let [with, without] =
                    [0, rows / 2].map(|from| logits.clone().narrow(0, from, rows / 2));
                without.clone() + (with - without).mul_scalar(scale)
            }
            false => logits,
        };
        let length = logits.dims()[0] * codes;
        let read = read_all(vec![logits.reshape([length])]).await?;
        let rows = read.into_iter().flatten().collect::<Vec<f32>>();
        Ok(rows.chunks(codes).map(<[f32]>::to_vec).collect())
    }
}
