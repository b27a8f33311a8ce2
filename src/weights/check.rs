use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use burn::tensor::Device;

use super::container::elements;
use super::hashes::{Hashes, Hashing};
use super::{CORPUS_KEY, Container, Corpus, Family, NAME_KEY, Recognised, TUNING_KEY};
use crate::error::{Error, Result, shown};
use crate::models::{Config, ModelConfig};
use crate::params;

/// A recognised weight file, and every mismatch between its tensors and the model's.
///
/// # Examples
///
/// What a file is, before any value is read:
///
/// ```
/// # use std::rc::Rc;
/// # use tesserae::weights::{Container, Survey};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = std::fs::read("www/models/photos-f8.safetensors")?;
/// let survey = Survey::of(Container::open(Rc::new(file))?, None)?;
/// assert_eq!(survey.config.kind(), "vqgan");
/// assert!(survey.faults.is_empty());
/// println!("{} parameters of {}", survey.parameters(), survey.family);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Survey {
    /// Origin of the file.
    pub family: Family,
    /// Config of the model it contains.
    pub config: ModelConfig,
    /// Config fields whose values were assumed; see [`Recognised::assumed`].
    pub assumed: Vec<&'static str>,
    /// The model's name, if the file has one.
    pub name: Option<String>,
    /// How it was fine-tuned, if the file says so; JSON if this crate wrote it.
    pub tuning: Option<String>,
    /// For a prior, what it learned from, if the file says so.
    pub corpus: Option<Corpus>,
    /// Shapes of the file's tensors, by the model's names.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Tensors in the file that are not part of the model.
    pub aside: Vec<String>,
    /// Prefix of the model's tensor names in the file; usually empty.
    pub prefix: String,
    /// Prefixes of other models' tensor names in the file.
    pub others: Vec<String>,
    /// Mismatches; empty if the model can be built.
    pub faults: Vec<Fault>,
    file: Container,
    /// Maps the model's tensor names to the file's.
    names: BTreeMap<String, String>,
}

/// A mismatch, with the tensor's name in the file, or in the model if it is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The model needs it, but the file does not contain it.
    Missing(String),
    /// The file contains it, but the model does not have it.
    Unexpected(String),
    /// Its shape differs from the model's.
    Misshapen {
        /// Name of the tensor.
        name: String,
        /// Its shape in the model.
        expected: Vec<usize>,
        /// Its shape in the file.
        found: Vec<usize>,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{} is missing", shown(name)),
            Self::Unexpected(name) => write!(f, "{} is not part of this model", shown(name)),
            Self::Misshapen {
                name,
                expected,
                found,
            } => write!(
                f,
                "{} has shape {found:?} where {expected:?} is expected",
                shown(name)
            ),
        }
    }
}

impl Survey {
    /// Checks names and shapes without reading any values. `config` is the text of a `config.json`
    /// that came with the file; see [`Recognised::of`].
    ///
    /// # Errors
    /// The errors of [`Recognised::of`].
    pub fn of(file: Container, config: Option<&str>) -> Result<Self> {
        let recognised = Recognised::of(&file, config)?;
        Self::recognised(file, recognised)
    }

    /// The same for the prior in the file, if there is one next to an autoencoder.
    ///
    /// # Errors
    /// The errors of [`Recognised::prior_of`].
    pub fn prior_of(file: Container, config: Option<&str>) -> Result<Self> {
        let recognised = Recognised::prior_of(&file, config)?;
        Self::recognised(file, recognised)
    }

    fn recognised(file: Container, recognised: Recognised) -> Result<Self> {
        let shapes: BTreeMap<String, Vec<usize>> = recognised
            .names
            .iter()
            .map(|(ours, theirs)| {
                let stored = file.shape(theirs).unwrap_or_default();
                (
                    ours.clone(),
                    Foreign::of(ours, theirs, stored).shape(stored),
                )
            })
            .collect();
        let expected = params::shapes(&recognised.config.network(&Device::flex())?);
        // Other projects may have something else under this key.
        let corpus = match recognised.family {
            Family::Tesserae => file.metadata(CORPUS_KEY).map(Corpus::from_json),
            _ => None,
        };
        Ok(Self {
            faults: faults(&expected, &shapes, &recognised.names),
            family: recognised.family,
            config: recognised.config,
            assumed: recognised.assumed,
            name: file.metadata(NAME_KEY).map(str::to_owned),
            tuning: file.metadata(TUNING_KEY).map(str::to_owned),
            corpus: corpus.transpose()?,
            shapes,
            aside: recognised.aside,
            prefix: recognised.prefix,
            others: recognised.others,
            file,
            names: recognised.names,
        })
    }

    /// Total number of values in the model's tensors.
    pub fn parameters(&self) -> u64 {
        let count = |sum: u64, shape: &Vec<usize>| sum.saturating_add(elements(shape));
        self.shapes.values().fold(0, count)
    }

    /// Number of values in the model's largest tensor.
    pub fn largest(&self) -> u64 {
        let count = |shape: &Vec<usize>| elements(shape);
        self.shapes.values().map(count).max().unwrap_or(0)
    }

    /// Checks that the file has exactly the model's tensors.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] names the first missing, misshapen or unexpected tensor.
    pub fn fits(&self) -> Result<()> {
        let Some(first) = self.faults.first() else {
            return Ok(());
        };
        Err(Error::WeightsMismatch(match self.faults.len() {
            1 => first.to_string(),
            many => format!("{first}, and {} other tensors do not match", many - 1),
        }))
    }

