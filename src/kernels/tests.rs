//! Compares the CPU kernels with Burn's own operations at shapes that the goldens do not cover:
//! several tiles, odd sizes and paddings, strides.

use burn::nn::GroupNormConfig;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor, activation, module};

use super::{convolve, group_norm, silu};

/// The output of `run` and the gradients at its inputs, for a loss that depends on every value.
fn passes<const N: usize>(
    inputs: &[Tensor<4>; N],
    run: impl Fn([Tensor<4>; N]) -> Tensor<4>,
) -> Vec<Vec<f32>> {
    let inputs = inputs.clone().map(|input| input.require_grad());
    let output = run(inputs.clone());
    let weights = Tensor::<1, burn::tensor::Int>::arange(
        0..output.shape().num_elements() as i64,
        &output.device(),
    );
    let weights = weights
        .float()
        .mul_scalar(0.37)
        .sin()
        .reshape(output.dims());
    let grads = (output.clone() * weights).sum().backward();
    let mut all = vec![output.into_data().try_to_vec().unwrap()];
    for input in inputs {
        all.push(
            input
                .grad(&grads)
                .unwrap()
                .into_data()
                .try_to_vec()
                .unwrap(),
        );
    }
    all
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.2, 1.0), device)
}

fn same(got: Vec<Vec<f32>>, wanted: Vec<Vec<f32>>, what: &str) {
    for (part, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        assert_eq!(got.len(), wanted.len(), "{what}, part {part}");
        let most = wanted.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        for (i, (got, wanted)) in got.iter().zip(wanted).enumerate() {
            let off = (got - wanted).abs();
            assert!(
                off <= 1e-4 * most,
                "{what}, part {part}, {i}: {got}, not {wanted}"
            );
        }
    }
}

#[test]
fn convolution_is_burns() {
    let device = Device::flex().autodiff();
    for (batch, from, to, [height, width], kernel, stride, padding) in [
        (1, 1, 1, [1, 1], 1, 1, [(0, 0); 2]),
        (2, 3, 5, [7, 9], 3, 1, [(1, 1); 2]),
        (3, 4, 2, [8, 6], 4, 2, [(1, 1); 2]),
        (3, 4, 2, [9, 5], 4, 1, [(1, 1); 2]),
        (2, 2, 3, [8, 10], 3, 2, [(0, 1); 2]),
        (1, 2, 3, [6, 5], 3, 1, [(2, 0), (0, 1)]),
        (2, 6, 4, [5, 3], 1, 1, [(0, 0); 2]),
        // Tiles that end inside a picture.
        (3, 16, 8, [40, 33], 3, 1, [(1, 1); 2]),
        (2, 64, 4, [12, 40], 5, 1, [(2, 2); 2]),
    ] {
        let options = ConvOptions::new_with_padding([stride, stride], padding, [1, 1], 1);
        let inputs = [
            random([batch, from, height, width], &device),
            random([to, from, kernel, kernel], &device),
            random([1, to, 1, 1], &device),
        ];
        let ours = passes(&inputs, |[x, weight, bias]| {
            convolve(x, weight, bias.reshape([to]), options.clone())
        });
        let burns = passes(&inputs, |[x, weight, bias]| {
            module::conv2d(x, weight, Some(bias.reshape([to])), options.clone())
        });
        same(
            ours,
            burns,
            &format!("{from} to {to}, {height}×{width}, kernel {kernel}, stride {stride}"),
        );
    }
}

#[test]
fn group_norm_is_burns() {
    let device = Device::flex().autodiff();
    for (batch, channels, groups, side) in
        [(1, 4, 4, 2), (3, 6, 2, 5), (2, 32, 8, 17), (1, 8, 1, 64)]
    {
        let inputs = [
            random([batch, channels, side, side], &device),
            random([1, channels, 1, 1], &device),
            random([1, channels, 1, 1], &device),
        ];
        let ours = passes(&inputs, |[x, gamma, beta]| {
            group_norm(
                x,
                gamma.reshape([channels]),
                beta.reshape([channels]),
                groups,
                1e-6,
            )
        });
        let burns = passes(&inputs, |[x, gamma, beta]| {
            let norm = GroupNormConfig::new(groups, channels)
                .with_epsilon(1e-6)
                .init(&device);
            norm.forward(x) * gamma + beta
        });
        same(
            ours,
            burns,
            &format!("{channels} in {groups} groups, {side}×{side}"),
        );
    }
}

#[test]
fn silu_is_burns() {
    let device = Device::flex().autodiff();
    let input = [random([2, 3, 90, 61], &device) * 20.0];
    let ours = passes(&input, |[x]| silu(x));
    same(ours, passes(&input, |[x]| activation::silu(x)), "silu");
}
