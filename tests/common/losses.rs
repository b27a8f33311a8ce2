use burn::tensor::activation::leaky_relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use tesserae::nn::{Discriminator, DiscriminatorConfig};
use tesserae::train::losses::{adaptive_weight, adversarial, hinge};

use super::{Golden, On, golden};

/// Passes each body below to a macro that turns it into a test.
macro_rules! loss_tests {
    ($make:ident) => {
        $make! {
            losses::discriminator
            losses::discriminator_of_three_layers
            losses::gan_losses
            losses::adaptive_weights
        }
    };
}
pub(crate) use loss_tests;

pub async fn discriminator(on: &On) {
    patches(on, golden!("discriminator")).await;
}

pub async fn discriminator_of_three_layers(on: &On) {
    patches(on, golden!("discriminator_3")).await;
}

pub fn built(golden: &Golden, device: &Device) -> Discriminator {
    let setting = |name| golden.setting(name) as usize;
    let config = DiscriminatorConfig {
        in_channels: setting("input_nc"),
        ndf: setting("ndf"),
        n_layers: setting("n_layers"),
    };
    golden.fill(Discriminator::new(&config, device).unwrap())
}

async fn patches(on: &On, golden: Golden) {
    // Without gradients, running averages normalise; with gradients, batch statistics do.
    let plain = built(&golden, &on.device);
    let output = plain.forward(golden.tensor("input", &on.device));
    on.close(&golden, "eval.output", output).await;

    let device = on.autodiff();
    let module = built(&golden, &device);
    let input = golden.tensor("input", &device).require_grad();
    let output = module.forward(input.clone());
    on.close(&golden, "output", output.clone()).await;
    let grads = (output * golden.tensor("cotangent", &device))
        .mean()
        .backward();
    let grad = input.grad(&grads).unwrap();
    on.close(&golden, "grad.input", grad).await;
    on.same_gradients(&golden, "grad.", &module, &grads).await;
}

pub async fn gan_losses(on: &On) {
    let golden = golden!("gan_losses");
    let device = on.autodiff();
    let leaf = |name| golden.tensor::<4>(name, &device).require_grad();
    let (real, fake) = (leaf("logits_real"), leaf("logits_fake"));
    let loss = hinge(real.clone(), fake.clone());
    on.close(&golden, "hinge.loss", loss.clone()).await;
    let grads = loss.backward();
    for (name, leaf) in [("real", &real), ("fake", &fake)] {
        let name = format!("hinge.grad.logits_{name}");
        on.close(&golden, &name, leaf.grad(&grads).unwrap()).await;
    }
    let loss = adversarial(fake.clone());
    on.close(&golden, "generator.loss", loss.clone()).await;
    let grad = fake.grad(&loss.backward()).unwrap();
    on.close(&golden, "generator.grad.logits_fake", grad).await;
}

pub async fn adaptive_weights(on: &On) {
    let golden = golden!("adaptive_weight");
    for case in ["normal", "clamped"] {
        weigh(on, &golden, case).await;
    }
}

/// The gradients at the last layer's weights, the adaptive weight computed from them, and the
/// gradient of the combined losses.
async fn weigh(on: &On, golden: &Golden, case: &str) {
    let device = on.autodiff();
    let tensor = |name: &str| golden.tensor::<4>(&format!("{case}.{name}"), &device);
    let weight = tensor("weight").require_grad();
    let options = |stride| ConvOptions::new([stride, stride], [1, 1], [1, 1], 1);
    let rebuilt = || conv2d(tensor("input"), weight.clone(), None, options(1));
    let bias = |layer: u8| {
        let name = format!("{case}.disc.{layer}.bias");
        Some(golden.tensor::<1>(&name, &device))
    };
    let h = conv2d(rebuilt(), tensor("disc.0.weight"), bias(0), options(2));
    let logits = conv2d(
        leaky_relu(h, 0.2),
        tensor("disc.2.weight"),
        bias(2),
        options(1),
    );

    let nll = (rebuilt() - tensor("target")).abs().mean();
    let g = adversarial(logits);
    let at_weight = |loss: &Tensor<1>| weight.grad(&loss.clone().backward()).unwrap();
    let (of_nll, of_g) = (at_weight(&nll), at_weight(&g));
    on.close(golden, &format!("{case}.grad.nll"), of_nll.clone())
        .await;
    on.close(golden, &format!("{case}.grad.g"), of_g.clone())
        .await;
    let share = golden.setting("discriminator_weight") as f32;
    let lambda = adaptive_weight(of_nll.clone(), of_g.clone()).mul_scalar(share);
    on.close(golden, &format!("{case}.lambda"), lambda.clone())
        .await;
    let total = of_nll + of_g * lambda.reshape([1; 4]);
    on.close(golden, &format!("{case}.grad.total"), total).await;
}
