//! The quantizers compared with taming-transformers and van den Oord's moving averages; and tests
//! of the rule for comparing codes.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use common::native_tests;
use common::on::differing;
use common::quantizers::quantizer_tests;

quantizer_tests!(native_tests);

#[test]
fn codes_may_differ_only_at_close_calls_and_rarely() {
    let want = vec![7; 400];
    let mut nearest = [1.0, 2.0].repeat(400);
    let mut got = vec![7; 400];
    assert_eq!(differing(&got, &want, &nearest), Ok(()));
    got[3] = 8;
    assert!(
        differing(&got, &want, &nearest)
            .unwrap_err()
            .contains("[3]")
    );
    for token in 0..3 {
        nearest[2 * token + 1] = 1.0005;
    }
    got[..4].copy_from_slice(&[8, 8, 7, 7]);
    assert_eq!(differing(&got, &want, &nearest), Ok(()));
    got[2] = 8;
    assert!(
        differing(&got, &want, &nearest)
            .unwrap_err()
            .contains("3 of 400")
    );
}
