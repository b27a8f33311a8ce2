//! Pictures to tokens and back through [`Codec`], with the tiny model: sizes, windows, cancelling,
//! and tokens that do not belong to the model.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::{Device, Tensor, TensorData};
use pollster::block_on;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::{
    TINY, WeightFile, code, codec, decode, encode, painted, part, sample, try_decode, try_encode,
    undivided,
};
use tesserae::config::VqVaeConfig;
use tesserae::models::Stage;
use tesserae::pixels::metrics::psnr;
use tesserae::tokens::{Grid, Hash};
use tesserae::weights::{self, Storage};
use tesserae::{Autoencoder, Codec, Error, ModelConfig, Picture, Tokens, quantize};

/// A purely convolutional model: what it makes of a place depends on nothing far away, so that
/// windows must agree exactly. Random weights, but with codes and contrast that are in use.
fn convolutional() -> Codec {
    let device = Device::flex();
    let config = ModelConfig::VqVae(VqVaeConfig {
        in_channels: 3,
        hidden: 8,
        residual_hidden: 4,
        residual_layers: 1,
        downsamplings: 2,
        embed_dim: 8,
        n_embed: 64,
        input: [-0.5, 0.5],
    });
    let model = Autoencoder::new(&config, &device).unwrap();
    let bytes = weights::save(&model, &config, None, Storage::F32).unwrap();
    let mut file = WeightFile::of(&bytes);
    // Drawn here, as the device's seed belongs to all tests of the process.
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for tensor in file.tensors.values_mut() {
        let inputs: usize = tensor.shape[1..].iter().product();
        let bound = if tensor.shape.len() == 1 {
            0.1
        } else {
            (inputs as f32).sqrt().recip()
        };
        *tensor = tensor.with(
            tensor
                .values()
                .iter()
                .map(|_| rng.random_range(-bound..bound)),
        );
    }
    file.map("decoder.up.1.weight", |v| 12.0 * v);

    // The codebook: latents of a picture, 64 of them.
    let data = TensorData::new(painted(128, 128).to_planar(-0.5, 0.5), [1, 3, 128, 128]);
    let z = codec(file.bytes())
        .model()
        .latents(Tensor::from_data(data, &device), &[]);
    let z: Vec<f32> = quantize::flatten(z).into_data().iter().collect();
    let rows = z.chunks_exact(8).skip(5).step_by(16).take(64);
    let embedding = file.get("quantize.embedding.weight");
    *embedding = embedding.with(rows.flatten().copied());
    codec(file.bytes())
}

/// Every call of `watch`, for encoding and decoding.
fn calls(codec: &Codec, picture: &Picture) -> (Tokens, Vec<(Stage, usize, usize)>) {
    let mut calls = Vec::new();
    let mut watch = async |stage, done, total| {
        calls.push((stage, done, total));
        true
    };
    let tokens = block_on(codec.encode(picture, &mut watch)).unwrap();
    block_on(codec.decode(&tokens, &mut watch)).unwrap();
    (tokens, calls)
}

#[test]
fn any_size_keeps_its_size() {
    let codec = codec(TINY);
    for (width, height) in [(1, 1), (3, 5), (4, 4), (33, 70), (70, 33), (1, 40)] {
        let picture = painted(width, height);
        let tokens = encode(&codec, &picture);
        assert_eq!((tokens.width, tokens.height), (width, height));
        let grid = &tokens.grids[0];
        assert_eq!(
            (grid.rows, grid.columns),
            (height.div_ceil(4), width.div_ceil(4))
        );
        let rebuilt = decode(&codec, &tokens);
        assert_eq!((rebuilt.width(), rebuilt.height()), (width, height));
    }
}

#[test]
fn a_picture_of_whole_tokens_is_not_changed_by_padding() {
    let codec = codec(TINY);
    let picture = part(&sample("chelsea.png"), 64, 80, 96, 64);
    let (indices, rebuilt) = undivided(&codec, &picture);
    let tokens = encode(&codec, &picture);
    assert_eq!(tokens.grids[0].indices, indices);
    assert!(
        tokens.usage().used >= 8,
        "too few codes to tell: {tokens:?}"
    );
    assert_eq!(decode(&codec, &tokens), rebuilt);
}

#[test]
fn other_sizes_are_reflected_and_cropped() {
    let codec = codec(TINY);
    let large = sample("coffee.png");
    let (width, height) = (45, 30);
    let odd = part(&large, 100, 90, width, height);
    // The same by hand: the mirror is the last row and the last column.
    let mirror = |at: u32, length: u32| if at < length { at } else { 2 * length - 2 - at };
    let rgb = (0..32_u32)
        .flat_map(|y| (0..48_u32).map(move |x| (mirror(x, width), mirror(y, height))))
        .flat_map(|(x, y)| &odd.rgb()[3 * (y * width + x) as usize..][..3])
        .copied()
        .collect();
    let padded = Picture::from_rgb(48, 32, rgb).unwrap();
    let tokens = encode(&codec, &odd);
    assert_eq!(tokens.grids, encode(&codec, &padded).grids);
    let whole = decode(&codec, &encode(&codec, &padded));
    assert_eq!(decode(&codec, &tokens), part(&whole, 0, 0, width, height));
}

