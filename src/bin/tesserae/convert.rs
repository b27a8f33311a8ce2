use std::path::PathBuf;

use burn::tensor::Device;
use clap::ValueEnum;
use serde_json::json;
use tesserae::pixels::metrics::psnr;
use tesserae::weights::{self, About, Storage};
use tesserae::{Codec, Picture, Result};

use crate::model::FitArgs;
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;
use crate::weights::ConfigArgs;

/// Default picture for measuring the loss of quality.
const SAMPLE: &[u8] = include_bytes!("../../../www/samples/coffee.png");

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file of any supported family: safetensors, the index of a sharded model, or a PyTorch
    /// checkpoint (.ckpt, .pt, .bin), which is parsed but never executed; or a folder that contains
    /// one.
    input: PathBuf,
    /// Weight file to write, in this project's format.
    output: PathBuf,
    /// Storage type of the weights; they are computed in f32 either way.
    #[arg(long, value_enum, default_value_t = Dtype::F16)]
    dtype: Dtype,
    #[command(flatten)]
    config: ConfigArgs,
    /// Model name to store in the weight file; defaults to the input's name.
    #[arg(long)]
    name: Option<String>,
    /// Picture for measuring the loss of quality by int8, instead of a small built-in photo.
    #[arg(long)]
    sample: Option<PathBuf>,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Dtype {
    F16,
    F32,
    Int8,
}

impl From<Dtype> for Storage {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F16 => Self::F16,
            Dtype::F32 => Self::F32,
            Dtype::Int8 => Self::Int8,
        }
    }
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let mut inputs = crate::weights::inputs(&self.input);
        inputs.extend(
            [self.config.file(), self.sample.as_ref()]
                .into_iter()
                .flatten()
                .cloned(),
        );
        let inputs = inputs.iter().map(PathBuf::as_path);
        let output = Outputs::new(inputs, self.overwrite.overwrite).claim(&self.output)?;
        let checked = crate::weights::check(&self.input, &self.config)?;
        let device = Device::flex();
        let mut loaded = weights::build(&checked, &device)?;
        if self.name.is_some() {
            loaded.name.clone_from(&self.name);
        }
        let bytes = weights::save(
            &loaded.network,
            &loaded.config,
            About {
                name: loaded.name.as_deref(),
                tuning: loaded.tuning.as_deref(),
                corpus: loaded.corpus.as_ref(),
            },
            self.dtype.into(),
        )
        .await?;
        output.write(&bytes)?;
        let (parameters, length) = (loaded.parameters, bytes.len());
        // The cost of 8 bits is reported, where a picture shows it; that of 16 is not visible.
        let shows = self.dtype == Dtype::Int8 && loaded.config.autoencoder().is_ok();
        let cost = if shows {
            let fit = FitArgs::square(256);
            let sample = match &self.sample {
                Some(path) => fit.picture(path)?,
                None => fit.decode(SAMPLE)?,
            };
            let (full, narrow) = (
                Codec::new(loaded.autoencoder()?, &device),
                Codec::from_weights(bytes, &device)?,
            );
            Some((
                quality(&full, &sample).await?,
                quality(&narrow, &sample).await?,
            ))
        } else {
            None
        };
        if json {
            terminal::print_json(
                json!({"family": checked.family.to_string(), "assumed": checked.assumed,
                    "parameters": parameters, "bytes": length,
                    "psnr_before": cost.map(|c| c.0), "psnr_after": cost.map(|c| c.1)}),
            )?;
            return Ok(());
        }
        terminal::print(format_args!(
            "{parameters} parameters from a {} file, in {length} bytes",
            checked.family
        ))?;
        if let Some((before, after)) = cost {
            terminal::print(format_args!(
                "int8 costs {:.2} dB on a sample: {before:.2} before, {after:.2} after",
                before - after
            ))?;
        }
        Ok(())
    }
}

/// PSNR of the reconstruction, in decibels.
async fn quality(codec: &Codec, picture: &Picture) -> Result<f64> {
    psnr(picture, &codec.reconstruct(picture).await?)
}
