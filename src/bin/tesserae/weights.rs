//! Opens weights from a file, one of several shards, or a folder, and the config next to them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::tensor::Device;
use serde::Deserialize;
use serde_json::Value;
use tesserae::weights::{self, CheckedWeights, Container, Loaded, Source, Survey, refuse_shard};
use tesserae::{Error, ModelConfig, Result};

use crate::{files, terminal};

/// A config.json for what the weights' shapes do not determine.
#[derive(Debug, Default, clap::Args)]
pub struct ConfigArgs {
    /// A config.json for what the weights' shapes do not determine, if it is not next to them.
    #[arg(long)]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    pub fn file(&self) -> Option<&PathBuf> {
        self.config.as_ref()
    }

    pub fn text(&self) -> Result<Option<String>> {
        self.config.as_deref().map(files::text).transpose()
    }
}

/// Names of weight files in diffusers and transformers folders, likeliest first.
const NAMES: [&str; 6] = [
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.bin",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
];
/// Subfolders of a diffusers pipeline that contain an autoencoder.
const PARTS: [&str; 3] = ["vae", "vqvae", "movq"];
/// Extensions of weight files, likelier kind first.
const KINDS: [&[&str]; 2] = [&["safetensors", "sft"], &["ckpt", "pt", "pth", "bin"]];
/// Any of these fields identifies a `config.json` of a supported kind of model.
const TELLING: [&str; 9] = [
    "kind",
    "_class_name",
    "norm_num_groups",
    "norm_groups",
    "norm_eps",
    "act_fn",
    "tanh_out",
    "quantizer",
    "sample_size",
];
/// Maximum length of a config in bytes.
const MAX_CONFIG: u64 = 1 << 20;

/// Reads the names and shapes of the weights at `path`, together with the given config, or else the
/// one next to them. No values are read.
pub fn survey(path: &Path, given: &ConfigArgs) -> Result<Survey> {
    survey_by(Survey::of, path, given)
}

/// The same for a prior, also where there is an autoencoder in its file.
pub fn survey_prior(path: &Path, given: &ConfigArgs) -> Result<Survey> {
    survey_by(Survey::prior_of, path, given)
}

fn survey_by(
    survey: impl FnOnce(Container, Option<&str>) -> Result<Survey>,
    path: &Path,
    given: &ConfigArgs,
) -> Result<Survey> {
    let path = file(path)?;
    if let Some(given) = given.text()? {
        return survey(container(&path)?, Some(&given));
    }
    let Some((place, beside)) = beside(&path)? else {
        return survey(container(&path)?, None);
    };
    survey(container(&path)?, Some(&beside)).map_err(|error| match error {
        // The user did not name it, so the message does.
        Error::ConfigInvalid(what) => {
            Error::ConfigInvalid(format!("{what} (from {})", place.display()))
        }
        other => other,
    })
}

/// Also checks every value. Assumed values, and which of several models was chosen, are reported on
/// standard error.
pub fn check(path: &Path, given: &ConfigArgs) -> Result<CheckedWeights> {
    values(survey(path, given)?)
}

/// Continues from a survey to the values, and reports as [`check`] does.
fn values(survey: Survey) -> Result<CheckedWeights> {
    let checked = CheckedWeights::of_survey(survey)?;
    report(&checked);
    Ok(checked)
}

/// Loads the weights as a model.
pub fn load(path: &Path, given: &ConfigArgs, device: &Device) -> Result<Loaded<ModelConfig>> {
    build(survey(path, given)?, device)
}

/// Builds a model from surveyed weights.
pub fn build(survey: Survey, device: &Device) -> Result<Loaded<ModelConfig>> {
    weights::build(&values(survey)?, device)
}

/// Reports assumed values, and which of several models was chosen.
pub fn report(survey: &Survey) {
    let (taken, others) = (survey.taken(), survey.passed_over());
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|name| key(name)).collect();
        let (taken, others) = (key(taken), names.join(", "));
        terminal::warn(format_args!(
            "tesserae: using the weights under {taken}, not those under {others}"
        ));
    }
    if !survey.others.is_empty() {
        let names: Vec<String> = survey.others.iter().map(|name| key(name)).collect();
        let (taken, others) = (key(&survey.prefix), names.join(", "));
        terminal::warn(format_args!(
            "tesserae: using the weights with names under {taken}, not those under {others}"
        ));
    }
    if !survey.assumed.is_empty() {
        let told = assumed(&survey.config, &survey.assumed).join(", ");
        terminal::warn(format_args!(
            "tesserae: assumed, because the file does not say: {told}"
        ));
    }
}

/// A checkpoint's key path, formatted for a message.
pub fn key(path: &str) -> String {
    match path {
        "" => "no key".to_owned(),
        path => format!("`{}`", path.escape_debug()),
    }
}

