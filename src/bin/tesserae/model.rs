use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use tesserae::codec::Phase;
use tesserae::weights::{Loaded, Manifest};
use tesserae::{Codec, Error, Picture, Result};

use crate::device::{DeviceArgs, Opened};
use crate::files;
use crate::weights::{self, ConfigArgs};

/// The model to use, for every command that needs one.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// Name of a shipped model, a weight file, or a folder that contains one.
    #[arg(long, default_value = "photos-f8")]
    model: String,
    /// Folder of shipped models with their index.json.
    #[arg(long, default_value = "www/models")]
    models: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    device: DeviceArgs,
}

/// How to preprocess a picture, as on the page.
#[derive(Debug, clap::Args)]
pub struct FitArgs {
    /// Scale down so that the longest side is at most this many pixels (0 keeps the size).
    #[arg(long, default_value_t = 0)]
    pub size: u32,
    /// Crop to the centre square first.
    #[arg(long)]
    pub square: bool,
}

impl FitArgs {
    /// The centre square at `size`.
    pub fn square(size: u32) -> Self {
        Self { size, square: true }
    }

    /// Decodes and preprocesses the picture in `bytes`.
    pub fn decode(&self, bytes: &[u8]) -> Result<Picture> {
        Picture::decode_fit(bytes, self.size, self.square)
    }

    /// Decodes and preprocesses a picture file.
    pub fn picture(&self, path: &Path) -> Result<Picture> {
        self.decode(&files::read(path)?)
    }
}

impl ModelArgs {
    /// The weight file, or a folder that contains one.
    pub fn file(&self) -> Result<PathBuf> {
        find(&self.model, &self.models)
    }

    /// Says of tokens that the model does not take whether an earlier version of a shipped one made
    /// them, where there is an index.
    pub fn explain(&self, error: Error) -> Error {
        match index(&self.models) {
            Ok(index) => index.explain(error),
            Err(_) => error,
        }
    }

    /// All files that loading it reads.
    pub fn inputs(&self) -> Result<Vec<PathBuf>> {
        let mut inputs = weights::inputs(&self.file()?);
        inputs.extend(self.config.file().cloned());
        Ok(inputs)
    }

    /// Opens the device to compute on.
    pub fn device(&self) -> Result<Opened> {
        self.device.open()
    }

    /// Opens the device to train on.
    pub fn device_to_train(&self) -> Result<Opened> {
        self.device.open_to_train()
    }

    /// Loads the weights as a model.
    pub fn weights(&self, device: &Opened) -> Result<Loaded> {
        let file = self.file()?;
        // The header is enough to tell what the model needs; reading the values may mean gigabytes.
        let survey = weights::survey(&file, &self.config)?;
        device.limits().admit_file(&survey)?;
        // A config from a pipe can be read only once, so the survey is reused.
        weights::build(survey, device)?.autoencoder()
    }

    /// Loads the model, ready to encode and decode.
    pub fn load(&self) -> Result<Codec> {
        self.load_on(&self.device()?)
    }

    /// The same on a device that is already open.
    pub fn load_on(&self, device: &Opened) -> Result<Codec> {
        Ok(Codec::new(self.weights(device)?, device).within(device.limits()))
    }
}

/// The weight file called `name`, or a folder that contains one: looked up as a file, then among the
/// shipped `models`, then as a folder.
pub fn find(name: &str, models: &Path) -> Result<PathBuf> {
    let path = Path::new(name);
    let is_path = name.contains(['/', '.']);
    if path.is_file() || (is_path && path.exists()) {
        return Ok(path.to_owned());
    }
    if is_path {
        return Err(Error::io(path, "no such weight file"));
    }
    match shipped(name, models) {
        Err(_) if path.is_dir() => Ok(path.to_owned()),
        found => found,
    }
}

/// The weight file of the shipped model called `name`.
pub fn shipped(name: &str, models: &Path) -> Result<PathBuf> {
    let index = index(models)?;
    Ok(models.join(&index.entry(name)?.file))
}

/// The index of the shipped models in a folder.
fn index(models: &Path) -> Result<Manifest> {
    let index = files::read(&models.join("index.json"))?;
    Manifest::from_json(&String::from_utf8_lossy(&index))
}

/// A progress bar over the windows of a large picture; hidden without a terminal.
pub fn watch() -> Result<impl AsyncFnMut(Phase, usize, usize) -> bool> {
    let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}")
        .map_err(|e| Error::Internal(e.to_string()))?;
    let bar = ProgressBar::no_length().with_style(style);
    Ok(async move |stage, done, total| {
        bar.set_length(total as u64);
        bar.set_message(match stage {
            Phase::Encode => "encode",
            Phase::Decode => "decode",
        });
        bar.set_position(done as u64);
        if done == total {
            bar.finish_and_clear();
        }
        true
    })
}
