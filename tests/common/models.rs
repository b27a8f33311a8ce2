use burn::tensor::Tensor;
use tesserae::{Autoencoder, weights};

use super::{Golden, On, golden};

/// Passes each body below to a macro that makes a test of it.
macro_rules! model_tests {
    ($make:ident) => {
        $make! {
            models::vqgan_tiny
            models::vqgan_tiny_gradients
            models::vqgan_groups
            models::vqgan_gumbel_tiny
            models::movq_is_trained_everywhere
            models::maskgit_is_trained_everywhere
            models::vqvae_tiny
            models::vqvae_tiny_gradients
            models::vqvae_deep
        }
    };
}
pub(crate) use model_tests;

async fn forward(on: &On, golden: Golden, cases: &[&str]) {
    let model = weights::load(golden.weights(), &on.device).unwrap().model;
    same_outputs(on, &golden, &model, cases).await;
}

/// Each stage alone on the golden's input to it, then all together.
pub async fn same_outputs(on: &On, golden: &Golden, model: &Autoencoder, cases: &[&str]) {
    let device = &on.device;
    for case in cases {
        let name = |what: &str| format!("{case}.{what}");
        let x: Tensor<4> = golden.tensor(&name("input"), device);
        on.close(golden, &name("z"), model.latents(x.clone())).await;

        let z: Tensor<4> = golden.tensor(&name("z"), device);
        let indices = model.indices(z.clone());
        on.same_codes(golden, &name(""), indices).await;
        if let Some(nearest) = model.margins(z) {
            on.close(golden, &name("nearest"), nearest).await;
        }
        let indices = golden.indices(&name("indices"), device);
        on.close(golden, &name("z_q"), model.lookup(indices)).await;

        let given = golden.indices(&name("decode_indices"), device);
        let output = model.decode(model.lookup(given));
        on.close(golden, &name("decode_output"), output).await;
        on.close(golden, &name("output"), model.reconstruct(x))
            .await;
    }
}

/// Gradients of mean squared error + codebook term + ¼ commitment term.
async fn gradients(on: &On, golden: Golden) {
    let device = on.autodiff();
    let model = weights::load(golden.weights(), &device).unwrap().model;
    let x: Tensor<4> = golden.tensor("wide.input", &device);
    let (output, z, quantized) = model.forward(x.clone()).unwrap();
    on.close(&golden, "wide.z", z).await;
    on.same_codes(&golden, "wide.", quantized.indices.clone())
        .await;
    on.close(&golden, "wide.output", output.clone()).await;
    let loss = (output - x).square().mean() + quantized.loss(0.25);
    on.close(&golden, "wide.loss", loss.clone()).await;
    let grads = loss.backward();
    assert_eq!(
        golden.names("wide.grad.").len(),
        golden.names("param.").len()
    );
    on.same_gradients(&golden, "wide.grad.", &model, &grads)
        .await;
}

pub async fn vqgan_tiny(on: &On) {
    forward(on, golden!("vqgan_tiny"), &["square", "wide"]).await;
}

pub async fn vqgan_tiny_gradients(on: &On) {
    gradients(on, golden!("vqgan_tiny")).await;
}

/// Another shape of everything: groups, widths, blocks a level, a codebook narrower than the latent.
pub async fn vqgan_groups(on: &On) {
    forward(on, golden!("vqgan_groups"), &["square"]).await;
}

pub async fn vqgan_gumbel_tiny(on: &On) {
    forward(on, golden!("vqgan_gumbel_tiny"), &["square"]).await;
}

/// Every parameter has a gradient, whose values differences have proven for the layers.
async fn trained_everywhere(on: &On, golden: Golden) {
    let hint = golden.json("config.json");
    let file = golden.checkpoint(str::to_owned);
    let checked = weights::CheckedWeights::of(file, hint.as_deref()).unwrap();
    let model = weights::build(&checked, &on.autodiff()).unwrap().model;
    let x: Tensor<4> = golden.tensor("square.input", &on.autodiff());
    let (output, _, quantized) = model.forward(x.clone()).unwrap();
    on.close(&golden, "square.output", output.clone()).await;
    let loss = (output - x).square().mean() + quantized.loss(0.25);
    let grads = super::on::gradients(&model, &loss.backward()).await;
    for name in checked.shapes.keys() {
        let (_, values) = grads.iter().find(|(n, _)| n == name).unwrap();
        assert!(values.iter().all(|v| v.is_finite()), "{name}");
        // The keys' bias shifts all scores of a query alike.
        assert!(
            name.ends_with(".k.bias") || values.iter().any(|v| *v != 0.0),
            "{name}"
        );
    }
}

pub async fn movq_is_trained_everywhere(on: &On) {
    trained_everywhere(on, golden!("checkpoint_movq")).await;
}

pub async fn maskgit_is_trained_everywhere(on: &On) {
    trained_everywhere(on, golden!("checkpoint_maskgit_deep")).await;
}

pub async fn vqvae_tiny(on: &On) {
    forward(on, golden!("vqvae_tiny"), &["square", "wide"]).await;
}

pub async fn vqvae_tiny_gradients(on: &On) {
    gradients(on, golden!("vqvae_tiny")).await;
}

/// Three down-samplings.
pub async fn vqvae_deep(on: &On) {
    forward(on, golden!("vqvae_deep"), &["square"]).await;
}
