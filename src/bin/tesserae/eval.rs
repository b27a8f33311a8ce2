use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use tesserae::{Codec, Error, Picture, Result, Tokens};

use crate::bulk::{self, Job, Output};
use crate::code::rebuild;
use crate::codecs;
use crate::merge::{Settings, ShardReport, merge};
use crate::model::{FitArgs, ModelArgs};
use crate::report::{Measured, Quality, Report, Row};
use crate::shards::{Entry, each_picture, entries};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pictures, folders of them, searched below as well, or .tar shards of them.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Measure JPEG and WebP, too, each at the highest quality with no more bits than the tokens.
    #[arg(long)]
    codecs: bool,
    /// Measure each path alone and write its report into this folder, if it is not there yet.
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Measure nothing: put such reports, or folders of them, together.
    #[arg(long, conflicts_with_all = ["out_dir", "codecs"])]
    merge: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    fit: FitArgs,
}

impl Args {
    pub async fn run(self, json: bool) -> Result<()> {
        let report = if self.merge {
            merge(&self.paths)?
        } else {
            let codec = self.model.load()?;
            if self.codecs && codec.config().grids().is_empty() {
                return Err(Error::NoCodebook);
            }
            let task = Measure {
                codec: &codec,
                fit: &self.fit,
                codecs: self.codecs,
            };
            if let Some(folder) = &self.out_dir {
                return bulk::run(&task, &self.paths, folder, json).await;
            }
            let measured = task.measure(&entries(&self.paths)?).await?;
            measured.report(&self.paths)?
        };
        if json {
            println!("{}", text(&report)?);
        } else {
            report.print();
        }
        Ok(())
    }
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Internal(e.to_string()))
}

/// Reconstructs every picture among `paths`; what cannot be read is told, counted and left out.
pub async fn measure(codec: &Codec, paths: &[PathBuf], fit: &FitArgs) -> Result<Report> {
    let task = Measure {
        codec,
        fit,
        codecs: false,
    };
    task.measure(&entries(paths)?).await?.report(paths)
}

struct Measure<'a> {
    codec: &'a Codec,
    fit: &'a FitArgs,
    codecs: bool,
}

impl Measure<'_> {
    async fn measure(&self, pictures: &[Entry]) -> Result<Measured> {
        let mut all = Measured::default();
        let one = async |entry: &Entry, picture: Picture| {
            let start = Instant::now();
            let mut unwatched = async |_, _, _| true;
            let (tokens, rebuilt) = rebuild(self.codec, &picture, None, &mut unwatched).await?;
            let seconds = start.elapsed().as_secs_f64();
            let usage = tokens.as_ref().map(Tokens::usage);
            let bpp = tokens.as_ref().map(Tokens::bits_per_pixel);
            let others = bpp.filter(|_| self.codecs);
            all.images.push(Row {
                file: entry.path().display().to_string(),
                width: picture.width(),
                height: picture.height(),
                measured: Quality::of(&picture, &rebuilt)?,
                bpp,
                perplexity: usage.map(|u| u.perplexity),
                used: usage.map(|u| u.used),
                seconds,
                jpeg: others.map_or(Ok(None), |bpp| codecs::jpeg(&picture, bpp))?,
                webp: others.map_or(Ok(None), |bpp| codecs::webp(&picture, bpp))?,
            });
            for code in tokens.iter().flat_map(Tokens::codes) {
                all.add(code as usize, 1);
            }
            Ok(())
        };
        let skipped = each_picture(pictures, self.fit, one).await?;
        all.skipped = skipped;
        Ok(all)
    }

    fn settings(&self) -> Settings {
        Settings::of(self.codec, self.fit, self.codecs)
    }
}

impl Job for Measure<'_> {
    const SUFFIX: &'static str = ".json";

    async fn run(&self, shard: &Path, pictures: &[Entry]) -> Result<Output> {
        let measured = self.measure(pictures).await?;
        let counts = measured.counts.clone();
        let report = measured.report(&[shard.to_owned()])?;
        let (pictures, skipped) = (report.images.len(), report.skipped);
        let shard = ShardReport {
            shard: shard.display().to_string(),
            settings: self.settings(),
            report,
            counts,
        };
        Ok(Output {
            bytes: text(&shard)?.into_bytes(),
            pictures,
            skipped,
        })
    }

    fn check(&self, output: &Path) -> Result<()> {
        self.settings().check(output)
    }
}
