//! Parts of pictures drawn again by a prior, and two pictures put together.

use std::fs;

use tempfile::TempDir;
use tesserae::{Picture, Tokens};

use super::priors::trained;
use super::support::program::{failed_last, json, listed, printed, run};
use super::{TINY, codec, decode, picture};

const PRIOR: &str = "--model p.safetensors --tokenizer named.safetensors";
const MODEL: &str = "--model named.safetensors";

/// A prior, a picture of 6×5 tokens whose last ones reach beyond its edges, its token file, and masks.
fn prepared() -> TempDir {
    let folder = trained(2);
    let save = |name: &str, width: u32, height: u32, value: &dyn Fn(u32, u32) -> u8| {
        let rows = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = rows.flat_map(|(x, y)| [value(x, y); 3]).collect();
        let picture = Picture::from_rgb(width, height, rgb).unwrap();
        fs::write(folder.path().join(name), picture.png().unwrap()).unwrap();
    };
    save("in.png", 18, 23, &|x, y| (x * 11 + y * 5) as u8);
    save("other.png", 40, 23, &|x, y| 255 - (x * 3 + y * 5) as u8);
    // The right two columns of tokens, of five; at twice the size.
    save("mask.png", 36, 46, &|x, _| if x >= 24 { 255 } else { 0 });
    save("black.png", 9, 9, &|_, _| 0);
    printed(&run(&folder, &format!("encode in.png in.tokens {MODEL}")));
    folder
}

fn tokens(folder: &TempDir, name: &str) -> Tokens {
    Tokens::from_bytes(&fs::read(folder.path().join(name)).unwrap()).unwrap()
}

/// Which tokens differ, row-major.
fn changed(a: &Tokens, b: &Tokens) -> Vec<usize> {
    let (a, b) = (&a.grids[0], &b.grids[0]);
    assert_eq!((a.rows, a.columns), (b.rows, b.columns));
    let pairs = a.indices.iter().zip(&b.indices).enumerate();
    pairs.filter(|(_, (a, b))| a != b).map(|(i, _)| i).collect()
}

#[test]
fn a_part_is_filled_and_the_rest_keeps_its_tokens() {
    let folder = prepared();
    fs::create_dir(folder.path().join("out")).unwrap();
    let line = format!("fill in.png --mask mask.png {PRIOR} --count 3 --seed 4 --out out --tokens");
    let told = json(&run(&folder, &format!("{line} --json")));
    // Six rows of two.
    assert_eq!((&told["pictures"], &told["steps"]), (&3.into(), &12.into()));
    assert_eq!(listed(folder.path().join("out")).len(), 6);
    let original = tokens(&folder, "in.tokens");
    let mut drawn = Vec::new();
    for seed in 4..7 {
        let filled = tokens(&folder, &format!("out/{seed:04}.tokens"));
        assert_eq!((filled.width, filled.height), (18, 23));
        drawn.extend(changed(&original, &filled));
        let shown = picture(&folder, &format!("out/{seed:04}.png"));
        assert_eq!(shown, decode(&codec(TINY), &filled));
    }
    assert!(!drawn.is_empty());
    assert!(drawn.iter().all(|cell| cell % 5 >= 3), "{drawn:?}");

    // The same from its tokens, alone, of a class.
    let alone = format!("fill in.tokens --mask mask.png {PRIOR} --seed 5 --out alone.png");
    printed(&run(&folder, &alone));
    assert_eq!(
        picture(&folder, "alone.png"),
        picture(&folder, "out/0005.png")
    );
    printed(&run(
        &folder,
        &format!("{alone} --class light --guidance 2 --order confidence"),
    ));
}

#[test]
fn a_picture_is_extended_and_varied() {
    let folder = prepared();
    fs::create_dir(folder.path().join("out")).unwrap();
    let original = tokens(&folder, "in.tokens");
    let line = format!("extend in.png --right 3 --top 1 {PRIOR} --out out --tokens");
    printed(&run(&folder, &line));
    let wide = tokens(&folder, "out/0000.tokens");
    assert_eq!((wide.width, wide.height), (32, 28));
    let rows = wide.grids[0].indices.chunks(8).skip(1);
    let kept: Vec<u32> = rows.flat_map(|row| &row[..5]).copied().collect();
    assert_eq!(kept, original.grids[0].indices);

    let line = format!("vary in.png --share 0.2 --seed 9 {PRIOR} --out out --tokens");
    printed(&run(&folder, &line));
    let varied = tokens(&folder, "out/0009.tokens");
    let cells = changed(&original, &varied);
    assert!((1..=6).contains(&cells.len()), "{cells:?}");
    printed(&run(&folder, &line));
    assert_eq!(tokens(&folder, "out/0009.tokens"), varied);
}

#[test]
fn two_pictures_are_blended_by_latents_or_by_a_mask() {
    let folder = prepared();
    let original = tokens(&folder, "in.tokens");
    let blend = |more: &str| {
        printed(&run(
            &folder,
            &format!("blend in.png other.png {MODEL} {more} --out b.tokens"),
        ));
        tokens(&folder, "b.tokens")
    };
    assert_eq!(blend("--share 0"), original);
    let other = blend("--share 1");
    let half = blend("");
    for end in [&original, &other] {
        assert!(!changed(end, &half).is_empty());
    }
    let crossed = blend("--mask mask.png");
    for (cell, token) in crossed.grids[0].indices.iter().enumerate() {
        let from = if cell % 5 >= 3 { &other } else { &original };
        assert_eq!(*token, from.grids[0].indices[cell], "{cell}");
    }
    printed(&run(
        &folder,
        &format!("blend in.png other.png {MODEL} --out b.png"),
    ));
    assert_eq!(picture(&folder, "b.png"), decode(&codec(TINY), &half));
}

#[test]
fn what_cannot_be_edited_is_refused_in_a_sentence() {
    let folder = prepared();
    let raster = r#"{"kind": "llamagen", "codes": 32, "rows": 4, "columns": 4, "classes": 2,
        "width": 16, "layers": 1, "heads": 2, "hidden": 24}"#;
    fs::write(folder.path().join("raster.json"), raster).unwrap();
    printed(&run(&folder, "init raster.json raster.safetensors"));
    printed(&run(
        &folder,
        "encode SAMPLES/coffee.png digits.tokens --size 64 --model digits --models ROOT/www/models",
    ));
    for (line, code, words) in [
        (
            format!("fill in.png --mask black.png {PRIOR}"),
            "argument",
            "nothing to fill",
        ),
        (
            format!("extend in.png {PRIOR}"),
            "argument",
            "nothing to fill",
        ),
        (
            format!("extend in.png --left 99999999 {PRIOR}"),
            "argument",
            "extend it by less",
        ),
        (
            format!("extend in.png --left 3000 --bottom 3000 {PRIOR}"),
            "image_too_large",
            "the largest of its shape",
        ),
        (
            format!("vary in.png --share 0 {PRIOR}"),
            "argument",
            "above 0",
        ),
        (
            "vary in.png --model raster.safetensors --tokenizer named.safetensors".into(),
            "argument",
            "row by row",
        ),
        (
            format!("vary digits.tokens {PRIOR}"),
            "tokens_other_codebook",
            "codebook",
        ),
        (
            format!("fill in.png --mask in.tokens {PRIOR}"),
            "image_unsupported",
            "not a PNG",
        ),
        (
            format!("blend in.png other.png --share 2 {MODEL}"),
            "argument",
            "not 0 to 1",
        ),
    ] {
        failed_last(&run(&folder, &format!("{line} --out a.png")), code, words);
        assert!(!folder.path().join("a.png").exists(), "{line}");
    }
}
