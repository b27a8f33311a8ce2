//! Fine-tunes the decoder of a shipped model on the images in a folder and saves the weights.
//!
//!     cargo run --release --example tune_on_folder -- www/samples tuned.safetensors

use burn::tensor::Device;
use pollster::block_on;
use tesserae::Picture;
use tesserae::train::{Event, Role, Session, TuneConfig};
use tesserae::weights::{self, Storage};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(folder), Some(output)) = (words.next(), words.next()) else {
        return Err("usage: tune_on_folder FOLDER OUTPUT.safetensors".into());
    };
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        // Skips files that are not images.
        if let Ok(picture) = Picture::decode_fit(&std::fs::read(entry?.path())?, 128, true) {
            pictures.push(picture);
        }
    }

    let device = Device::flex();
    let bytes = std::fs::read("www/models/photos-f8.safetensors")?;
    let model = weights::load(bytes, &device)?.autoencoder()?;
    let config = TuneConfig {
        steps: 5,
        ..TuneConfig::default()
    };
    let mut session = Session::tune(&config, model, pictures, None, &device)?;
    while let Some(event) = block_on(session.next())? {
        if let Event::Step(report) = event {
            println!("step {}: {:?}", report.step, report.losses);
        }
    }
    for artifact in block_on(session.artifacts(Some("tuned"), Storage::F16))? {
        if artifact.role == Role::Weights {
            std::fs::write(&output, artifact.bytes)?;
        }
    }
    Ok(())
}
