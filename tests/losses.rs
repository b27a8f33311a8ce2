//! The training losses compared with taming-transformers and the package `lpips`.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::rc::Rc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::hashed::{published, values};
use common::losses::{built, loss_tests};
use common::{On, golden, native_tests, relative_error};
use pollster::block_on;
use safetensors::tensor::SafeTensors;
use tesserae::train::losses::{feature_difference, gradient_difference, texture_difference};
use tesserae::weights::{Container, Storage, load_discriminator, load_lpips, save_discriminator};

loss_tests!(native_tests);

fn lpips_files() -> Vec<Container> {
    let blocks = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)];
    let (mut place, mut from) = (0, 3);
    let mut vgg = vec![("classifier.6.bias".to_owned(), vec![1000])];
    let mut own = Vec::new();
    for (i, (count, width)) in blocks.into_iter().enumerate() {
        for _ in 0..count {
            let name = |what| format!("features.{place}.{what}");
            vgg.push((name("weight"), vec![width, from, 3, 3]));
            vgg.push((name("bias"), vec![width]));
            (place, from) = (place + 2, width);
        }
        place += 1;
        own.push((format!("lin{i}.model.1.weight"), vec![1, width, 1, 1]));
    }
    vec![published(&vgg), published(&own)]
}

#[test]
fn a_discriminator_is_read_from_its_own_file_and_from_a_checkpoint() {
    let (on, golden) = (On::cpu(), golden!("discriminator"));
    let device = on.autodiff();
    let module = built(&golden, &device);
    // One batch updates the running averages, which are saved as well.
    module.forward(golden.tensor::<4>("input", &device));
    let module = module.valid();
    let open = |bytes: Vec<u8>| Container::open(Rc::new(bytes)).unwrap();
    let file = open(block_on(save_discriminator(&module, Some("mine"), Storage::F32)).unwrap());
    let values = file.values("main.3.running_var").unwrap();
    let error = relative_error(&values, &golden.floats("biased.main.3.running_var"), 0.0);
    assert!(error <= on.tolerance, "{error}");
    let again = load_discriminator(&file, &on.device).unwrap();
    let x: Tensor<4> = golden.tensor("input", &on.device);
    let outputs = [&again, &module].map(|m| m.forward(x.clone()).into_data());
    outputs[0].assert_eq(&outputs[1], true);

    let inside = open(golden.checkpoint(|name| format!("loss.discriminator.{name}")));
    let inside = load_discriminator(&inside, &on.device).unwrap();
    block_on(on.close(&golden, "eval.output", inside.forward(x)));

    let error = load_discriminator(&published(&[]), &on.device).unwrap_err();
    assert_eq!(error.code(), "weights_unknown");
    let error = load_discriminator(&open(broken(&golden)), &on.device).unwrap_err();
    assert_eq!(error.code(), "weights_mismatch");
    assert!(error.to_string().contains("`main.8.bias`"), "{error}");
}

/// A discriminator file whose last tensor is missing.
fn broken(golden: &common::Golden) -> Vec<u8> {
    let file = SafeTensors::deserialize(golden.weights().leak()).unwrap();
    let tensors = file.iter().filter(|(name, _)| *name != "main.8.bias");
    safetensors::serialize(tensors, None).unwrap()
}

#[test]
fn lpips_agrees_with_the_package() {
    let (on, golden) = (On::cpu(), golden!("lpips"));
    for name in golden.names("ends.") {
        let ends = golden.floats(&format!("ends.{name}"));
        for (i, want) in ends[..3].iter().enumerate() {
            let shape = match name {
                "features.0.bias" => vec![64],
                "features.0.weight" => vec![64, 3, 3, 3],
                "features.14.weight" => vec![256, 256, 3, 3],
                "features.28.weight" => vec![512, 512, 3, 3],
                _ => vec![1, 512, 1, 1],
            };
            assert_eq!(values(name, &shape)[i], *want, "{name}");
        }
    }
    let device = on.autodiff();
    let lpips = load_lpips(&lpips_files(), &device).unwrap();
    let input: Tensor<4> = golden.tensor("input", &device).require_grad();
    let distance = lpips.forward(input.clone(), golden.tensor("target", &device));
    block_on(on.close(&golden, "output", distance.clone()));
    let grad = input.grad(&distance.mean().backward()).unwrap();
    block_on(on.close(&golden, "grad.input", grad));

    // Identical pictures, even with features that are 0 everywhere, have distance 0 and no
    // gradient.
    let black = Tensor::<4>::zeros([1, 3, 32, 32], &device).require_grad();
    let distance = lpips.forward(black.clone(), Tensor::zeros([1, 3, 32, 32], &device));
    let grad = black.grad(&distance.clone().mean().backward()).unwrap();
    assert_eq!(distance.into_scalar::<f32>(), 0.0);
    assert_eq!(grad.abs().max().into_scalar::<f32>(), 0.0);
}

