//! The networks of features compared with torchvision's, set as Keras sets them.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;
#[cfg(feature = "cli")]
mod support;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use common::hashed::published;
use common::{Golden, On, golden};
use pollster::block_on;
use tesserae::nn::FeatureNetwork;
use tesserae::weights::{Container, load_features};

/// What the recipe writes: the layers with their shapes in Keras's order.
fn tensors(layers: Vec<(String, [usize; 4])>) -> Vec<(String, Vec<usize>)> {
    let tensors = layers.into_iter().flat_map(|(name, shape)| {
        let bias = (format!("{name}.bias"), vec![shape[0]]);
        [(format!("{name}.weight"), shape.to_vec()), bias]
    });
    tensors.collect()
}

fn file(layers: Vec<(String, [usize; 4])>) -> Container {
    published(&tensors(layers))
}

fn inception() -> Vec<(String, [usize; 4])> {
    let mut shapes = vec![
        [32, 3, 3, 3],
        [32, 32, 3, 3],
        [64, 32, 3, 3],
        [80, 64, 1, 1],
        [192, 80, 3, 3],
    ];
    for (from, pooled) in [(192, 32), (256, 64), (288, 64)] {
        shapes.extend([
            [64, from, 1, 1],
            [48, from, 1, 1],
            [64, 48, 5, 5],
            [64, from, 1, 1],
            [96, 64, 3, 3],
            [96, 96, 3, 3],
            [pooled, from, 1, 1],
        ]);
    }
    shapes.extend([
        [384, 288, 3, 3],
        [64, 288, 1, 1],
        [96, 64, 3, 3],
        [96, 96, 3, 3],
        [192, 768, 1, 1],
        [128, 768, 1, 1],
        [128, 128, 1, 7],
        [192, 128, 7, 1],
        [128, 768, 1, 1],
        [128, 128, 7, 1],
        [128, 128, 1, 7],
        [128, 128, 7, 1],
        [192, 128, 1, 7],
        [192, 768, 1, 1],
    ]);
    let named = |(index, shape)| (format!("conv2d_{}", index + 1), shape);
    shapes.into_iter().enumerate().map(named).collect()
}

fn mobilenet() -> Vec<(String, [usize; 4])> {
    let mut layers = vec![
        ("Conv1".to_owned(), [32, 3, 3, 3]),
        ("expanded_conv_depthwise".to_owned(), [32, 1, 3, 3]),
        ("expanded_conv_project".to_owned(), [16, 32, 1, 1]),
    ];
    let mut from = 16;
    let widths = [24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96];
    for (index, to) in widths.into_iter().enumerate() {
        let name = |part| format!("block_{}_{part}", index + 1);
        layers.push((name("expand"), [6 * from, from, 1, 1]));
        layers.push((name("depthwise"), [6 * from, 1, 3, 3]));
        layers.push((name("project"), [to, 6 * from, 1, 1]));
        from = to;
    }
    layers.push(("block_13_expand".to_owned(), [576, 96, 1, 1]));
    layers
}

fn agrees(network: FeatureNetwork, golden: &Golden) {
    let on = On::cpu();
    let input: Tensor<4> = golden.tensor("input", &on.autodiff()).require_grad();
    let features = network.features(input.clone());
    for (layer, features) in features.iter().enumerate() {
        let channels = features.dims()[1];
        let step = (channels / 8).max(1) as isize;
        let some = features.clone().slice_dim(1, burn::tensor::s![0..;step]);
        block_on(on.close(golden, &format!("layer.{layer}"), some));
    }
    let target = network.features(golden.tensor("target", &on.autodiff()));
    let distance = FeatureNetwork::distance(&features, &target).unwrap();
    block_on(on.close(golden, "distance", distance.clone().flatten::<1>(0, 3)));
    let grad = input.grad(&distance.mean().backward()).unwrap();
    block_on(on.close(golden, "grad.input", grad));
}

fn read(layers: Vec<(String, [usize; 4])>) -> FeatureNetwork {
    let network = load_features(&file(layers), &On::cpu().device).unwrap();
    network.train().no_grad()
}

#[test]
fn inception_agrees_with_torchvision() {
    let network = read(inception());
    assert!(matches!(network, FeatureNetwork::Inception(_)));
    agrees(network, &golden!("features_inception"));
}

#[test]
fn mobilenet_agrees_with_torchvision() {
    let network = read(mobilenet());
    assert!(matches!(network, FeatureNetwork::MobileNet(_)));
    agrees(network, &golden!("features_mobilenet"));
}

#[test]
fn the_smallest_picture_leaves_something_in_every_layer() {
    for network in FeatureNetwork::all(&Device::flex()) {
        let side = network.smallest();
        let features = network.features(Tensor::ones([1, 3, side, side], &Device::flex()));
        let empty = features.iter().any(|layer| layer.dims().contains(&0));
        assert!(features.len() == 5 && !empty, "{side}");
    }
}

#[test]
fn weights_that_are_missing_are_named_and_other_files_refused() {
    let error = load_features(&file(Vec::new()), &Device::flex()).unwrap_err();
    assert_eq!(error.code(), "weights_unknown");
    let mut layers = mobilenet();
    layers.remove(9);
    let error = load_features(&file(layers), &Device::flex()).unwrap_err();
    assert_eq!(error.code(), "weights_mismatch");
    assert!(error.to_string().contains("`block_3_expand."), "{error}");
}

/// `eval --perceptual`, on its own and over shards.
#[cfg(feature = "cli")]
mod program {
    use std::fs;

    use tempfile::tempdir;

    use super::support::program::{failed, json, printed, run};
    use super::{inception, mobilenet, tensors};
    use crate::common::hashed::bytes;

    #[test]
    fn eval_measures_features_and_merges_what_one_network_measured() {
        let folder = tempdir().unwrap();
        for (name, layers) in [("a", mobilenet()), ("b", inception())] {
            let path = folder.path().join(format!("{name}.safetensors"));
            fs::write(path, bytes(&tensors(layers))).unwrap();
        }
        let run = |words: &str| run(folder.path(), words);
        let eval = "eval SAMPLES/coffee.png --size 64 --square --model TINY";

        let plain = json(&run(&format!("{eval} --json")));
        assert!(plain.get("perceptual").is_none(), "{plain}");
        let report = json(&run(&format!(
            "{eval} --codecs --perceptual a.safetensors --json"
        )));
        let distance = report["perceptual"].as_f64().unwrap();
        assert!(distance > 0.0 && distance < 4.0, "{distance}");
        assert_eq!(report["images"][0]["perceptual"], report["perceptual"]);
        assert!(report["jpeg"]["perceptual"].as_f64().unwrap() > 0.0);
        let table = run(&format!("{eval} --perceptual a.safetensors"));
        let table = printed(&table);
        assert!(table.contains(&format!("{distance:.4}")), "{table}");
        assert!(
            table.lines().next().unwrap().ends_with("perceptual"),
            "{table}"
        );

        for (network, out) in [("a", "reports"), ("b", "others")] {
            let words = format!("{eval} --perceptual {network}.safetensors --out-dir {out}");
            assert!(run(&words).status.success());
        }
        let merged = json(&run("eval --merge reports --json"));
        assert_eq!(merged["perceptual"], report["perceptual"]);
        failed(
            &run("eval --merge reports others"),
            "io",
            "different options",
        );
        failed(
            &run(&format!("{eval} --perceptual TINY")),
            "weights_unknown",
            "",
        );
    }
}
