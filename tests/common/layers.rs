use burn::module::Module;
use burn::nn::GroupNorm;
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor};
use burn_store::ModuleSnapshot;
use tesserae::nn::{AttnBlock, Downsample, Norm, ResnetBlock, Upsample};

use super::{Golden, On, golden};

/// Passes each body below to a macro that makes a test of it.
macro_rules! layer_tests {
    ($make:ident) => {
        $make! {
            layers::norm_swish
            layers::resnet_same
            layers::resnet_shortcut
            layers::resnet_32_groups
            layers::attn
            layers::downsample
            layers::upsample
        }
    };
}
pub(crate) use layer_tests;

/// The output without and with autodiff, then the gradients of mean(output · cotangent).
async fn layer<M: Module + ModuleSnapshot>(
    on: &On,
    golden: Golden,
    build: impl Fn(Norm, &Device) -> M,
    forward: impl Fn(&M, Tensor<4>) -> Tensor<4>,
) {
    let norm = Norm {
        groups: golden.setting("norm_groups") as usize,
        eps: golden.setting("norm_eps"),
    };
    let plain = golden.fill(build(norm, &on.device));
    let output = forward(&plain, golden.tensor("input", &on.device));
    on.close(&golden, "output", output).await;

    let device = on.autodiff();
    let module = golden.fill(build(norm, &device));
    let input = golden.tensor("input", &device).require_grad();
    let output = forward(&module, input.clone());
    on.close(&golden, "output", output.clone()).await;
    let cotangent = golden.tensor("cotangent", &device);
    let grads = (output * cotangent).mean().backward();
    on.close(&golden, "grad.input", input.grad(&grads).unwrap())
        .await;
    on.same_gradients(&golden, "grad.", &module, &grads).await;
}

#[derive(Module, Debug)]
struct NormSwish {
    norm: GroupNorm,
}

pub async fn norm_swish(on: &On) {
    let build = |norm: Norm, device: &Device| NormSwish {
        norm: norm.init(8, device),
    };
    layer(on, golden!("norm_swish"), build, |m, x| {
        silu(m.norm.forward(x))
    })
    .await;
}

async fn resnet(on: &On, golden: Golden, from: usize, to: usize) {
    let build = |norm: Norm, device: &Device| ResnetBlock::new(from, to, norm, device);
    layer(on, golden, build, ResnetBlock::forward).await;
}

pub async fn resnet_same(on: &On) {
    resnet(on, golden!("resnet_same"), 8, 8).await;
}

pub async fn resnet_shortcut(on: &On) {
    resnet(on, golden!("resnet_shortcut"), 8, 12).await;
}

pub async fn resnet_32_groups(on: &On) {
    resnet(on, golden!("resnet_32_groups"), 32, 32).await;
}

pub async fn attn(on: &On) {
    let build = |norm: Norm, device: &Device| AttnBlock::new(8, norm, device);
    layer(on, golden!("attn"), build, AttnBlock::forward).await;
}

pub async fn downsample(on: &On) {
    let build = |_, device: &Device| Downsample::new(6, device);
    layer(on, golden!("downsample"), build, Downsample::forward).await;
}

pub async fn upsample(on: &On) {
    let build = |_, device: &Device| Upsample::new(6, device);
    layer(on, golden!("upsample"), build, Upsample::forward).await;
}
