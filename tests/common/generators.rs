use burn::module::Module;
use burn::tensor::Tensor;
use tesserae::models::{Generate, Generator, Method};
use tesserae::weights::load;

use super::{Golden, On, golden};

/// Passes each body below to a macro that turns it into a test.
macro_rules! generator_tests {
    ($make:ident) => {
        $make! {
            generators::unet
            generators::unet_with_attention
        }
    };
}
pub(crate) use generator_tests;

/// The output, with and without autodiff, and the gradients of mean(output · cotangent).
async fn denoiser(on: &On, golden: Golden) {
    let generator = load(golden.weights(), &on.device).unwrap();
    let generator = generator.generator().unwrap().network;
    let input = golden.tensor("input", &on.device);
    let output = predict(on, &golden, &generator, input.clone());
    on.close(&golden, "output", output).await;

    let generator = generator.train();
    let input = Tensor::from_inner(input).require_grad();
    let output = predict(on, &golden, &generator, input.clone());
    on.close(&golden, "output", output.clone()).await;
    let cotangent = Tensor::from_inner(golden.tensor::<4>("cotangent", &on.device));
    let grads = (output * cotangent).mean().backward();
    let at_input = input.grad(&grads).unwrap();
    on.close(&golden, "grad.input", at_input).await;
    on.same_gradients(&golden, "grad.", &generator, &grads)
        .await;
}

fn predict(on: &On, golden: &Golden, generator: &Generator, input: Tensor<4>) -> Tensor<4> {
    let Method::Denoise(denoiser) = generator.method() else {
        panic!("{} is no denoiser", golden.name);
    };
    let device = input.device();
    let times = golden.tensor("times", &device);
    let classes = golden.indices::<1>("classes", &on.device);
    let classes = match device == on.device {
        true => classes,
        false => Tensor::from_inner(classes),
    };
    denoiser.predict(input, times, classes)
}

pub async fn unet(on: &On) {
    denoiser(on, golden!("unet")).await;
}

pub async fn unet_with_attention(on: &On) {
    denoiser(on, golden!("unet_attention")).await;
}
