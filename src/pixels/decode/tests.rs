//! Supported and unsupported pictures of every kind.

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};
use proptest::prelude::*;

use super::exif::tests::exif;
use super::stored::cut_short;
use super::*;
use crate::pixels::MAX_PIXELS;
use crate::pixels::tests::{painted, waves};

/// A 6×4 picture whose top left quarter is red, encoded as `extension` with this EXIF block.
fn oriented(extension: &str, exif: Vec<u8>) -> Vec<u8> {
    let picture = painted(
        6,
        4,
        |x, y, c| if x < 3 && y < 2 && c == 0 { 200 } else { 0 },
    );
    let mut bytes = Vec::new();
    fn write(mut encoder: impl ImageEncoder, picture: &Picture, exif: Vec<u8>) {
        encoder.set_exif_metadata(exif).unwrap();
        encoder
            .write_image(picture.rgb(), 6, 4, ExtendedColorType::Rgb8)
            .unwrap();
    }
    match extension {
        "png" => write(PngEncoder::new(&mut bytes), &picture, exif),
        "webp" => write(WebPEncoder::new_lossless(&mut bytes), &picture, exif),
        _ => write(
            JpegEncoder::new_with_quality(&mut bytes, 100),
            &picture,
            exif,
        ),
    }
    bytes
}

/// A PNG with this colour type; `samples` as the format stores them.
fn png(width: u32, height: u32, color: ExtendedColorType, samples: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(samples, width, height, color)
        .unwrap();
    bytes
}

/// A PNG that consists only of a header with these dimensions and a valid checksum.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = png(1, 1, ExtendedColorType::Rgb8, &[0; 3]);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32fast::hash(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

#[test]
fn lossless_formats_are_read_exactly() {
    let picture = waves(37, 23);
    for extension in ["png", "webp"] {
        let bytes = picture.encode_as(extension).unwrap();
        assert_eq!(Picture::decode(&bytes).unwrap(), picture, "{extension}");
    }
}

#[test]
fn jpeg_is_read_closely() {
    let picture = waves(37, 23);
    let read = Picture::decode(&picture.encode_as("jpg").unwrap()).unwrap();
    let psnr = super::super::metrics::psnr(&picture, &read).unwrap();
    assert!(psnr > 28.0, "{psnr}");
}

#[test]
fn exif_orientation_is_applied() {
    // Where the red quarter of 6×4 ends up under each of the eight orientations: left, top.
    let expected = [
        (true, true),
        (false, true),
        (false, false),
        (true, false),
        (true, true),
        (false, true),
        (false, false),
        (true, false),
    ];
    // As a SHORT and as a LONG, in both byte orders.
    let kinds = [(false, 3), (true, 3), (false, 4), (true, 4)];
    for extension in ["png", "jpg", "webp"] {
        for (big_endian, kind) in kinds {
            for (orientation, (left, top)) in (1..).zip(expected) {
                let bytes = oriented(extension, exif(big_endian, kind, orientation));
                let read = Picture::decode(&bytes).unwrap();
                let (width, height) = if orientation < 5 { (6, 4) } else { (4, 6) };
                assert_eq!((read.width(), read.height()), (width, height));
                let x = if left { 0 } else { width - 1 };
                let y = if top { 0 } else { height - 1 };
                for (corner_x, corner_y) in [(0, 0), (width - 1, 0), (0, height - 1)] {
                    let red = read.rgb()[(corner_y * width + corner_x) as usize * 3];
                    let expected = corner_x == x && corner_y == y;
                    assert_eq!(red > 100, expected, "{extension} {orientation}");
                }
            }
        }
    }
}

#[test]
fn transparency_is_laid_over_white() {
    let bytes = png(
        3,
        1,
        ExtendedColorType::Rgba8,
        &[9, 9, 9, 0, 9, 9, 9, 255, 0, 100, 255, 128],
    );
    let read = Picture::decode(&bytes).unwrap();
    assert_eq!(read.rgb(), [255, 255, 255, 9, 9, 9, 127, 177, 255]);
}

#[test]
fn grey_and_sixteen_bits_are_converted() {
    let grey = png(2, 1, ExtendedColorType::L8, &[7, 250]);
    assert_eq!(
        Picture::decode(&grey).unwrap().rgb(),
        [7, 7, 7, 250, 250, 250]
    );
    let deep: Vec<u8> = [0u16, 257 * 99, 65_535]
        .into_iter()
        .flat_map(u16::to_ne_bytes)
        .collect();
    let deep = png(1, 1, ExtendedColorType::Rgb16, &deep);
    assert_eq!(Picture::decode(&deep).unwrap().rgb(), [0, 99, 255]);
}

#[test]
fn jpegs_of_other_kinds_are_read() {
    // What Pillow decodes the four blocks to.
    let blocks = [
        [0, 255, 255],
        [255, 127, 0],
        [127, 127, 127],
        [164, 134, 103],
    ];
    let files: [(&str, &[u8], u8); 2] = [
        (
            "cmyk",
            include_bytes!("../../../tests/pictures/cmyk.jpg"),
            2,
        ),
        (
            "progressive",
            include_bytes!("../../../tests/pictures/progressive.jpg"),
            4,
        ),
    ];
    for (name, bytes, tolerance) in files {
        let read = Picture::decode(bytes).unwrap();
        assert_eq!((read.width(), read.height()), (32, 8));
        for (block, expected) in blocks.into_iter().enumerate() {
            let at = (4 * 32 + block * 8 + 4) * 3;
            for (&found, expected) in read.rgb()[at..at + 3].iter().zip(expected) {
                let distance = found.abs_diff(expected);
                assert!(distance <= tolerance, "{name} {block}: {found} {expected}");
            }
        }
    }
}