#[test]
fn lpips_weights_that_are_missing_are_named() {
    let mut files = lpips_files();
    let error = load_lpips(&files[..1], &Device::flex()).unwrap_err();
    assert_eq!(error.code(), "weights_mismatch");
    assert!(
        error.to_string().contains("`lin0.model.1.weight`"),
        "{error}"
    );
    files[1] = published(&[("lin0.model.1.weight".to_owned(), vec![1, 65, 1, 1])]);
    let error = load_lpips(&files, &Device::flex()).unwrap_err();
    assert!(
        error.to_string().contains("`lin0.model.1.weight`"),
        "{error}"
    );
}

#[test]
fn gradient_differences_of_known_pictures() {
    let device = Device::flex();
    let picture = |f: fn(usize, usize) -> f32| {
        let values: Vec<f32> = (0..64).map(|i| f(i % 8, i / 8)).collect();
        Tensor::<1>::from_floats(values.as_slice(), &device).reshape([1, 1, 8, 8])
    };
    let flat = picture(|_, _| 0.25);
    let between = |a: &Tensor<4>, b: &Tensor<4>| -> f32 {
        gradient_difference(a.clone(), b.clone()).into_scalar()
    };
    assert_eq!(
        between(&flat, &picture(|_, _| 0.75)),
        0.0,
        "an offset has no edges"
    );
    // A slope of 0.1 to the right: 0.1, 0.2 and 0.4 at the three scales, half of that over both
    // directions.
    let slope = picture(|x, _| 0.1 * x as f32);
    let found = between(&slope, &flat);
    assert!((found - 0.7 / 6.0).abs() < 1e-6, "{found}");
    // A chequerboard disappears after the first halving.
    let found = between(&picture(|x, y| ((x + y) % 2) as f32), &flat);
    assert!((found - 1.0 / 3.0).abs() < 1e-6, "{found}");
}

#[test]
fn textures_differ_by_their_strength_and_not_by_their_place() {
    let device = Device::flex();
    let picture = |f: &dyn Fn(usize, usize) -> f32| {
        let values: Vec<f32> = (0..32 * 32).map(|i| f(i % 32, i / 32)).collect();
        Tensor::<1>::from_floats(values.as_slice(), &device).reshape([1, 1, 32, 32])
    };
    let between = |a: &Tensor<4>, b: &Tensor<4>| -> f32 {
        texture_difference(a.clone(), b.clone()).into_scalar()
    };
    let flat = picture(&|_, _| 0.25);
    assert_eq!(between(&flat, &picture(&|_, _| 0.75)), 0.0);
    // Stripes four pixels wide: moving them costs almost nothing, halving their contrast a lot.
    let stripes =
        |from: usize, strength: f32| picture(&move |x, _| strength * ((x + from) / 4 % 2) as f32);
    let (there, moved, weak) = (stripes(0, 0.4), stripes(4, 0.4), stripes(0, 0.2));
    assert!(between(&there, &weak) > 100.0 * between(&there, &moved));
    // A slope of 0.1 to the right: its mean square over both directions is 0.005 at full size and
    // 0.02 at half, where 32 pixels end.
    let slope = picture(&|x, _| 0.1 * x as f32);
    let rooted = |energy: f32| ((energy + 1e-5).sqrt() - 1e-5_f32.sqrt()).powi(2);
    let wanted = (rooted(0.005) + rooted(0.02)) / 2.0;
    let found = between(&slope, &flat);
    assert!((found - wanted).abs() < 1e-5, "{found}, not {wanted}");
}

#[test]
fn layers_count_the_same_whatever_their_size() {
    let device = Device::flex();
    let layer = |side, value: f32| Tensor::<4>::full([1, 2, side, side], value, &device);
    let a = [layer(8, 1.0), layer(2, 0.0)];
    let b = [layer(8, 1.5), layer(2, -1.0)];
    let found: f32 = feature_difference(&a, &b).unwrap().into_scalar();
    assert!((found - 0.75).abs() < 1e-6, "{found}");
    assert!(feature_difference(&[], &b).is_none());
}
