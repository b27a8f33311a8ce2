//! The training of a prior.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use tesserae::models::Prior;
use tesserae::tokens::Grid;
use tesserae::train::{Prediction, PriorTrainConfig, Session, TokenGrids};
use tesserae::weights::Corpus;
use tesserae::{Codec, Error, Picture, Result};

use super::log::Log;
use super::{Args, Files, RHYTHM, Report};
use crate::device::Opened;
use crate::model::find;
use crate::weights::{self, ConfigArgs};
use crate::{files, terminal};

/// Trains on the tokens of the pictures that `args` name.
pub async fn run(
    args: &Args,
    outputs: &Files,
    config: PriorTrainConfig,
    device: &Opened,
    json: bool,
) -> Result<()> {
    args.refuse_autoencoder_options()?;
    device.seed(config.seed);
    let codec = args.tokenizer(device)?;
    let name = codec.name().ok_or_else(|| {
        Error::Argument("The tokenizer's file has no name; `convert --name` gives one".to_owned())
    })?;
    let prior = args.prior(&config, device)?;
    let classes = args.classes(&config)?;
    let corpus = Corpus {
        tokenizer: name.to_owned(),
        codebook: codec.hashes().codebook,
        classes: classes.clone(),
    };
    let held_out = match &args.held_out {
        Some(folder) => {
            let plain = Encoding {
                mirror: false,
                shift: 0,
            };
            let grids = plain.grids(args, folder, &classes, &codec).await?;
            Some(TokenGrids::new(grids, &config.model)?)
        }
        None => None,
    };
    let encoding = Encoding {
        mirror: config.mirror,
        shift: config.shift,
    };
    let grids = encoding.grids(args, &args.data, &classes, &codec).await?;
    let grids = TokenGrids::new(grids, &config.model)?;
    terminal::warn(format_args!("training on {} grids of tokens", grids.len()));
    let session = Session::train_prior(&config, prior, Some(corpus), grids, device, RHYTHM)?;
    let report = Predictions {
        config,
        held_out,
        looked: None,
    };
    args.drive(outputs, session, device, report, json).await
}

impl Args {
    /// Rejects what only an autoencoder's training takes.
    fn refuse_autoencoder_options(&self) -> Result<()> {
        let given = [
            ("--discriminator", self.discriminator.is_some()),
            ("--lpips", !self.lpips.is_empty()),
            ("--features", self.features.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::Argument(format!(
                "{name} is for the training of an autoencoder"
            ))),
            None => Ok(()),
        }
    }

    fn tokenizer(&self, device: &Opened) -> Result<Codec> {
        let Some(named) = &self.tokenizer else {
            return Err(Error::Argument(
                "A prior learns the tokens of a model: name it with --tokenizer".to_owned(),
            ));
        };
        let file = find(named, &self.models)?;
        let loaded = weights::load(&file, &ConfigArgs::default(), device)?;
        Ok(Codec::new(loaded.autoencoder()?, device).within(device.limits()))
    }

    /// The initial prior.
    fn prior(&self, config: &PriorTrainConfig, device: &Opened) -> Result<Prior> {
        let Some(path) = &self.from else {
            return Prior::new(&config.model, device);
        };
        let loaded = weights::load(path, &ConfigArgs::default(), device)?.prior()?;
        match loaded.config == config.model {
            true => Ok(loaded.network),
            false => Err(Error::WeightsMismatch(format!(
                "{} has a different model config",
                path.display()
            ))),
        }
    }

    /// The names of the classes: the folders that pictures lie in, relative to --data, in order.
    fn classes(&self, config: &PriorTrainConfig) -> Result<Vec<String>> {
        let wanted = config.model.classes();
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let mut names: Vec<String> = self
            .pictures(&self.data)?
            .iter()
            .map(|path| folder_of(path, &self.data))
            .collect();
        names.dedup();
        match names.len() == wanted {
            true => Ok(names),
            false => Err(Error::Argument(format!(
                "The config has {wanted} classes, but pictures lie in {} folders of {}",
                names.len(),
                self.data.display()
            ))),
        }
    }
}

