//! Encodes pixels: PNG for the page, and the format of the file extension on the command line.

use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::Picture;
use crate::error::{Error, Result};

/// Quality of the JPEG files written, out of 100.
const JPEG_QUALITY: u8 = 95;

impl Picture {
    /// Encodes the picture as 8-bit RGB PNG.
    ///
    /// # Errors
    /// [`Error::Internal`] if the encoder fails, which no known picture causes.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.write(PngEncoder::new(&mut bytes))
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(bytes)
    }

    /// Encodes the picture in the format of a file `extension`, case-insensitive and without the
    /// dot: `png`, `jpg` or `jpeg` (quality 95), `webp` (lossless).
    ///
    /// # Errors
    /// [`Error::Argument`] for any other extension, and for a width or height above the format's
    /// maximum (65,535 for JPEG, 16,384 for WebP).
    pub fn encode_as(&self, extension: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match extension.to_ascii_lowercase().as_str() {
            "png" => return self.png(),
            "jpg" | "jpeg" => self.write(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)),
            "webp" => self.write(WebPEncoder::new_lossless(&mut bytes)),
            _ => {
                return Err(Error::Argument(format!(
                    "Pictures are written as .png, .jpg or .webp, not as `.{extension}`"
                )));
            }
        }
        .map_err(|error| {
            Error::Argument(format!(
                "A picture of {}×{} pixels cannot be written as {extension}: {}",
                self.width,
                self.height,
                error.to_string().trim_end_matches('.')
            ))
        })?;
        Ok(bytes)
    }

    fn write(&self, encoder: impl ImageEncoder) -> image::ImageResult<()> {
        encoder.write_image(&self.rgb, self.width, self.height, ExtendedColorType::Rgb8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::tests::{painted, waves};

    #[test]
    fn the_extension_chooses_the_format() {
        let picture = waves(5, 4);
        let magics: [(&str, &[u8]); 5] = [
            ("png", b"\x89PNG\r\n\x1a\n"),
            ("PNG", b"\x89PNG\r\n\x1a\n"),
            ("jpg", b"\xFF\xD8\xFF"),
            ("JPeG", b"\xFF\xD8\xFF"),
            ("webp", b"RIFF"),
        ];
        for (extension, magic) in magics {
            let bytes = picture.encode_as(extension).unwrap();
            assert!(bytes.starts_with(magic), "{extension}");
        }
        for extension in ["gif", "", ".png"] {
            let error = picture.encode_as(extension).unwrap_err();
            assert_eq!(error.code(), "argument", "{error}");
        }
    }

    #[test]
    fn a_side_beyond_the_format_is_refused() {
        let long = painted(70_000, 1, |_, _, _| 0);
        for extension in ["jpg", "webp"] {
            let error = long.encode_as(extension).unwrap_err();
            assert_eq!(error.code(), "argument", "{error}");
        }
        assert_eq!(Picture::decode(&long.png().unwrap()).unwrap(), long);
    }
}