/// Fields with their assumed values.
fn assumed(config: &ModelConfig, fields: &[&str]) -> Vec<String> {
    let values = serde_json::to_value(config).unwrap_or_default();
    fields
        .iter()
        .map(|field| match values.get(field) {
            Some(value) => format!("{field} {value}"),
            None => (*field).to_owned(),
        })
        .collect()
}

/// The tensors of a weight file, or of all shards listed in an index (`….index.json`).
pub fn container(path: &Path) -> Result<Container> {
    let path = file(path)?;
    if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
        refuse_shard(name)?;
    }
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        let index = files::text(&path)?;
        if index.contains("\"weight_map\"") {
            return Container::sharded(&index, |file| Bytes::open(&path.with_file_name(file)));
        }
    }
    Container::open(Bytes::open(&path)?)
}

/// The existing files that are read for the weights at `path`.
pub fn inputs(path: &Path) -> Vec<PathBuf> {
    let Ok(file) = file(path) else {
        return Vec::new();
    };
    let mut inputs = vec![file.with_file_name("config.json")];
    if file.extension().is_some_and(|e| e == "json")
        && let Ok(index) = files::text(&file)
        && let Ok(index) = serde_json::from_str::<Value>(&index)
        && let Some(map) = index["weight_map"].as_object()
    {
        let shards: BTreeSet<&str> = map.values().filter_map(Value::as_str).collect();
        inputs.extend(shards.into_iter().map(|shard| file.with_file_name(shard)));
    }
    inputs.push(file);
    inputs
}

/// The weight file at `path`: the file itself, or one in the folder.
fn file(path: &Path) -> Result<PathBuf> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let named = NAMES.iter().map(|name| path.join(name));
    if let Some(file) = named.into_iter().find(|file| file.is_file()) {
        return Ok(file);
    }
    let failed = |e| Error::io(path, e);
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        entries.push(entry.map_err(failed)?.path());
    }
    entries.sort();
    for kinds in KINDS {
        let of_kind = |file: &&PathBuf| {
            let extension = file.extension().and_then(|e| e.to_str()).unwrap_or("");
            let hidden = file
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
            kinds.contains(&extension) && !hidden && file.is_file()
        };
        let found: Vec<&PathBuf> = entries.iter().filter(of_kind).collect();
        match found.as_slice() {
            [] => {}
            [only] => return Ok((*only).clone()),
            [first, second, ..] => {
                let name = |file: &Path| {
                    let name = file.file_name().unwrap_or_default();
                    key(&name.to_string_lossy())
                };
                return Err(Error::io(
                    path,
                    format!(
                        "the folder contains {} weight files, such as {} and {}; name the one you mean",
                        found.len(),
                        name(first),
                        name(second)
                    ),
                ));
            }
        }
    }
    let part = PARTS.iter().find(|part| path.join(part).is_dir());
    Err(Error::io(
        path,
        match part {
            Some(part) => {
                format!("this is a pipeline's folder; its autoencoder is in the subfolder `{part}`")
            }
            None => "the folder contains no weight file".to_owned(),
        },
    ))
}

/// The config next to a weight file, if it is a model's: its path and text.
fn beside(file: &Path) -> Result<Option<(PathBuf, String)>> {
    let place = file.with_file_name("config.json");
    let Ok(about) = fs::metadata(&place) else {
        return Ok(None);
    };
    if !about.is_file() || about.len() > MAX_CONFIG {
        return Ok(None);
    }
    let text = files::text(&place)?;
    // An unreadable config may be the one that matters, so it is not skipped.
    let telling = match serde_json::from_str::<Value>(&text) {
        Ok(value) => is_telling(&value),
        Err(_) => true,
    };
    Ok(telling.then_some((place, text)))
}

/// Whether a config is meant for this program. Other programs' configs also have `input` and
/// `resolution`, so these count only with values that are valid here.
fn is_telling(config: &Value) -> bool {
    let input = || <[f32; 2]>::deserialize(&config["input"]).is_ok();
    let resolution = || usize::deserialize(&config["resolution"]).is_ok();
    TELLING.iter().any(|field| config.get(field).is_some()) || input() || resolution()
}

/// A file's bytes, read on demand.
#[derive(Debug)]
struct Bytes {
    path: PathBuf,
    length: u64,
    file: RefCell<File>,
}

impl Bytes {
    fn open(path: &Path) -> Result<Rc<dyn Source>> {
        let failed = |e| Error::io(path, e);
        let file = File::open(path).map_err(failed)?;
        Ok(Rc::new(Self {
            path: path.to_owned(),
            length: file.metadata().map_err(failed)?.len(),
            file: RefCell::new(file),
        }))
    }
}

impl Source for Bytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read(&self, start: u64, length: usize) -> Result<Vec<u8>> {
        self.check(start, length)?;
        let mut bytes = vec![0; length];
        let mut file = self.file.borrow_mut();
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(|e| Error::io(&self.path, e))?;
        Ok(bytes)
    }
}
