//! Encoding to Gaussian latents and decoding them through [`Codec`].
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use pollster::block_on;
use support::models::without_codebook;
use support::{TINY, code, painted, try_reconstruct};
use tesserae::codec::Posterior;
use tesserae::models::LatentScale;
use tesserae::{Codec, Picture};

fn latents(codec: &Codec, picture: &Picture, posterior: Posterior) -> tesserae::codec::Latents {
    block_on(codec.encode_latents(picture, posterior)).unwrap()
}

#[test]
fn latents_are_what_a_reconstruction_goes_through() {
    let codec = without_codebook();
    // In a single pass, with a size that is not a multiple of the factor, and in windows.
    for (width, height) in [(64, 48), (45, 30), (600, 24)] {
        let picture = painted(width, height);
        for (posterior, seed) in [(Posterior::Mean, None), (Posterior::Sample(3), Some(3))] {
            let latents = latents(&codec, &picture, posterior);
            assert_eq!((latents.width, latents.height), (width, height));
            assert_eq!(
                (latents.rows, latents.columns),
                (height.div_ceil(4), width.div_ceil(4))
            );
            let count = latents.channels * latents.rows * latents.columns;
            assert_eq!(latents.values.len(), count as usize);
            let decoded = block_on(codec.decode_latents(&latents)).unwrap();
            assert_eq!(decoded, try_reconstruct(&codec, &picture, seed).unwrap());
        }
    }
}

#[test]
fn scaled_latents_come_back() {
    let codec = without_codebook();
    let first = latents(&codec, &painted(32, 32), Posterior::Mean);
    let scale = LatentScale {
        scale: 0.25,
        shift: 0.5,
    };
    let scaled = first.scaled(scale);
    assert_eq!(scaled[7], (first.values[7] - 0.5) * 0.25);
    let back = first.with_scaled(&scaled, scale).unwrap();
    for (back, value) in back.values.iter().zip(&first.values) {
        assert!((back - value).abs() < 1e-5, "{back} is not {value}");
    }
    assert_eq!(
        code(first.with_scaled(&scaled[1..], scale)),
        "latents_geometry"
    );
    // A model whose config does not specify it has none.
    assert_eq!(codec.latent_scale(), None);
}

#[test]
fn latents_of_another_model_are_refused() {
    let codec = without_codebook();
    let good = latents(&codec, &painted(32, 24), Posterior::Mean);
    let refused = |change: &dyn Fn(&mut tesserae::codec::Latents)| {
        let mut bad = good.clone();
        change(&mut bad);
        code(block_on(codec.decode_latents(&bad)))
    };
    assert_eq!(
        refused(&|z| z.encoder_hash.0[0] ^= 1),
        "latents_other_encoder"
    );
    assert_eq!(refused(&|z| z.width += 4), "latents_geometry");
    assert_eq!(refused(&|z| z.channels += 1), "latents_geometry");
    assert_eq!(refused(&|z| z.values.truncate(5)), "latents_geometry");
    assert_eq!(refused(&|z| z.values[3] = f32::NAN), "latents_geometry");
    // A different decoder for the same encoder is accepted.
    assert_eq!(refused(&|z| z.decoder_hash.0[0] ^= 1), "no error");

    let tokens = support::codec(TINY);
    let picture = painted(16, 16);
    let asked = block_on(tokens.encode_latents(&picture, Posterior::Mean));
    assert_eq!(code(asked), "argument");
    assert_eq!(code(block_on(tokens.decode_latents(&good))), "argument");
}
