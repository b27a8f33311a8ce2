//! Group normalisation. Burn composes it from nine steps, each with its own gradient.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::cpu::{each, each_chunk, sum, tensor};

/// Group normalisation and its gradients. Shapes:
///
/// - `x`, `grad` and the output: `[batch, channels, height, width]`
/// - `gamma` and `beta`: `[channels]`
#[backend_extension(Autodiff, Flex, Cube: cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu")))]
pub trait GroupNormalisation: Backend {
    /// (x − mean) / √(variance + `eps`) · gamma + beta, with mean and variance over each group of
    /// consecutive channels of each picture.
    fn group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: usize,
        eps: f32,
    ) -> FloatTensor<Self> {
        let shape = x.shape();
        let (x, _) = normalised::<Self>(x, groups, eps);
        let x = Self::float_reshape(x, shape);
        Self::float_add(Self::float_mul(x, wide::<Self>(gamma)), wide::<Self>(beta))
    }

    /// The gradients with respect to `x`, `gamma` and `beta`, given `grad` at the output.
    fn group_norm_grads(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        groups: usize,
        eps: f32,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let shape = x.shape();
        let (x, deviation) = normalised::<Self>(x, groups, eps);
        let whole = Self::float_reshape(x.clone(), shape.clone());
        let at_gamma = per_channel::<Self>(Self::float_mul(grad.clone(), whole));
        let at_beta = per_channel::<Self>(grad.clone());
        let grad = Self::float_mul(grad, wide::<Self>(gamma));
        let grad = Self::float_reshape(grad, x.shape());
        let along = Self::float_mean_dim(Self::float_mul(grad.clone(), x.clone()), 2);
        let mean = Self::float_mean_dim(grad.clone(), 2);
        let grad = Self::float_sub(Self::float_sub(grad, mean), Self::float_mul(x, along));
        let at_x = Self::float_reshape(Self::float_div(grad, deviation), shape);
        (at_x, at_gamma, at_beta)
    }
}

/// The normalised values as `[batch, groups, values]`, and the divisors.
fn normalised<B: Backend>(
    x: FloatTensor<B>,
    groups: usize,
    eps: f32,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let shape = x.shape();
    let size = shape.num_elements() / shape[0] / groups;
    let x = B::float_reshape(x, Shape::from(vec![shape[0], groups, size]));
    let x = B::float_sub(x.clone(), B::float_mean_dim(x, 2));
    let variance = B::float_mean_dim(B::float_mul(x.clone(), x.clone()), 2);
    let deviation = B::float_sqrt(B::float_add_scalar(variance, eps.into()));
    (B::float_div(x, deviation.clone()), deviation)
}

/// Reshapes `[channels]` to `[1, channels, 1, 1]`.
fn wide<B: Backend>(values: FloatTensor<B>) -> FloatTensor<B> {
    let channels = values.shape()[0];
    B::float_reshape(values, Shape::from(vec![1, channels, 1, 1]))
}

/// Sums over pictures and positions.
fn per_channel<B: Backend>(values: FloatTensor<B>) -> FloatTensor<B> {
    let shape = values.shape();
    let channels = shape[1];
    let area = shape[2] * shape[3];
    let values = B::float_reshape(values, Shape::from(vec![shape[0], channels, area]));
    let values = B::float_sum_dim(B::float_sum_dim(values, 2), 0);
    B::float_reshape(values, Shape::from(vec![channels]))
}

#[cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu"))]
impl GroupNormalisation for super::CubeBackend {}

