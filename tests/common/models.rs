use std::rc::Rc;

use burn::tensor::Tensor;
use tesserae::Autoencoder;
use tesserae::models::{Kl, Pass};
use tesserae::weights::{self, CheckedWeights, Container, Recognised};

use super::on::{floats, gradients_of};
use super::quantizers::loss;
use super::{Golden, On, golden, relative_error};

/// Passes each body below to a macro that turns it into a test.
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
            models::vqvae2_pass
            models::kl_gradients
            models::kl_clamps
        }
    };
}
pub(crate) use model_tests;

async fn forward(on: &On, golden: Golden, cases: &[&str]) {
    let model = weights::load(golden.weights(), &on.device)
        .unwrap()
        .autoencoder()
        .unwrap()
        .network;
    same_outputs(on, &golden, &model, cases).await;
}

/// Each stage separately on its golden input, then all together.
pub async fn same_outputs(on: &On, golden: &Golden, model: &Autoencoder, cases: &[&str]) {
    let device = &on.device;
    // Suffixes of a grid's names.
    let grids: &[&str] = match model {
        Autoencoder::VqVae2(_) => &["_top", "_bottom"],
        Autoencoder::Kl(_) => return same_gaussians(on, golden, model, cases).await,
        _ => &[""],
    };
    for case in cases {
        let x: Tensor<4> = golden.tensor(&format!("{case}.input"), device);
        let (mut entries, mut given) = (Vec::new(), Vec::new());
        for (grid, end) in grids.iter().enumerate() {
            let name = |what: &str| format!("{case}.{what}{end}");
            let z = model.latents(x.clone(), &entries);
            on.close(golden, &name("z"), z).await;

            let z: Tensor<4> = golden.tensor(&name("z"), device);
            let indices = model.indices(grid, z.clone()).unwrap();
            on.same_codes(golden, &format!("{case}."), end, indices)
                .await;
            if let Some(nearest) = model.margins(grid, z) {
                on.close(golden, &name("nearest"), nearest).await;
            }
            let lookup = |what| {
                let indices = golden.indices(&name(what), device);
                model.lookup(grid, indices).unwrap()
            };
            entries.push(lookup("indices"));
            on.close(golden, &name("z_q"), entries[grid].clone()).await;
            given.push(lookup("decode_indices"));
        }
        let name = |what: &str| format!("{case}.{what}");
        let output = model.decode(&given).unwrap();
        on.close(golden, &name("decode_output"), output).await;
        let output = reconstruct(model, x);
        on.close(golden, &name("output"), output).await;
    }
}

/// The codebook loss plus ¼ commitment loss, summed over the grids.
fn quantizer_loss(pass: &Pass) -> Tensor<1> {
    let each = pass.quantized.iter().map(|quantized| loss(quantized, 0.25));
    each.reduce(|sum, loss| sum + loss).unwrap()
}

/// Encode, quantize, decode.
fn reconstruct(model: &Autoencoder, x: Tensor<4>) -> Tensor<4> {
    let count = model.quantizers().len();
    if count == 0 {
        return model.decode(&[model.latents(x, &[])]).unwrap();
    }
    let mut entries = Vec::new();
    for grid in 0..count {
        let indices = model.indices(grid, model.latents(x.clone(), &entries));
        entries.push(model.lookup(grid, indices.unwrap()).unwrap());
    }
    model.decode(&entries).unwrap()
}

/// The same for a model without a codebook.
async fn same_gaussians(on: &On, golden: &Golden, model: &Autoencoder, cases: &[&str]) {
    for case in cases {
        let name = |what: &str| format!("{case}.{what}");
        let tensor = |what: &str| golden.tensor::<4>(&name(what), &on.device);
        let x = tensor("input");
        on.close(golden, &name("moments"), model.moments(&x).unwrap())
            .await;
        on.close(golden, &name("z"), model.latents(x.clone(), &[]))
            .await;
        let sampled = Kl::sample(tensor("moments"), tensor("noise"));
        on.close(golden, &name("sampled"), sampled).await;
        for (z, output) in [("z", "output"), ("sampled", "sampled_output")] {
            let rebuilt = model.decode(&[tensor(z)]).unwrap();
            on.close(golden, &name(output), rebuilt).await;
        }
        let output = reconstruct(model, x);
        on.close(golden, &name("output"), output).await;
    }
}

