use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Distribution, Gradients};

use super::*;
use crate::models::AutoencoderConfig;
use crate::train::losses::gradient_difference;

const GRADIENT: f32 = 0.5;
const MATCHING: f32 = 0.25;

fn task() -> Reconstruction {
    let model = AutoencoderConfig::preset("vqgan-tiny").unwrap();
    let config = TrainConfig::from_json(&format!(
        r#"{{"model": {}, "data": {{"crop": 16}}, "batch": 2, "steps": 1,
            "optimizer": {{"learning_rate": 0.001}},
            "loss": {{"pixel": "absolute", "gradient": {GRADIENT}}},
            "adversary": {{"discriminator": {{"ndf": 4, "n_layers": 1}},
                           "optimizer": {{"learning_rate": 0.001}}, "weight": 2.0,
                           "feature_matching": {MATCHING}}}}}"#,
        model.to_json().unwrap()
    ))
    .unwrap();
    let device = Device::flex();
    let model = Autoencoder::new(&config.model, &device).unwrap();
    let start = Start {
        trained: true,
        ..Start::default()
    };
    Reconstruction::new(config, model, start, &device).unwrap()
}

/// The largest difference between two sets of gradients, and the largest gradient.
struct Differences {
    a: GradientsParams,
    b: GradientsParams,
    compared: usize,
    error: f32,
    largest: f32,
}

impl ModuleVisitor for Differences {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let of = |gradients: &GradientsParams| gradients.get::<D>(param.id);
        let (a, b) = (of(&self.a), of(&self.b));
        assert_eq!(a.is_some(), b.is_some());
        if let (Some(a), Some(b)) = (a, b) {
            let most = |t: Tensor<D>| t.abs().max().into_scalar::<f32>();
            self.compared += 1;
            self.error = self.error.max(most(a.clone() - b));
            self.largest = self.largest.max(most(a));
        }
    }
}

#[test]
fn what_pulls_at_the_picture_is_the_gradient_of_all_losses_together() {
    let mut task = task();
    let device = task.device.clone();
    let x = Tensor::<4>::random([2, 3, 16, 16], Distribution::Uniform(-1.0, 1.0), &device);
    let (pass, _) = task.pass(x.clone(), 0).unwrap();
    let mut losses = Losses::default();
    let pull = task.pull(&x, &pass, 0, true, &mut losses).unwrap();
    let losses = pollster::block_on(losses.read()).unwrap();
    let weight = losses.iter().find(|(name, _)| *name == "adaptive_weight");
    let (_, weight) = *weight.unwrap();
    assert!(weight > 0.0);
    let found = (pass.output * Tensor::from_inner(pull)).sum().backward();

    // The same losses in one graph, from the pixels to the generator.
    let (pass, _) = task.pass(x.clone(), 0).unwrap();
    let unit = |pixels: &Tensor<4>| pixels.clone().div_scalar(2.0);
    let (fake, real) = (unit(&pass.output), unit(&x));
    let pixels = (fake.clone() - real.clone()).abs().mean();
    let slopes = gradient_difference(fake, real).mul_scalar(GRADIENT);
    let adversary = task.adversary.as_ref().unwrap();
    let still = adversary.layers(x).into_iter().map(Tensor::detach);
    let still: Vec<Tensor<4>> = still.collect();
    let layers = adversary.layers(pass.output);
    let matching = feature_difference(&still, &layers).unwrap();
    let judged = Adversary::generator_loss(&layers).unwrap() + matching.mul_scalar(MATCHING);
    let joint = (pixels + slopes + judged.mul_scalar(weight)).backward();

    let model = task.generator.module();
    let of = |mut gradients: Gradients| GradientsParams::from_module(&mut gradients, model);
    let mut differences = Differences {
        a: of(found),
        b: of(joint),
        compared: 0,
        error: 0.0,
        largest: 0.0,
    };
    model.visit(&mut differences);
    assert!(differences.compared > 20, "{}", differences.compared);
    assert!(differences.largest > 0.0);
    let error = differences.error / differences.largest;
    assert!(error < 1e-4, "{error}");
}

#[test]
fn a_checkpoint_from_before_a_field_existed_is_still_this_trainings() {
    let task = task();
    let mut identity: serde_json::Value = serde_json::from_str(&task.identity().unwrap()).unwrap();
    for field in ["features", "feature_contrast"] {
        identity["loss"]
            .as_object_mut()
            .unwrap()
            .remove(field)
            .unwrap();
    }
    assert!(task.is_same(&identity.to_string()).unwrap());
    identity["loss"]["features"] = 0.5.into();
    assert!(!task.is_same(&identity.to_string()).unwrap());
    assert!(!task.is_same("another kind of training").unwrap());
}
