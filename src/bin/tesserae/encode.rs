use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use tar::{Archive, Builder, EntryType, Header};
use tesserae::pixels::metrics::{psnr, ssim};
use tesserae::{Codec, Error, Picture, Result, Tokens};

use crate::bulk::{self, Job, Output};
use crate::model::{FitArgs, ModelArgs, watch};
use crate::outputs::Outputs;
use crate::shards::{Entry, each_picture};
use crate::terminal;

#[derive(Debug, clap::Args)]
#[command(override_usage = "tesserae encode [OPTIONS] IN OUT\n       \
    tesserae encode [OPTIONS] --out-dir DIR SHARD...")]
pub struct Args {
    /// Picture to read, `-` for standard input; with --out-dir, a folder or .tar of pictures.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Token file to write, `-` for standard output; with --out-dir, more folders or .tar files.
    #[arg(value_name = "OUT", required_unless_present = "out_dir")]
    output: Vec<PathBuf>,
    /// Encode all pictures of each shard to DIR/STEM.tokens.tar, skipping those that already exist.
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,
    /// With --out-dir, encode existing outputs again; otherwise allow OUT to replace an input file.
    #[arg(long)]
    overwrite: bool,
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
            return bulk::run(&job, &device, &shards, folder, self.overwrite, json).await;
        }
        let [output] = &self.output[..] else {
            let told = "One picture is encoded to one file; shards are encoded with --out-dir";
            return Err(Error::Argument(told.to_owned()));
        };
        let inputs = self.model.inputs()?;
        let inputs = inputs.iter().chain([&self.input]).map(PathBuf::as_path);
        let output = Outputs::new(inputs, self.overwrite).claim(output)?;
        let codec = self.model.load()?;
        let picture = self.fit.picture(&self.input)?;
        let start = Instant::now();
        let tokens = codec.encode_with(&picture, &mut watch()?).await?;
        let seconds = start.elapsed().as_secs_f64();
        let bytes = tokens.to_bytes()?;
        output.write(&bytes)?;
        let (bpp, usage) = (tokens.bits_per_pixel(), tokens.usage());
        if json {
            // Quality can only be measured on the decoded picture.
            let rebuilt = codec.decode_with(&tokens, &mut watch()?).await?;
            terminal::print_json(
                json!({"psnr": psnr(&picture, &rebuilt)?, "ssim": ssim(&picture, &rebuilt)?,
                    "tokens": tokens.count(), "bytes": bytes.len(), "bpp": bpp,
                    "perplexity": usage.perplexity, "used": usage.used, "seconds": seconds}),
            )?;
        } else {
            terminal::print(format_args!(
                "{} tokens in {} bytes, {bpp:.4} bits per pixel, {seconds:.2} s",
                tokens.count(),
                bytes.len()
            ))?;
        }
        Ok(())
    }
}

/// Prefix of the options recorded in a tar.
const RECORD: &str = "tesserae encode ";

/// Encodes a shard's pictures to a tar of token files.
struct Shard {
    codec: Codec,
    fit: FitArgs,
}

impl Shard {
    /// How pictures were preprocessed, as command line options.
    fn record(&self) -> String {
        let square = if self.fit.square { " --square" } else { "" };
        format!("{RECORD}--size {}{square}", self.fit.size)
    }

    /// Whether a picture of this size can result from these options: the only check possible for a
    /// tar without a record.
    fn could_be(&self, width: u32, height: u32) -> bool {
        let FitArgs { size, square } = self.fit;
        (size == 0 || width.max(height) <= size) && (!square || width == height)
    }
}

/// Appends a comment for the tar's next file (POSIX pax), which is ignored when unpacking.
fn append_comment(tar: &mut Builder<Vec<u8>>, comment: &str) -> io::Result<()> {
    let rest = format!(" comment={comment}\n");
    // The length includes its own digits, two or three here.
    let length = [2, 3].map(|digits| rest.len() + digits);
    let length = if length[0] < 100 {
        length[0]
    } else {
        length[1]
    };
    let record = format!("{length}{rest}");
    let mut header = Header::new_ustar();
    header.set_path("comment")?;
    header.set_entry_type(EntryType::XHeader);
    header.set_mode(0o644);
    header.set_size(record.len() as u64);
    header.set_cksum();
    tar.append(&header, record.as_bytes())
}

impl Job for Shard {
    const SUFFIX: &'static str = ".tokens.tar";

    async fn run(&self, shard: &Path, pictures: &[Entry]) -> Result<Output> {
        // Small compared with the pictures, so it is kept in memory until complete.
        let mut tar = Builder::new(Vec::new());
        let mut names = HashSet::new();
        let written = |e| Error::io(shard, e);
        let one = async |entry: &Entry, picture: Picture| {
            let tokens = self.codec.encode(&picture).await?;
            let bytes = tokens.to_bytes()?;
            let mut name = Path::new(&entry.name).with_extension("tokens");
            // Pictures may have the same name, or differ only in their extension.
            let mut same = 1;
            while !names.insert(name.clone()) {
                name = match same {
                    1 => PathBuf::from(format!("{}.tokens", entry.name)),
                    _ => PathBuf::from(format!("{}.{same}.tokens", entry.name)),
                };
                same += 1;
            }
            if names.len() == 1 {
                append_comment(&mut tar, &self.record()).map_err(written)?;
            }
            // Without time or owner, so that the same pictures give the same bytes.
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

    /// Checks the first token file in it, and the recorded options.
    fn check(&self, output: &Path) -> Result<()> {
        let failed = |e| Error::io(output, e);
        let mut tar = Archive::new(File::open(output).map_err(failed)?);
        let (mut bytes, mut record) = (Vec::new(), None);
        if let Some(first) = tar.entries().map_err(failed)?.next() {
            let mut first = first.map_err(failed)?;
            let comments = first.pax_extensions().map_err(failed)?;
            record = comments.into_iter().flatten().flatten().find_map(|pax| {
                let value = pax.value().ok()?;
                let ours = pax.key() == Ok("comment") && value.starts_with(RECORD);
                ours.then(|| value.to_owned())
            });
            first.read_to_end(&mut bytes).map_err(failed)?;
        }
        let told = |e: Error| Error::io(output, e.to_string().trim_end_matches('.'));
        let tokens = Tokens::from_bytes(&bytes).map_err(told)?;
        self.codec.check(&tokens).map_err(told)?;
        let same = match &record {
            Some(record) => *record == self.record(),
            None => self.could_be(tokens.width, tokens.height),
        };
        if same {
            return Ok(());
        }
        let made = match &record {
            Some(record) => format!("by `{record}`"),
            None => format!("from a {}×{} picture", tokens.width, tokens.height),
        };
        let told = format!(
            "it was made {made}, not by `{}`; --overwrite encodes again",
            self.record()
        );
        Err(Error::io(output, told))
    }
}