/// Gradients of mean squared error + codebook loss + ¼ commitment loss.
async fn gradients(on: &On, golden: Golden) {
    let device = on.autodiff();
    let model = weights::load(golden.weights(), &device)
        .unwrap()
        .autoencoder()
        .unwrap()
        .network;
    let x: Tensor<4> = golden.tensor("wide.input", &device);
    let pass = model.forward(x.clone()).unwrap();
    on.close(&golden, "wide.z", pass.latents[0].clone()).await;
    on.same_codes(&golden, "wide.", "", pass.quantized[0].indices.clone())
        .await;
    on.close(&golden, "wide.output", pass.output.clone()).await;
    let loss = (pass.output.clone() - x).square().mean() + quantizer_loss(&pass);
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

/// Different groups, widths and blocks per level, and a codebook narrower than the latent.
pub async fn vqgan_groups(on: &On) {
    forward(on, golden!("vqgan_groups"), &["square"]).await;
}

pub async fn vqgan_gumbel_tiny(on: &On) {
    forward(on, golden!("vqgan_gumbel_tiny"), &["square"]).await;
}

/// Every parameter has a gradient; its values are verified for the layers by finite differences.
async fn trained_everywhere(on: &On, golden: Golden) {
    let hint = golden.json("config.json");
    let file = golden.checkpoint(str::to_owned);
    let checked = weights::CheckedWeights::of(file, hint.as_deref()).unwrap();
    let model = weights::build(&checked, &on.autodiff())
        .unwrap()
        .autoencoder()
        .unwrap()
        .network;
    let x: Tensor<4> = golden.tensor("square.input", &on.autodiff());
    let pass = model.forward(x.clone()).unwrap();
    on.close(&golden, "square.output", pass.output.clone())
        .await;
    let loss = (pass.output.clone() - x).square().mean() + quantizer_loss(&pass);
    let grads = super::on::gradients(&model, &loss.backward()).await;
    for name in checked.shapes.keys() {
        let (_, values) = grads.iter().find(|(n, _)| n == name).unwrap();
        assert!(values.iter().all(|v| v.is_finite()), "{name}");
        // The keys' bias shifts all scores of a query equally.
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

/// Three down-sampling steps.
pub async fn vqvae_deep(on: &On) {
    forward(on, golden!("vqvae_deep"), &["square"]).await;
}

/// The training pass encodes the picture once; it must agree with encoding the two grids
/// separately.
pub async fn vqvae2_pass(on: &On) {
    let golden = golden!("checkpoint_vqvae2");
    let device = on.autodiff();
    let checked = CheckedWeights::of(golden.checkpoint(str::to_owned), None).unwrap();
    let model = weights::build(&checked, &device)
        .unwrap()
        .autoencoder()
        .unwrap()
        .network;
    let x: Tensor<4> = golden.tensor("square.input", &device);

    let pass = model.forward(x.clone()).unwrap();
    on.close(&golden, "square.output", pass.output.clone())
        .await;
    for (grid, end) in ["_top", "_bottom"].into_iter().enumerate() {
        let z = pass.latents[grid].clone();
        on.close(&golden, &format!("square.z{end}"), z).await;
        let indices = pass.quantized[grid].indices.clone();
        on.same_codes(&golden, "square.", end, indices).await;
    }
    let loss = (pass.output.clone() - x.clone()).square().mean() + quantizer_loss(&pass);
    let once = gradients_of(&model, &loss.backward());

    // β weights the commitment loss, so the encoder's gradients distinguish the two losses.
    let (mut z_q, mut terms) = (Vec::new(), Tensor::<1>::zeros([1], &device));
    for grid in 0..2 {
        let z = model.latents(x.clone(), &z_q);
        let entries = model.indices(grid, z.clone()).unwrap();
        let entries = model.lookup(grid, entries).unwrap();
        let term = |a: Tensor<4>, b: Tensor<4>| (a - b).square().mean();
        terms = terms
            + term(entries.clone(), z.clone().detach())
            + term(entries.clone().detach(), z.clone()).mul_scalar(0.25);
        z_q.push(z.clone() + (entries - z).detach());
    }
    let loss = (model.decode(&z_q).unwrap() - x).square().mean() + terms;
    let apart = gradients_of(&model, &loss.backward());
    assert_eq!(once.len(), golden.names("param.").len() - 4);
    assert_eq!(once.len(), apart.len());
    for ((name, once), (_, apart)) in once.into_iter().zip(apart) {
        let (once, apart) = (floats(once).await, floats(apart).await);
        let error = relative_error(&once, &apart, 0.0);
        assert!(error <= on.tolerance, "{name} is {error:e} off");
    }
}

/// Gradients of mean squared error + mean of the squared latents, under diffusers' names.
pub async fn kl_gradients(on: &On) {
    let golden = golden!("checkpoint_kl_diffusers");
    let hints = golden.json("config.json");
    let bytes = golden.checkpoint(str::to_owned);
    let file = Container::open(Rc::new(bytes.clone())).unwrap();
    let names = Recognised::of(&file, hints.as_deref()).unwrap().names;
    let ours = |theirs: &str| {
        let (ours, _) = names.iter().find(|(_, name)| *name == theirs).unwrap();
        ours.clone()
    };
    let device = on.autodiff();
    let checked = CheckedWeights::of(bytes, hints.as_deref()).unwrap();
    let model = weights::build(&checked, &device)
        .unwrap()
        .autoencoder()
        .unwrap()
        .network;
    let x: Tensor<4> = golden.tensor("square.input", &device);
    let z = model.latents(x.clone(), &[]);
    let output = model.decode(std::slice::from_ref(&z)).unwrap();
    let loss = (output - x).square().mean() + z.square().mean();
    on.close(&golden, "square.loss", loss.clone()).await;
    let grads = loss.backward();
    on.same_gradients_as(&golden, "square.grad.", &model, &grads, ours)
        .await;
}

/// Log-variances above the maximum.
pub async fn kl_clamps(on: &On) {
    let golden = golden!("checkpoint_kl_diffusers");
    let tensor = |name: &str| golden.tensor(name, &on.device);
    let sampled = Kl::sample(tensor("clamped.moments"), tensor("clamped.noise"));
    on.close(&golden, "clamped.sampled", sampled).await;
}
