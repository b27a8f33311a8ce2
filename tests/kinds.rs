//! Models with two grids of tokens, and with none, through `tesserae::Codec`.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use support::models::{two_grids, without_codebook};
use support::{
    TINY, code, codec, decode, encode, of_planes, painted, planes, try_decode, try_encode,
    try_reconstruct, undivided,
};
use tesserae::models::Kl;
use tesserae::pixels::metrics::psnr;
use tesserae::random::noise;
use tesserae::{Picture, Tokens};

#[test]
fn both_grids_travel_in_the_token_file() {
    let codec = two_grids();
    for (width, height) in [(1, 1), (33, 70), (8, 9)] {
        let picture = painted(width, height);
        let tokens = encode(&codec, &picture);
        let (rows, columns) = (height.div_ceil(8), width.div_ceil(8));
        let sides = tokens.grids.iter().map(|grid| (grid.rows, grid.columns));
        let expected = [(rows, columns), (2 * rows, 2 * columns)];
        assert_eq!(sides.collect::<Vec<_>>(), expected);
        let read = Tokens::from_bytes(&tokens.to_bytes().unwrap()).unwrap();
        assert_eq!(read, tokens);
        let rebuilt = decode(&codec, &read);
        assert_eq!((rebuilt.width(), rebuilt.height()), (width, height));
        assert_eq!(try_reconstruct(&codec, &picture, None).unwrap(), rebuilt);
    }

    // Each grid counts, and only in its own place.
    let tokens = encode(&codec, &painted(48, 32));
    let rebuilt = decode(&codec, &tokens);
    for grid in 0..2 {
        let mut other = tokens.clone();
        for index in &mut other.grids[grid].indices {
            *index = 63 - *index;
        }
        assert_ne!(decode(&codec, &other), rebuilt, "grid {grid}");
        let mut fewer = tokens.clone();
        fewer.grids.remove(grid);
        assert_eq!(code(codec.check(&fewer)), "tokens_geometry");
    }
    let mut turned = tokens;
    turned.grids.reverse();
    assert_eq!(code(try_decode(&codec, &turned)), "tokens_geometry");

    for grid in 0..2 {
        assert_eq!(block_on(codec.palette(grid)).unwrap().len(), 3 * 64);
    }
    assert_eq!(code(block_on(codec.palette(2))), "argument");
}

#[test]
fn a_model_without_a_codebook_makes_pictures_and_no_tokens() {
    let codec = without_codebook();
    let picture = painted(64, 48);
    let (_, whole) = undivided(&codec, &picture);
    assert_eq!(try_reconstruct(&codec, &picture, None).unwrap(), whole);
    let odd = try_reconstruct(&codec, &painted(33, 70), None).unwrap();
    assert_eq!((odd.width(), odd.height()), (33, 70));

    let tokens = encode(&crate::codec(TINY), &picture);
    assert_eq!(code(try_encode(&codec, &picture)), "no_codebook");
    assert_eq!(code(try_decode(&codec, &tokens)), "no_codebook");
    assert_eq!(code(codec.check(&tokens)), "no_codebook");
    assert_eq!(code(block_on(codec.palette(0))), "no_codebook");
    let large = Picture::from_rgb(4097, 4096, vec![0; 3 * 4097 * 4096]).unwrap();
    assert_eq!(
        code(try_reconstruct(&codec, &large, None)),
        "image_too_large"
    );
}

#[test]
fn samples_repeat_by_seed() {
    let codec = without_codebook();
    let sampled = |picture: &Picture, seed| try_reconstruct(&codec, picture, seed).unwrap();
    let picture = painted(64, 48);
    let first = sampled(&picture, Some(1));
    assert_eq!(sampled(&picture, Some(1)), first);
    assert_ne!(sampled(&picture, Some(2)), first);
    assert_ne!(sampled(&picture, None), first);

    // By hand in a single pass, and in windows that share the same noise.
    let by_hand = |picture: &Picture, seed| {
        let model = codec.model();
        let moments = model.moments(&planes(&codec, picture)).unwrap();
        let [_, channels, rows, columns] = moments.dims();
        let noise = noise(seed, channels / 2 * rows * columns);
        let noise = TensorData::new(noise, [1, channels / 2, rows, columns]);
        let noise = Tensor::from_data(noise, &Device::flex());
        let rebuilt = model.decode(&[Kl::sample(moments, noise)]).unwrap();
        of_planes(&codec, picture, rebuilt)
    };
    assert_eq!(by_hand(&picture, 1), first);
    let wide = painted(600, 24);
    let found = sampled(&wide, Some(1));
    let [same, other] = [1, 2].map(|seed| psnr(&by_hand(&wide, seed), &found).unwrap());
    assert!(same > other + 10.0, "{same} dB, another seed {other} dB");

    let tokens = crate::codec(TINY);
    assert_eq!(
        code(try_reconstruct(&tokens, &picture, Some(1))),
        "argument"
    );
}
