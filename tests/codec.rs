//! Encoding and decoding through [`Codec`] with small models: sizes, windows, cancellation, and
//! tokens that do not belong to the model.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod support;

use pollster::block_on;
use support::models::{one_grid, two_grids};
use support::{
    TINY, WeightFile, code, codec, decode, encode, painted, part, sample, try_decode, try_encode,
    undivided,
};
use tesserae::codec::Phase;
use tesserae::pixels::metrics::psnr;
use tesserae::tokens::{Grid, Hash, Usage};
use tesserae::{Codec, Error, Picture, Tokens};

/// The tokens, and every call of `watch` during encoding and decoding.
fn calls(codec: &Codec, picture: &Picture) -> (Tokens, Vec<(Phase, usize, usize)>) {
    let mut calls = Vec::new();
    let mut watch = async |stage, done, total| {
        calls.push((stage, done, total));
        true
    };
    let tokens = block_on(codec.encode_with(picture, &mut watch)).unwrap();
    block_on(codec.decode_with(&tokens, &mut watch)).unwrap();
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
    let (grids, rebuilt) = undivided(&codec, &picture);
    let tokens = encode(&codec, &picture);
    assert_eq!(tokens.grids, grids);
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
    // The same by hand: reflection about the last row and the last column.
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

/// The number of tokens away from all window edges, how many of those differ between `found` and
/// `whole`, and how many differ in total. `starts` are the rows and columns where windows with side
/// length `side` begin; an edge affects six tokens inwards, times `scale`.
fn off(
    [found, whole]: [&Grid; 2],
    starts: [[usize; 2]; 2],
    (side, scale): (usize, usize),
) -> [usize; 3] {
    let reach = 6 * scale;
    let inside = |at: usize, starts: [usize; 2]| {
        let begins = |start: usize| start > 0 && (start..start + reach).contains(&at);
        !starts.into_iter().any(begins) && !(side - reach..side).contains(&at)
    };
    let [rows, columns] = [found.rows as usize, found.columns as usize];
    let places = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
    let mut counts = [0; 3];
    for ((y, x), (a, b)) in places.zip(found.indices.iter().zip(&whole.indices)) {
        let clear = inside(y, starts[0]) && inside(x, starts[1]);
        counts[0] += usize::from(clear);
        counts[1] += usize::from(clear && a != b);
        counts[2] += usize::from(a != b);
    }
    counts
}

/// Fails unless the pixels decoded in windows are close to those of a single pass over the same
/// tokens.
fn no_seam(codec: &Codec, tokens: &Tokens, grids: Vec<Grid>, whole: &Picture) {
    let same = Tokens {
        grids,
        ..tokens.clone()
    };
    let seam = psnr(&decode(codec, &same), whole).unwrap();
    let (low, high) = (
        whole.rgb().iter().min().unwrap(),
        whole.rgb().iter().max().unwrap(),
    );
    assert!(high - low > 100, "no contrast: {low} to {high}");
    assert!(seam > 40.0, "{seam} dB between windows and the whole");
}

#[test]
fn a_large_picture_is_done_in_windows_that_agree() {
    let codec = one_grid();
    let picture = painted(600, 520);
    let (tokens, calls) = calls(&codec, &picture);
    let expected = [Phase::Encode, Phase::Decode]
        .into_iter()
        .flat_map(|stage| (0..=4).map(move |done| (stage, done, 4)));
    assert_eq!(calls, expected.collect::<Vec<_>>());
    assert!(tokens.usage().used >= 16, "{:?}", tokens.usage());

    // Far from window edges, only rounding differs.
    let (grids, whole) = undivided(&codec, &picture);
    let starts = [[0, 2], [0, 22]];
    let [clear, clear_off, off] = off([&tokens.grids[0], &grids[0]], starts, (128, 1));
    assert!(clear > 14_000, "{clear}");
    assert!(
        clear_off * 1000 <= clear,
        "{clear_off} of {clear} clear tokens differ"
    );
    assert!(off * 20 <= 130 * 150, "{off} tokens differ");
    no_seam(&codec, &tokens, grids, &whole);
}

#[test]
fn windows_of_two_grids_agree() {
    let codec = two_grids();
    let picture = painted(600, 520);
    let (tokens, calls) = calls(&codec, &picture);
    // Each grid is processed in a separate round.
    let encode = (0..=8).map(|done| (Phase::Encode, done, 8));
    let decode = (0..=4).map(|done| (Phase::Decode, done, 4));
    assert_eq!(calls, encode.chain(decode).collect::<Vec<_>>());

    let (grids, whole) = undivided(&codec, &picture);
    for (i, (found, whole)) in tokens.grids.iter().zip(&grids).enumerate() {
        let scale = i + 1;
        let starts = [[0, scale], [0, 11 * scale]];
        let [clear, clear_off, off] = off([found, whole], starts, (64 * scale, scale));
        let used = Usage::of(found.indices.iter().copied()).used;
        assert!(used >= 16, "grid {i}: {used} codes");
        assert!(clear > 2_500 * scale * scale, "grid {i}: {clear}");
        assert!(
            clear_off * 1000 <= clear,
            "grid {i}: {clear_off} of {clear} clear tokens differ"
        );
        let all = found.indices.len();
        assert!(off * 20 <= all, "grid {i}: {off} of {all} tokens differ");
    }
    no_seam(&codec, &tokens, grids, &whole);
}

#[test]
fn cancelling_at_any_stage_ends_the_work_and_nothing_else() {
    for (codec, told) in [(one_grid(), 6), (two_grids(), 8)] {
        cancel(&codec, told);
    }
}

fn cancel(codec: &Codec, told: usize) {
    let picture = painted(532, 24);
    let (tokens, calls) = calls(codec, &picture);
    assert_eq!(calls.len(), told);
    let rebuilt = decode(codec, &tokens);
    for stop in calls {
        let mut told = 0;
        let mut watch = async |stage, done, total| {
            told += 1;
            (stage, done, total) != stop
        };
        let result = match stop.0 {
            Phase::Encode => block_on(codec.encode_with(&picture, &mut watch)).map(drop),
            Phase::Decode => block_on(codec.decode_with(&tokens, &mut watch)).map(drop),
        };
        assert_eq!(result, Err(Error::Cancelled), "{stop:?}");
        assert_eq!(told, stop.1 + 1, "nothing is told after {stop:?}");
        assert_eq!(encode(codec, &picture), tokens, "after {stop:?}");
        assert_eq!(decode(codec, &tokens), rebuilt, "after {stop:?}");
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
fn between_two_decoders_lie_both_and_every_mixture() {
    let scaled = |name: &str, factor: f32| {
        let mut file = WeightFile::tiny();
        file.map(name, |v| factor * v);
        codec(file.bytes())
    };
    let last = "decoder.conv_out.weight";
    let (from, to) = (codec(TINY), scaled(last, 0.5));
    let tokens = encode(&from, &part(&sample("coffee.png"), 60, 40, 45, 30));
    let between = |other: &Codec, share| block_on(from.decode_between(other, share, &tokens));
    for (share, factor) in [(0.0, 1.0), (0.5, 0.75), (0.75, 0.625), (1.0, 0.5)] {
        let wanted = decode(&scaled(last, factor), &tokens);
        assert_eq!(between(&to, share).unwrap(), wanted, "at {share}");
    }
    assert_ne!(decode(&from, &tokens), decode(&to, &tokens));

    let refused = |other: &Codec, share, code: &str, named: &str| {
        let error = between(other, share).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(named), "{error}");
    };
    let codebook = scaled("quantize.embedding.weight", -1.0);
    refused(&codebook, 0.5, "weights_mismatch", "codebooks");
    refused(&two_grids(), 0.5, "weights_mismatch", "codebooks");
    // The encoder is not needed for tokens.
    let encoder = scaled("encoder.conv_in.weight", 0.5);
    assert_eq!(between(&encoder, 0.5).unwrap(), decode(&from, &tokens));
    refused(&to, f32::NAN, "argument", "NaN");
    // Tokens of another model, before anything is computed.
    let other = block_on(codebook.decode_between(&codebook, 0.5, &tokens));
    assert_eq!(code(other), "tokens_other_codebook");

    let mut told = 0;
    let mut watch = async |_, _, _| {
        told += 1;
        false
    };
    let stopped = block_on(from.decode_between_with(&to, 0.5, &tokens, &mut watch));
    assert_eq!((code(stopped), told), ("cancelled", 1));
}

#[test]
fn the_token_file_carries_the_identical_picture() {
    let codec = codec(TINY);
    let tokens = encode(&codec, &part(&sample("astronaut.png"), 90, 20, 67, 50));
    let read = Tokens::from_bytes(&tokens.to_bytes().unwrap()).unwrap();
    assert_eq!(read, tokens);
    assert_eq!(decode(&codec, &read), decode(&codec, &tokens));
}

#[test]
fn the_nearest_codes_begin_with_the_tokens() {
    let codec = codec(TINY);
    let picture = sample("coffee.png").fit(64, true);
    let tokens = block_on(codec.encode(&picture)).unwrap();
    let codes = codec.config().codes();
    let nearest = block_on(codec.nearest(&picture, codes)).unwrap();
    assert_eq!(
        (nearest.rows * nearest.columns, nearest.count),
        (tokens.grids[0].indices.len(), codes)
    );
    let lists = nearest
        .codes
        .chunks(codes)
        .zip(nearest.distances.chunks(codes));
    for ((listed, distances), token) in lists.zip(&tokens.grids[0].indices) {
        let mut all = listed.to_vec();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..codes as u32));
        assert!(distances.is_sorted());
        // A tie may go either way.
        let at = listed.iter().position(|code| code == token).unwrap();
        assert!(distances[at] - distances[0] < 1e-4 * distances[0]);
    }
    for count in [0, codes + 1] {
        let error = block_on(codec.nearest(&picture, count)).unwrap_err();
        assert_eq!(error.code(), "argument");
    }
    let large = Picture::from_rgb(600, 600, vec![0; 600 * 600 * 3]).unwrap();
    let error = block_on(codec.nearest(&large, 1)).unwrap_err();
    assert!(error.to_string().contains("more than 4096"), "{error}");
}
