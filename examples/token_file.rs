//! Writes tokens to a file, then decodes the image from the file alone; prints the grids and
//! codebook usage.
//!
//!     cargo run --release --example token_file -- www/samples/coffee.png coffee.tokens coffee.png

use burn::tensor::Device;
use pollster::block_on;
use tesserae::{Codec, Picture, Tokens};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(input), Some(file), Some(output)) = (words.next(), words.next(), words.next()) else {
        return Err("usage: token_file PICTURE FILE.tokens OUTPUT.png".into());
    };
    let weights = std::fs::read("www/models/photos-f8.safetensors")?;
    let codec = Codec::from_weights(weights, &Device::flex())?;
    let picture = Picture::decode_fit(&std::fs::read(input)?, 256, false)?;
    std::fs::write(&file, block_on(codec.encode(&picture))?.to_bytes()?)?;

    let tokens = Tokens::from_bytes(&std::fs::read(&file)?)?;
    // Tokens of another codebook are rejected; those of another decoder only change the image.
    codec.check(&tokens)?;
    if let Some(warning) = codec.warning(&tokens) {
        eprintln!("{warning}");
    }
    for grid in &tokens.grids {
        println!("{} rows of {} tokens", grid.rows, grid.columns);
    }
    let usage = tokens.usage();
    println!(
        "{} codes in use, perplexity {:.1}",
        usage.used, usage.perplexity
    );
    std::fs::write(output, block_on(codec.decode(&tokens))?.png()?)?;
    Ok(())
}