#[test]
fn animations_are_their_first_frame() {
    let files: [&[u8]; 2] = [
        include_bytes!("../../../tests/pictures/animated.webp"),
        include_bytes!("../../../tests/pictures/animated.png"),
    ];
    for bytes in files {
        let read = Picture::decode(bytes).unwrap();
        assert_eq!(
            read,
            painted(6, 4, |_, _, c| if c == 0 { 255 } else { 127 })
        );
    }
}

#[test]
fn palettes_are_looked_up() {
    let read = Picture::decode(include_bytes!("../../../tests/pictures/palette.png")).unwrap();
    assert_eq!(read.rgb(), [10, 20, 30, 255, 255, 255]);
}

#[test]
fn nothing_and_other_files_are_refused() {
    assert_eq!(Picture::decode(&[]).unwrap_err(), Error::ImageEmpty);
    let others: [&[u8]; 7] = [
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x01\0\x01\0\x01\0\x18\0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"II*\0\x08\0\0\0",
        b"\x89",
        b"a note, not a picture",
    ];
    for bytes in others {
        assert_eq!(Picture::decode(bytes).unwrap_err(), Error::ImageUnsupported);
    }
}

#[test]
fn sides_are_bounded_before_any_pixel_is_read() {
    for (width, height) in [(65_535, 65_535), (8192, 8193), (1 << 27, 1)] {
        let error = Picture::decode(&png_header(width, height)).unwrap_err();
        let max_pixels = MAX_PIXELS;
        assert_eq!(
            error,
            Error::ImageTooLarge {
                width,
                height,
                max_pixels
            }
        );
    }
    // At the limit, the header is accepted and the data is at fault.
    let error = Picture::decode(&png_header(300, 200)).unwrap_err();
    assert_eq!(error.code(), "image_corrupt", "{error}");
}

#[test]
fn a_header_alone_is_enough_to_be_too_large() {
    let header = png_header(65535, 65535);
    for length in [24, 33, header.len()] {
        let error = Picture::decode(&header[..length.min(header.len())]).unwrap_err();
        assert_eq!(error.code(), "image_too_large", "{length} bytes: {error}");
    }
}

#[test]
fn what_stays_too_large_is_refused_before_its_data_is_read() {
    // Header only: whatever is within the limit is truncated.
    let cases = [
        ((4097, 4096), 0, false, Some((4097, 4096))),
        ((4096, 4096), 0, false, None),
        ((8192, 8192), 5000, false, Some((5000, 5000))),
        ((8192, 8192), 512, false, None),
        ((8192, 4000), 0, false, Some((8192, 4000))),
        ((8192, 4000), 0, true, None),
        ((8192, 8192), 0, true, Some((8192, 8192))),
    ];
    for ((width, height), max_side, square, refused) in cases {
        let file = png_header(width, height);
        let error = Picture::decode_fit(&file[..33], max_side, square).unwrap_err();
        match refused {
            Some((width, height)) => {
                let max_pixels = MAX_ENCODED;
                let expected = Error::ImageTooLarge {
                    width,
                    height,
                    max_pixels,
                };
                assert_eq!(error, expected);
            }
            None => assert_eq!(error, cut_short(), "{width}×{height} {max_side} {square}"),
        }
    }
    let picture = waves(40, 30);
    let file = picture.png().unwrap();
    for (max_side, square) in [(0, false), (0, true), (20, false), (20, true)] {
        let read = Picture::decode_fit(&file, max_side, square).unwrap();
        assert_eq!(read, picture.fit(max_side, square));
    }
}

#[test]
fn the_bound_holds_for_every_format() {
    let mut jpeg = waves(4, 4).encode_as("jpg").unwrap();
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]);
    let sides = frame.unwrap() + 5;
    jpeg[sides..sides + 4].fill(0xFF);
    // After the `VP8L` header and one byte: 14-bit width and height, minus one each.
    let mut webp = waves(4, 4).encode_as("webp").unwrap();
    let sides: u32 = 16_382 << 14 | 16_382;
    webp[21..25].copy_from_slice(&sides.to_le_bytes());
    for (bytes, side) in [(jpeg, 65_535), (webp, 16_383)] {
        let error = Picture::decode(&bytes).unwrap_err();
        let max_pixels = MAX_PIXELS;
        assert_eq!(
            error,
            Error::ImageTooLarge {
                width: side,
                height: side,
                max_pixels
            }
        );
    }
}

#[test]
fn every_cut_is_an_error_or_the_whole_picture() {
    let picture = waves(19, 21);
    for extension in ["png", "jpg", "webp"] {
        let bytes = picture.encode_as(extension).unwrap();
        let whole = Picture::decode(&bytes).unwrap();
        for length in 1..bytes.len() {
            match Picture::decode(&bytes[..length]) {
                Ok(read) => assert_eq!(read, whole, "{extension} cut to {length}"),
                Err(error) => {
                    let message = error.to_string();
                    assert!(!message.contains(".."), "{message}");
                    assert!(
                        ["image_corrupt", "image_unsupported"].contains(&error.code()),
                        "{extension} cut to {length}: {message}"
                    );
                }
            }
        }
        let half = Picture::decode(&bytes[..bytes.len() / 2]).unwrap_err();
        assert_eq!(half.code(), "image_corrupt", "{extension}: {half}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    #[test]
    fn damage_never_panics(
        kind in 0usize..3,
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let picture = waves(19, 13);
        let mut bytes = picture.encode_as(["png", "jpg", "webp"][kind]).unwrap();
        for (place, value) in places {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(read) = Picture::decode(&bytes) {
            let samples = u64::from(read.width()) * u64::from(read.height()) * 3;
            prop_assert_eq!(samples, read.rgb().len() as u64);
        }
    }
}
