//! Draws a new digit from a prior, one step after the other; prints how many tokens are known.
//!
//!     cargo run --release --example sample_digit -- 7 seven.png

use burn::tensor::Device;
use pollster::block_on;
use tesserae::generate::{SampleOptions, Sampler};
use tesserae::{Codec, weights};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(class), Some(output)) = (words.next(), words.next()) else {
        return Err("usage: sample_digit DIGIT OUTPUT.png".into());
    };
    let device = Device::flex();
    let file = |name: &str| std::fs::read(format!("www/models/{name}.safetensors"));
    let codec = Codec::from_weights(file("digits")?, &device)?;
    let prior = weights::load(file("digits-maskgit")?, &device)?.prior()?;
    // Another model's tokens would decode to nothing.
    prior.fits(&codec.loaded())?;

    let options = SampleOptions {
        class: Some(class.parse()?),
        steps: 8,
        guidance: 1.5,
        ..SampleOptions::default()
    };
    let mut sampler = Sampler::new(prior.network, &prior.config, options, None, &device)?;
    while sampler.done() < sampler.steps() {
        block_on(sampler.step())?;
        let known = sampler.pictures()[0].tokens().iter().flatten().count();
        println!("{known} tokens after step {}", sampler.done());
    }
    for grid in sampler.grids()? {
        let picture = block_on(codec.decode(&codec.tokens(grid)?))?;
        std::fs::write(&output, picture.png()?)?;
    }
    Ok(())
}
