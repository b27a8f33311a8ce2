use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tesserae::train::{Damage, Event, Objective, Parts, Session, TuneConfig};
use tesserae::weights;
use tesserae::{Codec, Error, Result};

use crate::look::Look;
use crate::model::{FitArgs, ModelArgs};
use crate::outputs::{Output, Outputs, OverwriteArgs};
use crate::{files, signals, terminal};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pictures to tune on, or folders of them.
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// Weight file to write.
    #[arg(long)]
    out: PathBuf,
    /// Held-out picture or folder, measured before and after tuning; may be given more than once.
    #[arg(long, value_name = "PATH")]
    held_out: Vec<PathBuf>,
    /// Write a sheet of the first held-out pictures (.png, .jpg or .webp): each original, its
    /// damaged copy if there is one, and the reconstructions before and after tuning, from top to
    /// bottom.
    #[arg(long, value_name = "FILE", requires = "held_out")]
    sheet: Option<PathBuf>,
    #[arg(long, default_value_t = 50)]
    steps: usize,
    /// Peak learning rate.
    #[arg(long, default_value_t = 1e-3)]
    learning_rate: f64,
    /// Parts to train. With the decoder alone, pictures keep their tokens.
    #[arg(long, value_enum, default_value_t)]
    parts: PartsArg,
    /// Training objective.
    #[arg(long, value_enum, default_value_t)]
    objective: ObjectiveArg,
    /// Train a restoration: add noise with this standard deviation (out of 255) to the model's
    /// input.
    #[arg(long, group = "damage")]
    noise: Option<f32>,
    /// Likewise, with JPEG compression at this quality (1 to 100).
    #[arg(long, group = "damage")]
    jpeg: Option<u8>,
    /// Likewise, with a blur of this standard deviation in pixels.
    #[arg(long, group = "damage")]
    blur: Option<f32>,
    /// Likewise, with downscaling by this factor and back up.
    #[arg(long, group = "damage")]
    small: Option<f32>,
    /// Crops per step.
    #[arg(long, default_value_t = 1)]
    batch: usize,
    /// Crop size in pixels, or the largest that fits in a picture if none is that large; 0 for the
    /// largest that fits in every picture, at most 256.
    #[arg(long, default_value_t = 0)]
    crop: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Discriminator to start from, for the lifelike objective; randomly initialised if not given.
    #[arg(long)]
    discriminator: Option<PathBuf>,
    /// Model name to store in the weight file.
    #[arg(long)]
    name: Option<String>,
    /// Storage type of the weights.
    #[arg(long, value_enum, default_value_t = crate::convert::Dtype::F32)]
    dtype: crate::convert::Dtype,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    fit: FitArgs,
    #[command(flatten)]
    overwrite: OverwriteArgs,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum PartsArg {
    #[default]
    Decoder,
    /// The decoder and the codebook.
    Codebook,
    All,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum ObjectiveArg {
    /// VQ-VAE's objective: minimises the reconstruction error.
    #[default]
    Faithful,
    /// VQ-GAN's objective: edges and texture, against a discriminator.
    Lifelike,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let config = self.config();
        let (out, sheet) = self.outputs()?;
        let read = |path: &Path| self.fit.picture(path);
        let learned = files::read_pictures(&self.inputs, read)?;
        let learned = Look::new(learned, config.damage)?;
        let others = match self.held_out.is_empty() {
            true => Vec::new(),
            false => files::read_pictures(&self.held_out, read)?,
        };
        let others = Look::new(others, config.damage)?;
        let device = self.model.device_to_train()?;
        device.seed(config.seed);
        let loaded = self.model.weights(&device)?;
        let discriminator = self.discriminator.as_deref();
        let discriminator = discriminator
            .map(|path| weights::load_discriminator(&crate::weights::container(path)?, &device))
            .transpose()?;
        let codec = Codec::new(loaded.clone(), &device);
        // Rejects an impossible config before anything takes time.
        let pictures = learned.pictures.clone();
        let mut session = Session::tune(&config, loaded, pictures, discriminator, &device)?;
        let before = learned.psnr(&learned.rebuilt(&codec).await?)?;
        let others_before = others.rebuilt(&codec).await?;

        let bar = ProgressBar::new(config.steps as u64).with_style(
            ProgressStyle::with_template("{bar:30} {pos}/{len} {eta}")
                .map_err(|e| Error::Internal(e.to_string()))?,
        );
        let (mut losses, began) = (Vec::new(), Instant::now());
        let count = session.data().photos();
        let plural = if count == 1 { "" } else { "s" };
        terminal::warn(format_args!("tuning on {count} picture{plural}"));
        let hold = signals::Hold::new();
        while signals::status().is_none() {
            device.check_sometimes()?;
            let Some(Event::Step(report)) = session.next().await? else {
                break;
            };
            let terms = report.losses.iter().map(|(name, value)| (*name, *value));
            losses.push(terms.collect::<std::collections::BTreeMap<_, _>>());
            bar.inc(1);
        }
        bar.finish_and_clear();
        let done = session.done();
        let stopped = done < config.steps;
        if stopped && done == 0 {
            terminal::warn("stopped before the first step; nothing was written");
            return Ok(());
        }
        let rate = done as f64 / began.elapsed().as_secs_f64();

        // Before anything that a broken device may have computed is written.
        device.check()?;
        let name = self.name.as_deref();
        let bytes = session.weights(name, self.dtype.into()).await?;
        out.write(&bytes)?;
        drop(hold);
        // Measuring takes time, and after an interrupt nobody is waiting for the result.
        let (after, held_out) = if stopped {
            terminal::warn(format_args!("stopped and saved after {done} steps"));
            (None, None)
        } else {
            let codec = Codec::from_weights(bytes, &device)?;
            let after = learned.psnr(&learned.rebuilt(&codec).await?)?;
            let others_after = others.rebuilt(&codec).await?;
            if let Some(sheet) = sheet {
                sheet.write_picture(&others.sheet(&others_before, &others_after)?)?;
            }
            (Some(after), others.gain(&others_before, &others_after)?)
        };
        if json {
            let told = json!({
                "psnr_before": before,
                "psnr_after": after,
                "held_out": held_out,
                "steps_per_second": rate,
                "losses": losses,
                "tuning": session.tuning(),
            });
            return terminal::print_json(told);
        }
        let after = after.map_or_else(String::new, |psnr| format!("{psnr:.2} dB after, "));
        terminal::print(format_args!(
            "{before:.2} dB before, {after}{rate:.2} steps/s"
        ))?;
        if let Some(held_out) = held_out {
            let damaged = held_out.psnr_damaged;
            let damaged =
                damaged.map_or_else(String::new, |psnr| format!("{psnr:.2} dB damaged, "));
            terminal::print(format_args!(
                "{damaged}{:.2} dB before, {:.2} dB after, over {} held out",
                held_out.psnr_before, held_out.psnr_after, held_out.pictures
            ))?;
        }
        Ok(())
    }

    /// The paths of the weights and the sheet.
    fn outputs(&self) -> Result<(Output, Option<Output>)> {
        let mut inputs = self.model.inputs()?;
        let discriminator = self.discriminator.iter();
        inputs.extend(discriminator.flat_map(|path| crate::weights::inputs(path)));
        inputs.extend(files::pictures(&self.inputs)?);
        if !self.held_out.is_empty() {
            inputs.extend(files::pictures(&self.held_out)?);
        }
        let inputs = inputs.iter().map(PathBuf::as_path);
        let mut outputs = Outputs::new(inputs, self.overwrite.overwrite);
        let out = outputs.claim(&self.out)?;
        let sheet = self.sheet.as_deref();
        let sheet = sheet.map(|path| outputs.claim_picture(path)).transpose()?;
        Ok((out, sheet))
    }

    fn config(&self) -> TuneConfig {
        let damage = [
            self.noise.map(Damage::Noise),
            self.jpeg.map(Damage::Jpeg),
            self.blur.map(Damage::Blur),
            self.small.map(Damage::Small),
        ];
        TuneConfig {
            parts: match self.parts {
                PartsArg::Decoder => Parts::Decoder,
                PartsArg::Codebook => Parts::Codebook,
                PartsArg::All => Parts::All,
            },
            objective: match self.objective {
                ObjectiveArg::Faithful => Objective::Faithful,
                ObjectiveArg::Lifelike => Objective::Lifelike,
            },
            damage: damage.into_iter().flatten().next(),
            steps: self.steps,
            learning_rate: self.learning_rate,
            batch: self.batch,
            crop: self.crop,
            seed: self.seed,
        }
    }
}
