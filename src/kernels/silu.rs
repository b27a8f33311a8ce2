//! SiLU, also called swish: x · σ(x).

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::cpu::{CHUNK, each_chunk, exp};

/// SiLU and its gradient, for tensors of any shape.
#[backend_extension(Autodiff, Flex, Cube: cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu")))]
pub trait Silu: Backend {
    /// x · σ(x).
    fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::float_mul(x.clone(), Self::sigmoid(x))
    }

    /// The gradient with respect to `x`, given `grad` at the output: grad · σ(x) · (1 + x · (1 −
    /// σ(x))).
    fn silu_grad(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        let sigmoid = Self::sigmoid(x.clone());
        let y = Self::float_mul(x, sigmoid.clone());
        let rest = Self::float_sub(y.clone(), Self::float_mul(y, sigmoid.clone()));
        Self::float_mul(grad, Self::float_add(sigmoid, rest))
    }
}

#[cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu"))]
impl Silu for super::CubeBackend {}

impl Silu for Flex {
    fn silu(x: FlexTensor) -> FlexTensor {
        let mut y = x.to_contiguous();
        each_chunk(y.storage_mut(), CHUNK, |_, values| {
            values.iter_mut().for_each(|x| *x /= 1.0 + exp(-*x));
        });
        y
    }

    fn silu_grad(x: FlexTensor, grad: FlexTensor) -> FlexTensor {
        let (x, mut grad) = (x.to_contiguous(), grad.to_contiguous());
        let x: &[f32] = x.storage();
        each_chunk(grad.storage_mut(), CHUNK, |index, grads| {
            for (grad, x) in grads.iter_mut().zip(&x[index * CHUNK..]) {
                let sigmoid = 1.0 / (1.0 + exp(-x));
                *grad *= sigmoid * (1.0 + x * (1.0 - sigmoid));
            }
        });
        grad
    }
}

impl<B: Silu, C: CheckpointStrategy> Silu for Autodiff<B, C> {
    fn silu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        match Step.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = prep.checkpoint(&x);
                prep.finish(state, B::silu(x.into_primitive()))
            }
            OpsKind::UnTracked(prep) => prep.finish(B::silu(x.into_primitive())),
        }
    }
}

/// The backward pass of SiLU.
#[derive(Debug)]
struct Step;

impl<B: Silu> Backward<B, 1> for Step {
    type State = NodeId;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let x = checkpointer.retrieve_node_output::<FloatTensor<B>>(ops.state);
        if let Some(node) = node {
            grads.register::<B>(node.id, B::silu_grad(x, grad));
        }
    }
}

/// x · σ(x), element-wise.
///
/// Source: Elfwing et al. 2017, <https://arxiv.org/abs/1702.03118>.
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(Dispatch::silu(x.into_dispatch()))
}
