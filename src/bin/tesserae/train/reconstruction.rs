//! The training of an autoencoder.

use burn::tensor::Device;
use serde_json::{Map, Value};
use tesserae::codec::Coder;
use tesserae::models::Config;
use tesserae::pixels::metrics::psnr;
use tesserae::train::{CodebookWatch, Reconstruction, Session, Start, TrainConfig};
use tesserae::weights;
use tesserae::{Autoencoder, AutoencoderConfig, Error, Picture, Result};

use super::args::{Args, Files, RHYTHM, Report};
use super::log::Log;
use crate::device::Opened;
use crate::weights::ConfigArgs;
use crate::{grid, terminal};

/// Trains on the pictures that `args` name.
pub async fn run(
    args: &Args,
    outputs: &Files,
    config: TrainConfig,
    device: &Opened,
    json: bool,
) -> Result<()> {
    device.seed(config.seed);
    let (model, trained) = model(args, &config, device)?;
    let start = start(args, trained, device)?;
    let held_out = match &args.held_out {
        Some(folder) => args.read_pictures(folder)?,
        None => Vec::new(),
    };
    let pictures = args.read_pictures(&args.data)?;
    let session = Session::train(&config, model, start, pictures, device, RHYTHM)?;
    let count = session.data().photos();
    let plural = if count == 1 { "" } else { "s" };
    terminal::warn(format_args!("training on {count} picture{plural}"));
    let report = Reconstructions {
        watch: CodebookWatch::new(&config, trained),
        was_collapsed: false,
        looked: None,
        config,
        held_out,
        outputs,
        device,
    };
    args.drive(outputs, session, device, report, json).await
}

struct Reconstructions<'a> {
    config: TrainConfig,
    watch: CodebookWatch,
    was_collapsed: bool,
    held_out: Vec<Picture>,
    /// PSNR of the held-out pictures, until it is logged.
    looked: Option<f64>,
    outputs: &'a Files,
    device: &'a Device,
}

impl Report<Reconstruction> for Reconstructions<'_> {
    async fn look(&mut self, session: &Session<Reconstruction>) -> Result<()> {
        self.looked = look(self.outputs, session, &self.held_out, self.device).await?;
        Ok(())
    }

    async fn complete(
        &mut self,
        session: &mut Session<Reconstruction>,
        log: &Log,
        line: &mut Map<String, Value>,
    ) -> Result<String> {
        let config = &self.config;
        let usage = session.task_mut().take_usage().await?;
        let psnr = line.get("mse").and_then(Value::as_f64);
        let psnr = psnr.map(|mse| -10.0 * mse.log10());
        if let Some(psnr) = psnr {
            line.insert("psnr".into(), psnr.into());
        }
        let learning_rate = config.optimizer.rate(session.done() - 1, config.steps);
        line.insert("learning_rate".into(), learning_rate.into());
        line.insert("used".into(), usage.used.into());
        line.insert("perplexity".into(), usage.perplexity.into());
        self.was_collapsed = self.watch.collapsed().is_some();
        self.watch.see(session.done(), log.steps(), usage);
        if self.watch.collapsed().is_some() {
            line.insert("collapsed".into(), true.into());
        }
        let rate = log.rate(config.batch * config.accumulate);
        line.insert("crops_per_second".into(), rate.into());
        if let Some(psnr) = self.looked.take() {
            line.insert("held_out_psnr".into(), psnr.into());
        }
        Ok(format!(
            "{:.2} dB, {} codes, perplexity {:.0}, {rate:.1} crops/s",
            psnr.unwrap_or_default(),
            usage.used,
            usage.perplexity
        ))
    }

    fn warning(&mut self) -> Option<String> {
        match self.was_collapsed {
            true => None,
            false => self.remark(),
        }
    }

    fn remark(&self) -> Option<String> {
        self.watch.collapsed().map(|collapse| collapse.to_string())
    }
}

/// The initial model, and whether its codebook is trained: weights with a different codebook
/// size only provide the layers.
fn model(args: &Args, config: &TrainConfig, device: &Device) -> Result<(Autoencoder, bool)> {
    let fresh = Autoencoder::new(&config.model, device)?;
    let Some(path) = &args.from else {
        return Ok((fresh, false));
    };
    let mut loaded = crate::weights::load(path, &ConfigArgs::default(), device)?.autoencoder()?;
    if loaded.config.architecture() == config.model.architecture() {
        return Ok((loaded.network, true));
    }
    if but_codes(&loaded.config)? != but_codes(&config.model)? {
        let path = path.display();
        let message = format!("{path} has a different model config");
        return Err(Error::WeightsMismatch(message));
    }
    let theirs = loaded.network.vector_quantizers_mut().into_iter();
    for (theirs, ours) in theirs.zip(fresh.vector_quantizers()) {
        theirs.set_codebook(ours.embedding.weight.val());
    }
    Ok((loaded.network, false))
}

fn start(args: &Args, trained: bool, device: &Device) -> Result<Start> {
    let discriminator = args.discriminator.as_deref();
    let discriminator = discriminator
        .map(|path| weights::load_discriminator(&crate::weights::container(path)?, device))
        .transpose()?;
    let lpips: Vec<_> = args
        .lpips
        .iter()
        .map(|path| crate::weights::container(path))
        .collect();
    let lpips = lpips.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(Start {
        trained,
        discriminator,
        features: args
            .features
            .as_deref()
            .map(|path| weights::load_features(&crate::weights::container(path)?, device))
            .transpose()?,
        perceptual: match lpips.is_empty() {
            true => None,
            false => Some(weights::load_lpips(&lpips, device)?),
        },
    })
}

/// Mean PSNR over the held-out pictures, and a sheet of some of them.
async fn look(
    outputs: &Files,
    session: &Session<Reconstruction>,
    held_out: &[Picture],
    device: &Device,
) -> Result<Option<f64>> {
    if held_out.is_empty() {
        return Ok(None);
    }
    let task = session.task();
    let coder = Coder::new(task.model(), task.config().model.clone(), device);
    let unwatched = &mut async |_, _, _| true;
    let (mut sum, mut shown) = (0.0, Vec::new());
    for picture in held_out {
        let picture = picture.fit(grid::SIDE, true);
        let rebuilt = coder.reconstruct_with(&picture, None, unwatched).await?;
        sum += psnr(&picture, &rebuilt)?;
        shown.push(vec![picture, rebuilt]);
    }
    if let Some(sheet) = &outputs.sheet {
        sheet.write(&grid::sheet(&shown)?.png()?)?;
    }
    Ok(Some(sum / held_out.len() as f64))
}

/// A model's config without its codebook sizes.
fn but_codes(config: &AutoencoderConfig) -> Result<Value> {
    let mut json: Value =
        serde_json::to_value(config.architecture()).map_err(|e| Error::Internal(e.to_string()))?;
    if let Some(fields) = json.as_object_mut() {
        fields.remove("n_embed");
    }
    Ok(json)
}
