//! Unusual or slightly invalid picture files: each is decoded like its reference, or rejected with
//! the correct error, and never decoded to a different picture.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use tesserae::{Error, Picture};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pictures")
        .join(name)
}

fn decode(path: &Path) -> Result<Picture, Error> {
    Picture::decode(&fs::read(path).unwrap())
}

/// The reference decoder's result for a file.
fn expected(path: &Path) -> Picture {
    decode(path).unwrap()
}

/// Two JPEG decoders round differently: nearly all samples are within 1, and none is far off.
fn assert_near(found: &Picture, expected: &Picture, name: &str) {
    let sides = |picture: &Picture| (picture.width(), picture.height());
    assert_eq!(sides(found), sides(expected), "{name}");
    let pairs = found.rgb().iter().zip(expected.rgb());
    let distances: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).collect();
    let far = distances.iter().filter(|&&distance| distance > 1).count();
    let most = distances.iter().max().unwrap();
    let share = far as f64 / distances.len() as f64;
    assert!(
        share < 0.08 && *most <= 3,
        "{name}: {share:.3} beyond 1, {most}"
    );
}

#[test]
fn unusual_files_are_read_as_their_reference_reads_them() {
    let cases = folder("cases");
    for name in [
        "jpeg-420-noninterleaved-64x64.jpg",
        "jpeg-missing-eoi.jpg",
        "png-exif-6-after-idat.png",
        "png-exif-6-with-prefix.png",
        "png-idat-crc-zero.png",
        "png-no-iend.png",
    ] {
        let found = decode(&cases.join(name)).unwrap();
        let expected = expected(&cases.join(format!("{name}.expected.png")));
        match name.ends_with("png") {
            true => assert_eq!(found, expected, "{name}"),
            false => assert_near(&found, &expected, name),
        }
    }
    let turned = decode(&cases.join("png-raw-profile-exif-6.png")).unwrap();
    let same = decode(&cases.join("png-exif-6-with-prefix.png")).unwrap();
    assert_eq!(turned, same);
    let three = decode(&cases.join("jpeg-3x1-120x88.jpg")).unwrap();
    assert_eq!((three.width(), three.height()), (120, 88));
}

#[test]
fn jpegs_of_every_layout_are_read_right_or_refused() {
    let mut files: Vec<PathBuf> = fs::read_dir(folder("layouts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    files.sort();
    assert_eq!(files.len(), 33);
    let mut refused = Vec::new();
    for path in &files {
        let name = path.file_stem().unwrap().to_str().unwrap();
        match decode(path) {
            Ok(found) => assert_near(&found, &expected(&path.with_extension("png")), name),
            Err(error) => {
                assert_eq!(error, Error::ImageKind("a JPEG with unusual subsampling"));
                refused.push(name);
            }
        }
    }
    assert_eq!(refused, ["4x1+2x1+1x1-apart"]);
}

#[test]
fn what_is_not_supported_is_called_by_its_name() {
    for (name, kind) in [
        ("jpeg-12bit.jpg", "a 12-bit JPEG"),
        ("jpeg-arithmetic.jpg", "a JPEG with arithmetic coding"),
        ("jpeg-lossless.jpg", "a lossless JPEG"),
        ("png-cgbi.png", "Apple's own variant of PNG"),
    ] {
        let error = decode(&folder("cases").join(name)).unwrap_err();
        assert_eq!(error, Error::ImageKind(kind), "{name}");
        assert_eq!(error.code(), "image_unsupported");
    }
}

#[test]
fn files_that_panicked_a_decoder_are_damaged_pictures() {
    let mut palette = fs::read(folder("palette.png")).unwrap();
    // The palette's first chunk shortened by one byte, without its checksum.
    let start = palette.windows(4).position(|name| name == b"PLTE").unwrap();
    let length = u32::from_be_bytes(*palette[start - 4..].first_chunk().unwrap());
    palette[start - 4..start].copy_from_slice(&(length - 1).to_be_bytes());
    let end = start + 4 + length as usize;
    palette.splice(end - 1..end + 4, [0; 4]);
    let files = [fs::read(folder("cases/panic.webp")).unwrap(), palette];
    for file in files {
        let error = Picture::decode(&file).unwrap_err();
        assert_eq!(error.code(), "image_corrupt", "{error}");
    }
}
