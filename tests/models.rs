//! Both complete models compared with their references, forward and backward.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod common;

use common::models::model_tests;
use common::native_tests;

model_tests!(native_tests);
