use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use tesserae::{Codec, Error, Picture, Result, Tokens};

use crate::bulk::{self, Job, Output};
use crate::code::rebuild;
use crate::codecs;
use crate::judge::{Judge, JudgeArgs};
use crate::merge::{Settings, ShardReport, merge};
use crate::model::{FitArgs, ModelArgs};
use crate::outputs::{self, Outputs};
use crate::report::{Measured, Quality, Report, Row};
use crate::shards::{Entry, each_picture, entries};
use crate::{grid, terminal};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pictures, folders of pictures (searched recursively), or .tar shards of pictures.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Also measure JPEG and WebP, each at the highest quality with no more bits than the tokens.
    #[arg(long)]
    codecs: bool,
    /// Write a sheet of the first pictures (.png, .jpg or .webp): each original with its
    /// reconstruction below, followed by JPEG and WebP if measured.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out_dir", "merge"])]
    sheet: Option<PathBuf>,
    /// Measure each path separately and write its report to this folder, skipping those that
    /// already exist.
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// Measure nothing; merge existing reports, or folders of them.
    #[arg(long, conflicts_with_all = ["out_dir", "codecs"])]
    merge: bool,
    /// With --out-dir, measure existing outputs again; with --sheet, allow it to replace an input
    /// picture.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    judge: JudgeArgs,
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
            let (pictures, sheet) = self.checked()?;
            let device = self.model.device()?;
            let codec = self.model.load_on(&device)?;
            if self.codecs && codec.config().grids().is_empty() {
                return Err(Error::NoCodebook);
            }
            let task = Measure {
                codec: &codec,
                fit: &self.fit,
                codecs: self.codecs,
                judge: self.judge.open()?,
            };
            if let Some(folder) = &self.out_dir {
                return bulk::run(&task, &device, &self.paths, folder, self.overwrite, json).await;
            }
            let mut shown = Vec::new();
            let measured = task.measure(&pictures, &mut shown).await?;
            device.check()?;
            let report = measured.report(&self.paths)?;
            if let Some(sheet) = sheet {
                sheet.write_picture(&grid::sheet(&shown)?)?;
            }
            report
        };
        if json {
            terminal::print_json(text(&report)?)
        } else {
            report.print()
        }
    }

    /// The pictures to measure together, and the path of the sheet.
    fn checked(&self) -> Result<(Vec<Entry>, Option<outputs::Output>)> {
        if self.out_dir.is_some() {
            return Ok((Vec::new(), None));
        }
        let (pictures, model) = (entries(&self.paths)?, self.model.inputs()?);
        let inputs = pictures.iter().map(Entry::file);
        let inputs = inputs.chain(model.iter().map(PathBuf::as_path));
        let inputs = inputs.chain(self.judge.input());
        let mut outputs = Outputs::new(inputs, self.overwrite);
        let sheet = self.sheet.as_deref();
        let sheet = sheet.map(|path| outputs.claim_picture(path)).transpose()?;
        Ok((pictures, sheet))
    }
}

fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Internal(e.to_string()))
}

/// Reconstructs every picture among `paths`; unreadable ones are reported, counted and skipped.
pub async fn measure(codec: &Codec, paths: &[PathBuf], fit: &FitArgs) -> Result<Report> {
    let task = Measure {
        codec,
        fit,
        codecs: false,
        judge: None,
    };
    let measured = task.measure(&entries(paths)?, &mut Vec::new()).await?;
    measured.report(paths)
}

struct Measure<'a> {
    codec: &'a Codec,
    fit: &'a FitArgs,
    codecs: bool,
    judge: Option<Judge>,
}

impl Measure<'_> {
    /// Adds the first pictures and their reconstructions to `shown`, one column each.
    async fn measure(&self, pictures: &[Entry], shown: &mut Vec<Vec<Picture>>) -> Result<Measured> {
        let mut all = Measured::default();
        let judge = self.judge.as_ref();
        let one = async |entry: &Entry, picture: Picture| {
            let start = Instant::now();
            let mut unwatched = async |_, _, _| true;
            let (tokens, rebuilt) = rebuild(self.codec, &picture, None, &mut unwatched).await?;
            let seconds = start.elapsed().as_secs_f64();
            let usage = tokens.as_ref().map(Tokens::usage);
            let bpp = tokens.as_ref().map(Tokens::bits_per_pixel);
            let others = bpp.filter(|_| self.codecs);
            let jpeg = others.map_or(Ok(None), |bpp| codecs::jpeg(&picture, bpp, judge))?;
            let webp = others.map_or(Ok(None), |bpp| codecs::webp(&picture, bpp, judge))?;
            all.images.push(Row {
                file: entry.path().display().to_string(),
                width: picture.width(),
                height: picture.height(),
                measured: Quality::of(&picture, &rebuilt, judge)?,
                bpp,
                perplexity: usage.map(|u| u.perplexity),
                used: usage.map(|u| u.used),
                seconds,
                jpeg: jpeg.as_ref().map(|coded| coded.row),
                webp: webp.as_ref().map(|coded| coded.row),
            });
            if shown.len() < grid::COLUMNS {
                let coded = [jpeg, webp]
                    .into_iter()
                    .flatten()
                    .map(|coded| coded.picture);
                shown.push([picture, rebuilt].into_iter().chain(coded).collect());
            }
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
        Settings::of(self.codec, self.fit, self.codecs, self.judge.as_ref())
    }
}

impl Job for Measure<'_> {
    const SUFFIX: &'static str = ".json";

    async fn run(&self, shard: &Path, pictures: &[Entry]) -> Result<Output> {
        let measured = self.measure(pictures, &mut Vec::new()).await?;
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
