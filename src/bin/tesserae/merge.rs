//! Reports of single shards, merged into one.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tesserae::{Codec, Error, Result};

use crate::files;
use crate::judge::Judge;
use crate::model::FitArgs;
use crate::report::{Measured, Report};

/// Everything that must match for two reports to be merged.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    codebook: String,
    decoder: String,
    size: u32,
    square: bool,
    codecs: bool,
    /// Hash of the network that judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    perceptual: Option<String>,
}

impl Settings {
    pub fn of(codec: &Codec, fit: &FitArgs, codecs: bool, judge: Option<&Judge>) -> Self {
        let hashes = codec.hashes();
        Self {
            codebook: hashes.codebook.to_string(),
            decoder: hashes.decoder.to_string(),
            size: fit.size,
            square: fit.square,
            codecs,
            perceptual: judge.map(|judge| judge.hash().to_owned()),
        }
    }

    /// Fails if the report at `path` was made with different settings.
    pub fn check(&self, path: &Path) -> Result<()> {
        self.same(&ShardReport::read(path)?.settings, path)
    }

    fn same(&self, other: &Self, path: &Path) -> Result<()> {
        if self == other {
            return Ok(());
        }
        let told = "this report belongs to another model or was made with different options";
        Err(Error::io(path, told))
    }
}

/// A report that can be merged with others.
#[derive(Debug, Serialize, Deserialize)]
pub struct ShardReport {
    pub shard: String,
    pub settings: Settings,
    #[serde(flatten)]
    pub report: Report,
    /// How often each code occurs; empty without tokens.
    pub counts: Vec<u64>,
}

impl ShardReport {
    fn read(path: &Path) -> Result<Self> {
        serde_json::from_slice(&files::read(path)?).map_err(|e| {
            let told = format!("this is not a report written by `eval --out-dir` ({e})");
            Error::io(path, told)
        })
    }
}

/// The combined report of all reports among `paths` and in the folders among them.
pub fn merge(paths: &[PathBuf]) -> Result<Report> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        for entry in fs::read_dir(path).map_err(|e| Error::io(path, e))? {
            let file = entry.map_err(|e| Error::io(path, e))?.path();
            if file.extension().is_some_and(|e| e == "json") {
                found.push(file);
            }
        }
    }
    found.sort();
    // A folder and a file in it may both be given.
    found.dedup();
    let mut all = Measured::default();
    let mut settings: Option<Settings> = None;
    for path in &found {
        let shard = ShardReport::read(path)?;
        match &settings {
            Some(settings) => settings.same(&shard.settings, path)?,
            None => settings = Some(shard.settings),
        }
        for (code, count) in shard.counts.into_iter().enumerate() {
            all.add(code, count);
        }
        all.images.extend(shard.report.images);
        all.skipped += shard.report.skipped;
    }
    all.report(paths)
}
