//! Each layer against taming-transformers, forward and gradients; and the comparison itself.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use common::layers::layer_tests;
use common::{On, golden, native_tests, relative_error};

layer_tests!(native_tests);

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
