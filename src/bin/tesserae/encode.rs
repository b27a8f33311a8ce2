use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use tar::{Archive, Builder, Header};
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::{Codec, Error, Picture, Result, Tokens};

use crate::bulk::{self, Job, Output};
use crate::files;
use crate::model::{FitArgs, ModelArgs, watch};
use crate::shards::{Entry, each_picture};

#[derive(Debug, clap::Args)]
#[command(override_usage = "tesserae encode [OPTIONS] IN OUT\n       \
    tesserae encode [OPTIONS] --out-dir DIR SHARD...")]
pub struct Args {
    /// Picture to read; with --out-dir, folder or .tar of pictures.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Token file to write; with --out-dir, more folders or .tar files.
    #[arg(value_name = "OUT", required_unless_present = "out_dir")]
    output: Vec<PathBuf>,
    /// Encode all pictures of each shard into DIR/STEM.tokens.tar, if that is not there yet.
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    fit: FitArgs,
}

impl Args {
    pub async fn run(mut self, json: bool) -> Result<()> {
        if let Some(folder) = &self.out_dir {
            let device = self.model.device()?;
            let codec = self.model.load_on(&device)?;
            if codec.config().grids().is_empty() {
                return Err(Error::NoCodebook);
            }
            let mut shards = vec![self.input];
            shards.append(&mut self.output);
            let job = Shard {
                codec,
                fit: self.fit,
            };
            return bulk::run(&job, &device, &shards, folder, json).await;
        }
        let [output] = &self.output[..] else {
            let told = "One picture is encoded to one file; shards are encoded with --out-dir";
            return Err(Error::Argument(told.to_owned()));
        };
        let codec = self.model.load()?;
        let picture = self.fit.picture(&self.input)?;
        let start = Instant::now();
        let tokens = codec.encode(&picture, &mut watch()?).await?;
        let seconds = start.elapsed().as_secs_f64();
        let bytes = tokens.to_bytes()?;
        files::write(output, &bytes)?;
        let (bpp, usage) = (tokens.bits_per_pixel(), tokens.usage());
        if json {
            // What the tokens are worth shows only in the picture that they give.
            let rebuilt = codec.decode(&tokens, &mut watch()?).await?;
            println!(
                "{}",
                json!({"psnr": psnr(&picture, &rebuilt)?, "ssim": ssim(&picture, &rebuilt)?,
                    "tokens": tokens.count(), "bytes": bytes.len(), "bpp": bpp,
                    "perplexity": usage.perplexity, "used": usage.used, "seconds": seconds})
            );
        } else {
            println!(
                "{} tokens in {} bytes, {bpp:.4} bits per pixel, {seconds:.2} s",
                tokens.count(),
                bytes.len()
            );
        }
        Ok(())
    }
}

/// A tar of the token files of a shard's pictures.
struct Shard {
    codec: Codec,
    fit: FitArgs,
}

impl Job for Shard {
    const SUFFIX: &'static str = ".tokens.tar";

    async fn run(&self, shard: &Path, pictures: &[Entry]) -> Result<Output> {
        // Small beside the pictures, so that it can be held until it is whole.
        let mut tar = Builder::new(Vec::new());
        let mut names = HashSet::new();
        let written = |e| Error::io(shard, e);
        let one = async |entry: &Entry, picture: Picture| {
            let tokens = self
                .codec
                .encode(&picture, &mut async |_, _, _| true)
                .await?;
            let bytes = tokens.to_bytes()?;
            let mut name = Path::new(&entry.name).with_extension("tokens");
            // Pictures may differ in their extension only, or have the same name.
            let mut same = 1;
            while !names.insert(name.clone()) {
                name = match same {
                    1 => PathBuf::from(format!("{}.tokens", entry.name)),
                    _ => PathBuf::from(format!("{}.{same}.tokens", entry.name)),
                };
                same += 1;
            }
            // Without time and owner, so that the same pictures give the same bytes.
            let mut header = Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, name, &bytes[..])
                .map_err(written)
        };
        let skipped = each_picture(pictures, &self.fit, one).await?;
        let pictures = names.len();
        if pictures == 0 {
            return Err(Error::DatasetEmpty(shard.display().to_string()));
        }
        Ok(Output {
            bytes: tar.into_inner().map_err(written)?,
            pictures,
            skipped,
        })
    }

    /// By the first of its token files.
    fn check(&self, output: &Path) -> Result<()> {
        let failed = |e| Error::io(output, e);
        let mut tar = Archive::new(File::open(output).map_err(failed)?);
        let mut bytes = Vec::new();
        if let Some(first) = tar.entries().map_err(failed)?.next() {
            first
                .and_then(|mut f| f.read_to_end(&mut bytes))
                .map_err(failed)?;
        }
        Tokens::from_bytes(&bytes)
            .and_then(|tokens| self.codec.check(&tokens))
            .map_err(|e| Error::io(output, e.to_string().trim_end_matches('.')))
    }
}
