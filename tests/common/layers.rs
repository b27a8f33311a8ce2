use burn::module::Module;
use burn::tensor::activation::silu;
use burn::tensor::{Device, Tensor};
use burn_store::ModuleSnapshot;
use tesserae::AutoencoderConfig;
use tesserae::nn::GroupNorm;
use tesserae::nn::{
    AttnBlock, Discriminator, DiscriminatorConfig, Downsample, MuseDecoder, MuseEncoder, Norm,
    Normalise, ResnetBlock, Spatial, SpatialNorm, Upsample,
};
use tesserae::nn::{Layers, NetworkConfig};

use super::differences::same_slopes;
use super::{Golden, On, golden};

/// Passes each body below to a macro that turns it into a test.
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

/// Bodies that take a hundred passes each: too many for a software adapter.
macro_rules! slope_tests {
    ($make:ident) => {
        $make! {
            layers::taming_slopes
            layers::discriminator_slopes
            layers::spatial_slopes
            layers::maskgit_slopes
        }
    };
}
pub(crate) use slope_tests;

/// Compares the output with and without autodiff, then the gradients of mean(output · cotangent).
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

#[derive(Module, Debug)]
struct Blocks {
    block: ResnetBlock,
    attn: AttnBlock,
    down: Downsample,
    up: Upsample,
}

/// The layers of VQ-GAN's encoder and decoder, with uneven height and width.
pub async fn taming_slopes(on: &On) {
    let norm = Norm {
        groups: 4,
        eps: 1e-6,
    };
    let blocks = Blocks {
        block: ResnetBlock::new(8, 12, norm, &on.device),
        attn: AttnBlock::new(12, norm, &on.device),
        down: Downsample::new(12, &on.device),
        up: Upsample::new(12, &on.device),
    };
    same_slopes(on, blocks, [&[2, 8, 6, 10]], |blocks, [x]| {
        let h = blocks.attn.forward(blocks.block.forward(x));
        blocks.up.forward(blocks.down.forward(h))
    })
    .await;
}

/// With batch statistics, as in training.
pub async fn discriminator_slopes(on: &On) {
    let config = DiscriminatorConfig {
        in_channels: 3,
        ndf: 4,
        n_layers: 2,
    };
    let discriminator = Discriminator::new(&config, &on.device).unwrap();
    same_slopes(on, discriminator, [&[2, 3, 24, 32]], |judge, [x]| {
        judge.forward(x)
    })
    .await;
}

#[derive(Module, Debug)]
struct SpatialBlocks {
    block: ResnetBlock<SpatialNorm>,
    attn: AttnBlock<SpatialNorm>,
}

/// With respect to the norms' features and their latent, at two sizes.
pub async fn spatial_slopes(on: &On) {
    let norm = Spatial { latent: 3 };
    let blocks = SpatialBlocks {
        block: ResnetBlock::new(32, 64, norm, &on.device),
        attn: AttnBlock::new(64, norm, &on.device),
    };
    let inputs: [&[usize]; 2] = [&[2, 32, 4, 8], &[2, 3, 2, 4]];
    same_slopes(on, blocks, inputs, |blocks, [x, z_q]| {
        let norm = |norm: &SpatialNorm, x| norm.forward(x, &z_q);
        blocks
            .attn
            .forward_by(blocks.block.forward_by(x, norm), norm)
    })
    .await;
}

#[derive(Module, Debug)]
struct MaskGit {
    encoder: MuseEncoder,
    decoder: MuseDecoder,
}

/// One shortcut each in the encoder and the decoder, with height and width halved and doubled.
pub async fn maskgit_slopes(on: &On) {
    let AutoencoderConfig::VqGan(config) = AutoencoderConfig::preset("vqgan-tiny").unwrap() else {
        panic!("a preset of another kind");
    };
    let config = NetworkConfig {
        ch_mult: vec![1, 2],
        layers: Layers::MaskGit,
        ..config.network
    };
    let both = MaskGit {
        encoder: MuseEncoder::new(&config, &on.device).unwrap(),
        decoder: MuseDecoder::new(&config, &on.device).unwrap(),
    };
    same_slopes(on, both, [&[2, 3, 8, 12]], |both, [x]| {
        let features = both.decoder.features(both.encoder.forward(x));
        both.decoder.last().forward(features)
    })
    .await;
}
