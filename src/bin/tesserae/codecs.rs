//! JPEG and WebP at the bit rate of a model's tokens.

use std::ops::RangeInclusive;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tesserae::{Error, Picture, Result};

use crate::judge::Judge;
use crate::report::{CodecRow, Quality};

/// A picture as compressed by another codec.
pub struct Coded {
    pub row: CodecRow,
    pub picture: Picture,
}

/// Baseline JPEG, with full chroma and the standard's Huffman tables. `None` for a picture wider or
/// taller than the format's maximum of 65,535 pixels.
pub fn jpeg(picture: &Picture, bpp: f64, judge: Option<&Judge>) -> Result<Option<Coded>> {
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) > 65_535 {
        return Ok(None);
    }
    let encode = |quality: u8| {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality)
            .write_image(picture.rgb(), width, height, ExtendedColorType::Rgb8)
            .map_err(|e| Error::Internal(format!("JPEG: {e}")))?;
        Ok(bytes)
    };
    let (quality, bytes) = highest(1..=100, encode, |bytes| bits(picture, bytes) <= bpp)?;
    row(picture, bpp, f64::from(quality), &bytes, judge).map(Some)
}

/// Lossy WebP by libwebp with default settings. `None` for a picture wider or taller than the
/// format's maximum of 16,383 pixels.
pub fn webp(picture: &Picture, bpp: f64, judge: Option<&Judge>) -> Result<Option<Coded>> {
    let (width, height) = (picture.width(), picture.height());
    if width.max(height) > 16_383 {
        return Ok(None);
    }
    // Its 128 quantizers follow the cube root of the quality; the first whole-number step would
    // skip 24 of them.
    let quality = |step: u8| 100.0 * (f32::from(step) / 255.0).powi(3);
    let encoder = webp::Encoder::from_rgb(picture.rgb(), width, height);
    let encode = |step: u8| {
        let bytes = encoder.encode_simple(false, quality(step));
        let bytes = bytes.map_err(|e| Error::Internal(format!("WebP: {e:?}")))?;
        Ok(bytes.to_vec())
    };
    let (step, bytes) = highest(0..=255, encode, |bytes| bits(picture, bytes) <= bpp)?;
    row(picture, bpp, f64::from(quality(step)), &bytes, judge).map(Some)
}

/// Bits per pixel of the entire file.
fn bits(picture: &Picture, bytes: &[u8]) -> f64 {
    bytes.len() as f64 * 8.0 / (f64::from(picture.width()) * f64::from(picture.height()))
}

fn row(
    picture: &Picture,
    bpp: f64,
    quality: f64,
    bytes: &[u8],
    judge: Option<&Judge>,
) -> Result<Coded> {
    let own = bits(picture, bytes);
    let decoded = Picture::decode(bytes)?;
    Ok(Coded {
        row: CodecRow {
            quality,
            fits: own <= bpp,
            bpp: own,
            measured: Quality::of(picture, &decoded, judge)?,
        },
        picture: decoded,
    })
}

/// The highest quality whose file fits, by bisection, as file size grows with quality; the lowest
/// quality if none fits.
fn highest(
    qualities: RangeInclusive<u8>,
    encode: impl Fn(u8) -> Result<Vec<u8>>,
    fits: impl Fn(&[u8]) -> bool,
) -> Result<(u8, Vec<u8>)> {
    let (mut low, mut high) = qualities.into_inner();
    let mut best = encode(low)?;
    if !fits(&best) {
        return Ok((low, best));
    }
    while low < high {
        // Rounded up, so that `low` always advances.
        let middle = high - (high - low) / 2;
        let bytes = encode(middle)?;
        if fits(&bytes) {
            (low, best) = (middle, bytes);
        } else {
            high = middle - 1;
        }
    }
    Ok((low, best))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_quality_that_fits_is_found() {
        let sized = |quality: u8| Ok(vec![0; 10 * usize::from(quality)]);
        for (qualities, most, quality) in [
            (1..=100, 9, 1),
            (0..=255, 9, 0),
            (1..=100, 10, 1),
            (1..=100, 19, 1),
            (1..=100, 20, 2),
            (0..=255, 567, 56),
            (1..=100, 999, 99),
            (1..=100, 1000, 100),
            (1..=100, 5000, 100),
            (0..=255, 5000, 255),
        ] {
            let (found, bytes) = highest(qualities, sized, |bytes| bytes.len() <= most).unwrap();
            assert_eq!(
                (found, bytes.len()),
                (quality, 10 * usize::from(quality)),
                "{most}"
            );
        }
    }

    #[test]
    fn what_a_format_cannot_hold_has_no_row() {
        let long = |width| Picture::from_rgb(width, 1, vec![90; 3 * width as usize]).unwrap();
        assert!(webp(&long(16_383), 8.0, None).unwrap().is_some());
        assert!(webp(&long(16_384), 8.0, None).unwrap().is_none());
        assert!(jpeg(&long(65_535), 8.0, None).unwrap().is_some());
        assert!(jpeg(&long(65_536), 8.0, None).unwrap().is_none());
    }
}
