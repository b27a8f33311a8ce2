//! Encodes an image to tokens and decodes it again; prints the token size, PSNR and SSIM.
//!
//!     cargo run --release --example round_trip -- www/samples/chelsea.png rebuilt.png

use burn::tensor::Device;
use pollster::block_on;
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::{Codec, Picture};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(input), Some(output)) = (words.next(), words.next()) else {
        return Err("usage: round_trip PICTURE OUTPUT.png".into());
    };
    let weights = std::fs::read("www/models/photos-f8.safetensors")?;
    let codec = Codec::from_weights(weights, &Device::flex())?;
    // At most 512 pixels per side, uncropped.
    let picture = Picture::decode_fit(&std::fs::read(input)?, 512, false)?;

    let tokens = block_on(codec.encode(&picture))?;
    let rebuilt = block_on(codec.decode(&tokens))?;
    std::fs::write(output, rebuilt.png()?)?;
    println!(
        "{} bytes of tokens, {:.2} dB, SSIM {:.4}",
        tokens.to_bytes()?.len(),
        psnr(&picture, &rebuilt)?,
        ssim(&picture, &rebuilt)?
    );
    Ok(())
}