impl GroupNormalisation for Flex {
    fn group_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        groups: usize,
        eps: f32,
    ) -> FlexTensor {
        let [_, channels, height, width] = x.shape().dims();
        let (area, inside) = (height * width, channels / groups);
        let (gamma, beta) = (gamma.to_contiguous(), beta.to_contiguous());
        let (gamma, beta): (&[f32], &[f32]) = (gamma.storage(), beta.storage());
        let mut y = x.to_contiguous();
        each_chunk(y.storage_mut(), inside * area, |index, values| {
            let (mean, scale) = moments(values, eps);
            let first = index % groups * inside;
            for (channel, plane) in (first..).zip(values.chunks_mut(area)) {
                let scale = scale * gamma[channel];
                let shift = beta[channel] - mean * scale;
                plane.iter_mut().for_each(|x| *x = *x * scale + shift);
            }
        });
        y
    }

    fn group_norm_grads(
        x: FlexTensor,
        gamma: FlexTensor,
        grad: FlexTensor,
        groups: usize,
        eps: f32,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let [batch, channels, height, width] = x.shape().dims();
        let (area, inside) = (height * width, channels / groups);
        let size = inside * area;
        let (x, gamma, mut at_x) = (
            x.to_contiguous(),
            gamma.to_contiguous(),
            grad.to_contiguous(),
        );
        let (x, gamma): (&[f32], &[f32]) = (x.storage(), gamma.storage());
        let grad: &[f32] = at_x.storage();
        let moments = each(batch * groups, |index| {
            moments(&x[index * size..][..size], eps)
        });
        // For each picture and channel: the sums for gamma and for beta.
        let sums = each(batch * channels, |index| {
            let (mean, scale) = moments[index / inside];
            let (x, grad) = (&x[index * area..][..area], &grad[index * area..][..area]);
            let along = sum(x, grad, |x, grad| (x - mean) * grad) * scale;
            (along, sum(grad, grad, |grad, _| grad))
        });
        let over_pictures = |of: fn(&(f32, f32)) -> f32| {
            let channel = |channel| sums[channel..].iter().step_by(channels).map(of).sum();
            tensor((0..channels).map(channel).collect(), [channels])
        };
        let (at_gamma, at_beta) = (over_pictures(|sums| sums.0), over_pictures(|sums| sums.1));
        each_chunk(at_x.storage_mut(), size, |index, grads| {
            let (mean, scale) = moments[index];
            let first = index % groups * inside;
            let of_group = &sums[index * inside..][..inside];
            let mut sums = (0.0, 0.0);
            for (of, gamma) in of_group.iter().zip(&gamma[first..]) {
                sums.0 += of.0 * gamma;
                sums.1 += of.1 * gamma;
            }
            let (along, level) = (sums.0 / size as f32, sums.1 / size as f32);
            let planes = grads.chunks_mut(area).zip(x[index * size..].chunks(area));
            for (channel, (grads, x)) in (first..).zip(planes) {
                let gamma = gamma[channel];
                for (grad, x) in grads.iter_mut().zip(x) {
                    *grad = scale * (*grad * gamma - level - (x - mean) * scale * along);
                }
            }
        });
        (at_x, at_gamma, at_beta)
    }
}

/// The mean, and 1 / √(variance + `eps`).
fn moments(values: &[f32], eps: f32) -> (f32, f32) {
    let size = values.len() as f32;
    let mean = sum(values, values, |x, _| x) / size;
    let variance = sum(values, values, |x, _| (x - mean) * (x - mean)) / size;
    (mean, 1.0 / (variance + eps).sqrt())
}

impl<B: GroupNormalisation, C: CheckpointStrategy> GroupNormalisation for Autodiff<B, C> {
    fn group_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: usize,
        eps: f32,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = [&x, &gamma].map(|tensor| prep.checkpoint(tensor));
                let [x, gamma, beta] = [x, gamma, beta].map(|tensor| tensor.into_primitive());
                let y = B::group_norm(x, gamma, beta, groups, eps);
                prep.finish((state, groups, eps), y)
            }
            OpsKind::UnTracked(prep) => {
                let [x, gamma, beta] = [x, gamma, beta].map(|tensor| tensor.into_primitive());
                prep.finish(B::group_norm(x, gamma, beta, groups, eps))
            }
        }
    }
}

/// The backward pass of the normalisation.
#[derive(Debug)]
struct Step;

impl<B: GroupNormalisation> Backward<B, 3> for Step {
    type State = ([NodeId; 2], usize, f32);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let grad = grads.consume::<B>(&ops.node);
        let (state, groups, eps) = ops.state;
        let [x, gamma] =
            state.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let (at_x, at_gamma, at_beta) = B::group_norm_grads(x, gamma, grad, groups, eps);
        for (node, grad) in ops.parents.into_iter().zip([at_x, at_gamma, at_beta]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

/// Group normalisation with gradients for all three inputs; shapes as in [`GroupNormalisation`].
///
/// Source: Wu & He 2018, <https://arxiv.org/abs/1803.08494>.
pub fn group_norm(
    x: Tensor<4>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    groups: usize,
    eps: f32,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::group_norm(
        x.into_dispatch(),
        gamma.into_dispatch(),
        beta.into_dispatch(),
        groups,
        eps,
    ))
}
