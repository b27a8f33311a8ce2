//! Processes shards, one output each. Existing outputs are kept, so that a run can be stopped and
//! restarted, and shards can be split among any number of processes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use tesserae::{Error, Result};

use crate::device::Opened;
use crate::outputs;
use crate::shards::{self, Entry};
use crate::terminal;

/// The work to do for each shard.
pub trait Job {
    /// Suffix of an output's name, appended to the shard's stem.
    const SUFFIX: &'static str;

    /// Produces the output for one shard's pictures.
    async fn run(&self, shard: &Path, pictures: &[Entry]) -> Result<Output>;

    /// Fails if the file at `output` was not produced by this job.
    fn check(&self, output: &Path) -> Result<()>;
}

/// The contents of an output file.
pub struct Output {
    pub bytes: Vec<u8>,
    /// Number of pictures included, and number skipped.
    pub pictures: usize,
    pub skipped: usize,
}

/// Runs `job` for every shard whose output is not yet in `folder`, or for all with `overwrite`. A
/// shard that fails leaves nothing behind and does not stop the others, unless the device can no
/// longer be used.
/// no longer be used.
pub async fn run<J: Job>(
    job: &J,
    device: &Opened,
    shards: &[PathBuf],
    folder: &Path,
    overwrite: bool,
    json: bool,
) -> Result<()> {
    let outputs = outputs::<J>(shards, folder)?;
    fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    outputs::check_folder(folder)?;
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for (shard, output) in shards.iter().zip(&outputs) {
        let (from, to) = (shard.display(), output.display());
        match one(job, device, shard, output, overwrite).await {
            Ok(made) => {
                let counts = made.as_ref().map(|made| (made.pictures, made.skipped));
                if !json {
                    match counts {
                        Some((made, skipped)) => {
                            terminal::print(format_args!(
                                "{from}: {made} pictures, {skipped} left out, in {to}"
                            ))?;
                        }
                        None => terminal::print(format_args!("{from}: {to} already exists"))?,
                    }
                }
                done.push(json!({"shard": from.to_string(), "output": to.to_string(),
                    "pictures": counts.map(|c| c.0), "skipped": counts.map(|c| c.1)}));
            }
            Err(error @ (Error::SelfTestFailed(_) | Error::DeviceLost(_))) => return Err(error),
            Err(error) => {
                // If there is only one shard, its failure is the program's, which reports it.
                if shards.len() > 1 {
                    let told = error.to_string();
                    // Most messages begin with the path.
                    let told = told.strip_prefix(&format!("{from}: ")).unwrap_or(&told);
                    terminal::warn(format_args!("failed: {from}: {told} [{}]", error.code()));
                }
                failures.push(error);
            }
        }
    }
    match failures.len() {
        0 => {}
        1 if shards.len() == 1 => return Err(failures.remove(0)),
        failed => {
            let told = format!("{failed} of {} shards failed", shards.len());
            return Err(Error::io(folder, told));
        }
    }
    if json {
        terminal::print_json(json!({"shards": done}))?;
    }
    Ok(())
}

/// The output path of each shard; these must be distinct.
fn outputs<J: Job>(shards: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>> {
    let mut outputs: Vec<PathBuf> = Vec::new();
    for shard in shards {
        let stem = if shards::is_tar(shard) {
            shard.file_stem()
        } else {
            shard.file_name()
        };
        let mut name = stem
            .ok_or_else(|| Error::io(shard, "it has no name to give its output"))?
            .to_owned();
        name.push(J::SUFFIX);
        let output = folder.join(name);
        if output.is_dir() {
            return Err(Error::io(output, "this is a folder"));
        }
        if let Some(other) = outputs.iter().position(|o| *o == output) {
            return Err(Error::Argument(format!(
                "{} and {} would both be written to {}",
                shards[other].display(),
                shard.display(),
                output.display()
            )));
        }
        outputs.push(output);
    }
    Ok(outputs)
}

/// `None` if the output already exists and is kept.
async fn one(
    job: &impl Job,
    device: &Opened,
    shard: &Path,
    output: &Path,
    overwrite: bool,
) -> Result<Option<Output>> {
    if output.exists() && !overwrite {
        job.check(output)?;
        return Ok(None);
    }
    let pictures = shards::entries(&[shard.to_owned()])?;
    let made = job.run(shard, &pictures).await?;
    device.check()?;
    outputs::write(output, &made.bytes)?;
    Ok(Some(made))
}
