//! Each layer compared with taming-transformers, forward and backward, or its gradients with finite
//! differences; and tests of the comparisons themselves.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use common::differences::same_slopes;
use common::layers::{layer_tests, slope_tests};
use common::{On, golden, native_tests, relative_error};
use tesserae::nn::Upsample;

layer_tests!(native_tests);
slope_tests!(native_tests);

#[test]
fn an_error_is_measured_by_the_largest_value() {
    assert_eq!(relative_error(&[1.0, -4.0], &[1.0, -4.0], 0.0), 0.0);
    assert_eq!(relative_error(&[1.5, -4.0], &[1.0, -4.0], 0.0), 0.125);
    assert_eq!(
        relative_error(&[f32::NAN, -4.0], &[1.0, -4.0], 0.0),
        f32::INFINITY
    );
    assert_eq!(relative_error(&[1.0], &[0.0], 0.0), f32::INFINITY);
    assert_eq!(relative_error(&[0.5], &[0.0], 2.0), 0.25);
}

#[test]
#[should_panic(expected = "output is")]
fn a_wrong_output_is_noticed() {
    let on = On::cpu();
    let golden = golden!("upsample");
    let off = golden.tensor::<4>("output", &on.device).mul_scalar(1.001);
    pollster::block_on(on.close(&golden, "output", off));
}

#[test]
#[should_panic(expected = "by differences")]
fn a_wrong_gradient_is_noticed() {
    let on = On::cpu();
    let upsample = Upsample::new(2, &on.device);
    let forward = |upsample: &Upsample, [x]: [_; 1]| {
        let y = upsample.forward(x);
        y.clone() + y.detach().mul_scalar(0.05)
    };
    pollster::block_on(same_slopes(&on, upsample, [&[1, 2, 3, 3]], forward));
}