/// The folder of a picture relative to `data`, with slashes.
fn folder_of(path: &Path, data: &Path) -> String {
    let folder = path.parent().unwrap_or(data);
    let folder = folder.strip_prefix(data).unwrap_or(folder);
    let parts = folder
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// How each picture is encoded: as it is, and perhaps in other ways besides.
#[derive(Debug, Clone, Copy)]
struct Encoding {
    mirror: bool,
    shift: u32,
}

impl Encoding {
    /// The grids of the pictures in `folder`, each with its class.
    async fn grids(
        self,
        args: &Args,
        folder: &PathBuf,
        classes: &[String],
        codec: &Codec,
    ) -> Result<Vec<(Grid, usize)>> {
        let numbers: BTreeMap<&str, usize> = classes
            .iter()
            .enumerate()
            .map(|(number, name)| (name.as_str(), number))
            .collect();
        let paths = args.pictures(folder)?;
        let bar = ProgressBar::new(paths.len() as u64).with_style(
            ProgressStyle::with_template("encode {bar:30} {pos}/{len}")
                .map_err(|e| Error::Internal(e.to_string()))?,
        );
        let mut grids = Vec::new();
        for path in paths {
            let name = folder_of(&path, folder);
            let class = match numbers.get(name.as_str()) {
                Some(class) => *class,
                None if classes.is_empty() => 0,
                None => {
                    let told = format!("`{name}` is not a folder of the training pictures");
                    return Err(Error::io(&path, told));
                }
            };
            let picture = files::picture(&path)?;
            for picture in self.versions(&picture)? {
                let tokens = codec.encode(&picture).await?;
                grids.extend(tokens.grids.into_iter().map(|grid| (grid, class)));
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(grids)
    }

    /// The picture, mirrored and shifted as configured.
    fn versions(self, picture: &Picture) -> Result<Vec<Picture>> {
        let by = self.shift as i32;
        let shifts: Vec<[i32; 2]> = match by {
            0 => vec![[0, 0]],
            by => vec![[0, 0], [by, 0], [-by, 0], [0, by], [0, -by]],
        };
        let mut versions = Vec::new();
        for [x, y] in shifts {
            versions.push(moved(picture, false, x, y)?);
            if self.mirror {
                versions.push(moved(picture, true, x, y)?);
            }
        }
        Ok(versions)
    }
}

/// A picture mirrored, then shifted; what comes in at an edge continues it.
fn moved(picture: &Picture, mirror: bool, x: i32, y: i32) -> Result<Picture> {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let mut rgb = Vec::with_capacity(picture.rgb().len());
    for row in 0..height {
        for column in 0..width {
            let row = (row - y).clamp(0, height - 1);
            let column = (column - x).clamp(0, width - 1);
            let column = if mirror { width - 1 - column } else { column };
            let at = 3 * (row * width + column) as usize;
            rgb.extend_from_slice(&picture.rgb()[at..at + 3]);
        }
    }
    Picture::from_rgb(picture.width(), picture.height(), rgb)
}

struct Predictions {
    config: PriorTrainConfig,
    held_out: Option<TokenGrids>,
    /// Bits a held-out token, until it is logged.
    looked: Option<f64>,
}

impl Report<Prediction> for Predictions {
    async fn look(&mut self, session: &Session<Prediction>) -> Result<()> {
        if let Some(held_out) = &self.held_out {
            self.looked = Some(session.task().bits(held_out).await?);
        }
        Ok(())
    }

    async fn complete(
        &mut self,
        session: &mut Session<Prediction>,
        log: &Log,
        line: &mut Map<String, Value>,
    ) -> Result<String> {
        let config = &self.config;
        let entropy = line.get("cross_entropy").and_then(Value::as_f64);
        let bits = entropy.unwrap_or_default() / std::f64::consts::LN_2;
        line.insert("bits".into(), bits.into());
        let learning_rate = config.optimizer.rate(session.done() - 1, config.steps);
        line.insert("learning_rate".into(), learning_rate.into());
        let rate = log.rate(config.batch);
        line.insert("grids_per_second".into(), rate.into());
        let held_out = match self.looked.take() {
            Some(bits) => {
                line.insert("held_out_bits".into(), bits.into());
                format!(", held out {bits:.3}")
            }
            None => String::new(),
        };
        Ok(format!(
            "{bits:.3} bits a token{held_out}, {rate:.1} grids/s"
        ))
    }
}
