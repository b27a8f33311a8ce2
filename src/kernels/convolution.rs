//! 2D convolution. WebGPU uses Burn's. On the CPU it is a matrix product over patches laid out as
//! columns (im2col), and so are its gradients: Burn's weight gradient there is a convolution with a
//! kernel the size of the picture, about three times slower.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

use super::columns;

/// Convolutions without groups or dilation. Shapes:
///
/// - `x`: `[batch, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in, rows, columns]`
/// - `bias`: `[channels_out]`
/// - `grad`: like the output, `[batch, channels_out, height', width']`
#[backend_extension(Autodiff, Flex, Cube: cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu")))]
pub trait Convolution: Backend {
    /// The convolution.
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d(x, weight, Some(bias), options)
    }

    /// The gradient at `x`.
    fn convolution_x_grad(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d_x_backward(x, weight, grad, options)
    }

    /// The gradient at `weight`.
    fn convolution_weight_grad(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        Self::conv2d_weight_backward(x, weight, grad, options)
    }

    /// The gradient at `bias`.
    fn convolution_bias_grad(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::conv2d_bias_backward(x, bias, grad)
    }
}

#[cfg(any(target_arch = "wasm32", feature = "cuda", feature = "wgpu"))]
impl Convolution for super::CubeBackend {}

impl Convolution for Flex {
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        columns::convolution(&x, &weight, &bias, &options)
    }

    fn convolution_x_grad(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        if options.stride == [1, 1] {
            columns::x_grad(&x, &weight, &grad, &options)
        } else {
            Self::conv2d_x_backward(x, weight, grad, options)
        }
    }

    fn convolution_weight_grad(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        columns::weight_grad(&x, &weight, &grad, &options)
    }

    fn convolution_bias_grad(
        _x: FloatTensor<Self>,
        _bias: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        columns::bias_grad(&grad)
    }
}

impl<B: Convolution, C: CheckpointStrategy> Convolution for Autodiff<B, C> {
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        match Step.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = [&x, &weight, &bias].map(|tensor| prep.checkpoint(tensor));
                let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.into_primitive());
                let y = B::convolution(x, weight, bias, options.clone());
                prep.finish((state, options), y)
            }
            OpsKind::UnTracked(prep) => {
                let [x, weight, bias] = [x, weight, bias].map(|tensor| tensor.into_primitive());
                prep.finish(B::convolution(x, weight, bias, options))
            }
        }
    }
}

/// The backward pass of the convolution.
#[derive(Debug)]
struct Step;

impl<B: Convolution> Backward<B, 3> for Step {
    type State = ([NodeId; 3], ConvOptions<2>);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (state, options) = ops.state;
        let [x, weight, bias] =
            state.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        if let Some(node) = node_x {
            let (x, weight) = (x.clone(), weight.clone());
            let grad = B::convolution_x_grad(x, weight, grad.clone(), options.clone());
            grads.register::<B>(node.id, grad);
        }
        if let Some(node) = node_weight {
            let grad = B::convolution_weight_grad(x.clone(), weight, grad.clone(), options);
            grads.register::<B>(node.id, grad);
        }
        if let Some(node) = node_bias {
            grads.register::<B>(node.id, B::convolution_bias_grad(x, bias, grad));
        }
    }
}

/// Convolution with gradients for all three inputs; shapes as in [`Convolution`].
pub fn convolve(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::convolution(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        options,
    ))
}
