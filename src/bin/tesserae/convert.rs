use std::path::PathBuf;

use burn::tensor::Device;
use clap::ValueEnum;
use serde_json::json;
use tesserae::pixels::metrics::psnr;
use tesserae::weights::{self, About, Storage};
use tesserae::{Codec, Picture, Result};

use crate::model::{ConfigArgs, FitArgs};
use crate::outputs::{Outputs, OverwriteArgs};
use crate::terminal;

/// What the loss of quality is measured on where no other picture is given.
const SAMPLE: &[u8] = include_bytes!("../../../www/samples/coffee.png");

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Weight file of any known family: safetensors, the index of a sharded one, or a PyTorch
    /// checkpoint (.ckpt, .pt, .bin), which is parsed and never executed; or the folder of one.
    input: PathBuf,
    /// Weight file to write, in this project's format.
    output: PathBuf,
    /// How the weights are stored; they are computed in f32 either way.
    #[arg(long, value_enum, default_value_t = Dtype::F16)]
    dtype: Dtype,
    #[command(flatten)]
    config: ConfigArgs,
    /// Name to write into the weight file; the input's own unless given.
    #[arg(long)]
    name: Option<String>,
    /// Picture on which int8's loss of quality is measured, instead of a small photo of our own.
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
            },
            self.dtype.into(),
        )
        .await?;
        output.write(&bytes)?;
        let (parameters, length) = (loaded.parameters, bytes.len());
        // What 8 bits cost is reported; 16 cost nothing that can be seen.
        let cost = if self.dtype == Dtype::Int8 {
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
            "{parameters} parameters of a {} file in {length} bytes",
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

/// PSNR of a reconstruction, in decibels.
async fn quality(codec: &Codec, picture: &Picture) -> Result<f64> {
    psnr(picture, &codec.reconstruct(picture).await?)
}