    /// Keys of a PyTorch checkpoint that lead to the model; see [`Container::taken`].
    pub fn taken(&self) -> &str {
        self.file.taken()
    }

    /// Other models in a PyTorch checkpoint.
    pub fn passed_over(&self) -> &[String] {
        self.file.passed_over()
    }

    /// The values of one of the model's tensors.
    fn values(&self, ours: &str) -> Result<Vec<f32>> {
        let missing = || Error::WeightsMismatch(format!("`{ours}` is missing"));
        let theirs = self.names.get(ours).ok_or_else(missing)?;
        let stored = self.file.shape(theirs).unwrap_or_default();
        let values = self.file.values(theirs)?;
        Ok(match (Foreign::of(ours, theirs, stored), stored) {
            (Foreign::Transposed, &[rows, columns]) => params::transposed(&values, rows, columns),
            _ => values,
        })
    }
}

/// A fully validated weight file: its tensors match the model, and every value is finite.
///
/// # Examples
///
/// Converting a file, here to the type of half the size:
///
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::weights::{About, CheckedWeights, Storage, build, save};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = std::fs::read("www/models/digits.safetensors")?;
/// let checked = CheckedWeights::of(file, None)?;
/// let model = build(&checked, &Device::flex())?;
/// let about = About::named(Some("small"));
/// let half = block_on(save(&model.network, &model.config, about, Storage::F16))?;
/// assert_eq!(CheckedWeights::of(half, None)?.name.as_deref(), Some("small"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CheckedWeights {
    survey: Survey,
    /// The hashes that match token files to models.
    pub hashes: Hashes,
}

impl CheckedWeights {
    /// Checks a file in memory. `config` is as in [`Survey::of`].
    ///
    /// # Errors
    /// The errors of [`Container::open`] and [`CheckedWeights::new`].
    pub fn of(bytes: Vec<u8>, config: Option<&str>) -> Result<Self> {
        Self::new(Container::open(Rc::new(bytes))?, config)
    }

    /// Checks every value, one tensor at a time, without building a model.
    ///
    /// # Errors
    /// The errors of [`Survey::of`]; [`Error::WeightsMismatch`] naming the first tensor that is
    /// missing, misshapen, unexpected or of an unsupported type; [`Error::WeightsNotFinite`].
    pub fn new(file: Container, config: Option<&str>) -> Result<Self> {
        Self::of_survey(Survey::of(file, config)?)
    }

    /// Continues from a survey to a check of every value.
    ///
    /// # Errors
    /// The errors of [`CheckedWeights::new`], except for those of [`Survey::of`].
    pub fn of_survey(survey: Survey) -> Result<Self> {
        survey.fits()?;
        let mut hashes = Hashing::default();
        for (ours, shape) in &survey.shapes {
            let values = survey.values(ours)?;
            if !values.iter().all(|v| v.is_finite()) {
                let theirs = survey.names.get(ours).unwrap_or(ours);
                return Err(Error::WeightsNotFinite(theirs.clone()));
            }
            hashes.add(survey.config.part(ours), ours, shape, &values);
        }
        Ok(Self {
            survey,
            hashes: hashes.finish(),
        })
    }

    /// Reads one of the model's tensors again.
    pub(crate) fn values(&self, ours: &str) -> Result<Vec<f32>> {
        self.survey.values(ours)
    }
}

impl std::ops::Deref for CheckedWeights {
    type Target = Survey;

    fn deref(&self) -> &Survey {
        &self.survey
    }
}

fn faults(
    expected: &BTreeMap<String, Vec<usize>>,
    found: &BTreeMap<String, Vec<usize>>,
    names: &BTreeMap<String, String>,
) -> Vec<Fault> {
    let theirs = |ours: &String| names.get(ours).unwrap_or(ours).clone();
    let ours = expected
        .iter()
        .filter_map(|(name, expected)| match found.get(name) {
            None => Some(Fault::Missing(name.clone())),
            Some(found) if found != expected => Some(Fault::Misshapen {
                name: theirs(name),
                expected: expected.clone(),
                found: found.clone(),
            }),
            Some(_) => None,
        });
    let surplus = found.keys().filter(|name| !expected.contains_key(*name));
    ours.chain(surplus.map(theirs).map(Fault::Unexpected))
        .collect()
}

/// How a family's storage of a tensor differs from the model's.
#[derive(Debug, PartialEq, Eq)]
enum Foreign {
    AsItIs,
    /// diffusers stores attention's 1×1 convolutions as linear layers.
    Linear,
    /// rosinality stores a codebook's entries as columns.
    Transposed,
}

impl Foreign {
    fn of(ours: &str, theirs: &str, stored: &[usize]) -> Self {
        let projection = ["q", "k", "v", "proj_out"]
            .iter()
            .any(|part| ours.ends_with(&format!(".{part}.weight")));
        if stored.len() != 2 {
            Self::AsItIs
        } else if projection {
            Self::Linear
        } else if ours.ends_with(".embedding.weight") && theirs.ends_with(".embed") {
            Self::Transposed
        } else {
            Self::AsItIs
        }
    }

    fn shape(&self, stored: &[usize]) -> Vec<usize> {
        match (self, stored) {
            (Self::Linear, &[to, from]) => vec![to, from, 1, 1],
            (Self::Transposed, &[rows, columns]) => vec![columns, rows],
            _ => stored.to_vec(),
        }
    }
}
