//! JPEG: baseline and progressive, 8 bits, Huffman-coded.
//!
//! A decoder silently fills in missing scan data. To detect truncation, ones are appended to each
//! scan's data ([`Layout::filled`]): no Huffman code is all ones (T.81, annex C), so a decoder that
//! needs more data than there is hits an error, and one that does not never reads them.

mod layout;

use jpeg_decoder::{ColorTransform, Decoder, PixelFormat};

use super::stored::{Stored, cut_short, damaged};
use crate::error::Result;
use layout::{Colour, Layout};

/// The first bytes of every JPEG.
pub(super) const SIGNATURE: &[u8] = b"\xFF\xD8\xFF";

/// Eight bits of entropy-coded data; 0xFF is followed by a stuffed zero.
const ONES: &[u8] = &[0xFF, 0x00];
const ZEROS: &[u8] = &[0x00];

pub(super) fn read(bytes: &[u8], admit: impl Fn(u32, u32) -> Result<()>) -> Result<Stored> {
    let layout = Layout::of(bytes, admit)?;
    let (width, height) = (u32::from(layout.width), u32::from(layout.height));
    layout.check(bytes)?;

    let decode = |filler| {
        decode(&layout, &layout.filled(bytes, filler)).ok_or_else(|| match layout.ended {
            true => damaged(),
            false => cut_short(),
        })
    };
    let rgb = decode(ONES)?;
    // The bits that follow a code are not codes themselves, so a scan truncated in the last of them
    // could consume the ones as its own. If there is an end marker, that is not worth decoding
    // twice.
    if !layout.ended && decode(ZEROS)? != rgb {
        return Err(cut_short());
    }
    Ok(Stored {
        width,
        height,
        rgb,
        orientation: layout.orientation,
    })
}

/// Decodes a whole file to RGB samples.
fn decode(layout: &Layout, file: &[u8]) -> Option<Vec<u8>> {
    let pixels = usize::from(layout.width) * usize::from(layout.height);
    let mut decoder = Decoder::new(file);
    decoder.set_max_decoding_buffer_size(pixels * 4);
    decoder.set_color_transform(match layout.colour {
        Colour::Grey => ColorTransform::Grayscale,
        Colour::YCbCr => ColorTransform::YCbCr,
        Colour::Rgb => ColorTransform::RGB,
        Colour::Cmyk => ColorTransform::CMYK,
        Colour::Ycck => ColorTransform::YCCK,
    });
    let samples = decoder.decode().ok()?;
    let rgb = match decoder.info()?.pixel_format {
        PixelFormat::RGB24 => samples,
        PixelFormat::L8 => grey_to_rgb(&samples),
        PixelFormat::CMYK32 => inks_to_rgb(&samples),
        PixelFormat::L16 => return None,
    };
    (rgb.len() == pixels * 3).then_some(rgb)
}

fn grey_to_rgb(grey: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(grey.len() * 3);
    rgb.extend(grey.iter().flat_map(|&sample| [sample; 3]));
    rgb
}

/// Converts cyan, magenta, yellow and black, each as the amount of ink.
fn inks_to_rgb(inks: &[u8]) -> Vec<u8> {
    let (pixels, _) = inks.as_chunks::<4>();
    let mut rgb = Vec::with_capacity(pixels.len() * 3);
    for &[c, m, y, k] in pixels {
        // The light left by one ink and by black.
        let left = |ink: u8| {
            let light = u32::from(255 - ink) * u32::from(255 - k);
            ((light + 127) / 255) as u8
        };
        rgb.extend([left(c), left(m), left(y)]);
    }
    rgb
}

#[cfg(test)]
mod tests;