#[test]
fn a_large_picture_is_done_in_windows_that_agree() {
    let codec = convolutional();
    let picture = painted(600, 520);
    let (tokens, calls) = calls(&codec, &picture);
    let expected = [Stage::Encode, Stage::Decode]
        .into_iter()
        .flat_map(|stage| (0..=4).map(move |done| (stage, done, 4)));
    assert_eq!(calls, expected.collect::<Vec<_>>());
    assert!(tokens.usage().used >= 16, "{:?}", tokens.usage());

    // Windows of 128 tokens start at columns 0 and 22 and at rows 0 and 2. A window's own edge
    // reaches four tokens inwards; farther in there is nothing but rounding.
    let (indices, whole) = undivided(&codec, &picture);
    let inside = |at: usize, starts: [usize; 2]| {
        starts.iter().all(|s| !(*s..s + 6).contains(&at) || *s == 0) && !(122..128).contains(&at)
    };
    let places = (0..130).flat_map(|y| (0..150).map(move |x| (y, x)));
    let (mut clear, mut clear_off, mut off) = (0, 0, 0);
    for ((y, x), (a, b)) in places.zip(tokens.grids[0].indices.iter().zip(&indices)) {
        let inside = inside(y, [0, 2]) && inside(x, [0, 22]);
        clear += usize::from(inside);
        clear_off += usize::from(inside && a != b);
        off += usize::from(a != b);
    }
    assert!(clear > 14_000, "{clear}");
    assert!(
        clear_off * 1000 <= clear,
        "{clear_off} of {clear} clear tokens differ"
    );
    assert!(
        off * 20 <= indices.len(),
        "{off} of {} tokens differ",
        indices.len()
    );

    // The windows' pixels against one pass over the same tokens.
    let same = Tokens {
        grids: vec![Grid {
            indices,
            ..tokens.grids[0]
        }],
        ..tokens
    };
    let seam = psnr(&decode(&codec, &same), &whole).unwrap();
    let (low, high) = (
        whole.rgb().iter().min().unwrap(),
        whole.rgb().iter().max().unwrap(),
    );
    assert!(high - low > 100, "no contrast: {low} to {high}");
    assert!(seam > 40.0, "{seam} dB between windows and the whole");
}

#[test]
fn cancelling_at_any_stage_ends_the_work_and_nothing_else() {
    let codec = convolutional();
    let picture = painted(532, 24);
    let (tokens, calls) = calls(&codec, &picture);
    assert_eq!(calls.len(), 6);
    let rebuilt = decode(&codec, &tokens);
    for stop in calls {
        let mut told = 0;
        let mut watch = async |stage, done, total| {
            told += 1;
            (stage, done, total) != stop
        };
        let result = match stop.0 {
            Stage::Encode => block_on(codec.encode(&picture, &mut watch)).map(drop),
            Stage::Decode => block_on(codec.decode(&tokens, &mut watch)).map(drop),
        };
        assert_eq!(result, Err(Error::Cancelled), "{stop:?}");
        assert_eq!(told, stop.1 + 1, "nothing is told after {stop:?}");
        assert_eq!(encode(&codec, &picture), tokens, "after {stop:?}");
        assert_eq!(decode(&codec, &tokens), rebuilt, "after {stop:?}");
    }
}

#[test]
fn tokens_of_another_model_or_shape_are_refused() {
    let codec = codec(TINY);
    let good = encode(&codec, &painted(24, 16));
    assert!(codec.check(&good).is_ok());
    let refused = |expected: &str, change: &dyn Fn(&mut Tokens)| {
        let mut tokens = good.clone();
        change(&mut tokens);
        assert_eq!(code(codec.check(&tokens)), expected, "{tokens:?}");
        assert_eq!(code(try_decode(&codec, &tokens)), expected, "{tokens:?}");
    };
    refused("tokens_other_codebook", &|t| t.codebook_hash = Hash([0; 8]));
    refused("tokens_geometry", &|t| t.width = 25);
    refused("tokens_geometry", &|t| t.height = 12);
    refused("tokens_geometry", &|t| {
        let grid = &mut t.grids[0];
        (grid.rows, grid.columns) = (grid.columns, grid.rows);
    });
    refused("tokens_geometry", &|t| t.grids[0].indices.truncate(23));
    refused("tokens_geometry", &|t| t.grids.push(t.grids[0].clone()));
    refused("tokens_geometry", &|t| t.grids.clear());
    refused("tokens_geometry", &|t| t.grids[0].indices[3] = 32);
    refused("image_too_large", &|t| {
        (t.width, t.height) = (4100, 4096);
        t.grids[0] = Grid {
            rows: 1024,
            columns: 1025,
            indices: vec![0; 1024 * 1025],
        };
    });
    let large = Picture::from_rgb(4097, 4096, vec![0; 3 * 4097 * 4096]).unwrap();
    assert_eq!(code(try_encode(&codec, &large)), "image_too_large");
}

#[test]
fn another_decoder_is_only_a_warning() {
    let mut file = WeightFile::tiny();
    file.map("decoder.conv_out.weight", |v| 0.5 * v);
    let (mine, theirs) = (codec(TINY), codec(file.bytes()));
    let tokens = encode(&mine, &painted(32, 32));
    assert_eq!(mine.warning(&tokens), None);
    assert!(theirs.warning(&tokens).is_some_and(|w| w.ends_with('.')));
    assert_ne!(decode(&theirs, &tokens), decode(&mine, &tokens));

    let mut file = WeightFile::tiny();
    file.map("quantize.embedding.weight", |v| -v);
    assert_eq!(
        code(try_decode(&codec(file.bytes()), &tokens)),
        "tokens_other_codebook"
    );
}

#[test]
fn the_token_file_carries_the_identical_picture() {
    let codec = codec(TINY);
    let tokens = encode(&codec, &part(&sample("astronaut.png"), 90, 20, 67, 50));
    let read = Tokens::from_bytes(&tokens.to_bytes().unwrap()).unwrap();
    assert_eq!(read, tokens);
    assert_eq!(decode(&codec, &read), decode(&codec, &tokens));
}
