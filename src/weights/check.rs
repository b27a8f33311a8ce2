use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use burn::tensor::Device;

use super::container::elements;
use super::hashes::{Hashes, Hashing};
use super::{Container, Family, NAME_KEY, Recognised, TUNING_KEY};
use crate::error::{Error, Result, shown};
use crate::models::{Config, ModelConfig};
use crate::params;

/// A weight file that is understood, and every way in which its tensors are not the model's.
#[derive(Debug)]
pub struct Survey {
    /// Where the file comes from.
    pub family: Family,
    /// The model that it holds.
    pub config: ModelConfig,
    /// Fields of the config that were assumed; see [`Recognised::assumed`].
    pub assumed: Vec<&'static str>,
    /// The model's name, where the file has one.
    pub name: Option<String>,
    /// How it was fine-tuned, where the file says so: JSON, if this crate wrote it.
    pub tuning: Option<String>,
    /// Shape of the file's tensors, by the model's names.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Tensors of the file that are no part of the model.
    pub aside: Vec<String>,
    /// What all names of the model's tensors begin with in the file; mostly nothing.
    pub prefix: String,
    /// What the names of other models in the file begin with.
    pub others: Vec<String>,
    /// Empty where the model can be built.
    pub faults: Vec<Fault>,
    file: Container,
    /// The file's name of each of the model's tensors.
    names: BTreeMap<String, String>,
}

/// A tensor that is not as the model needs it: by its name in the file, or the model's where it is
/// missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The model has it and the file has not.
    Missing(String),
    /// The file has it and the model has not.
    Unexpected(String),
    /// It has other sides than the model's.
    Misshapen {
        /// Which tensor.
        name: String,
        /// Its sides in the model.
        expected: Vec<usize>,
        /// Its sides in the file.
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
    /// Looks at names and shapes; no value is read. `config` is the text of a `config.json` that
    /// came with the file; see [`Recognised::of`].
    ///
    /// # Errors
    /// Those of [`Recognised::of`].
    pub fn of(file: Container, config: Option<&str>) -> Result<Self> {
        let recognised = Recognised::of(&file, config)?;
        let shapes: BTreeMap<String, Vec<usize>> = recognised
            .names
            .iter()
            .map(|(ours, theirs)| {
                let stored = file.shape(theirs).unwrap_or_default();
                (ours.clone(), Layout::of(ours, theirs, stored).shape(stored))
            })
            .collect();
        let expected = params::shapes(&recognised.config.network(&Device::flex())?);
        Ok(Self {
            faults: faults(&expected, &shapes, &recognised.names),
            family: recognised.family,
            config: recognised.config,
            assumed: recognised.assumed,
            name: file.metadata(NAME_KEY).map(str::to_owned),
            tuning: file.metadata(TUNING_KEY).map(str::to_owned),
            shapes,
            aside: recognised.aside,
            prefix: recognised.prefix,
            others: recognised.others,
            file,
            names: recognised.names,
        })
    }

    /// Number of values in the model's tensors.
    pub fn parameters(&self) -> u64 {
        let count = |sum: u64, shape: &Vec<usize>| sum.saturating_add(elements(shape));
        self.shapes.values().fold(0, count)
    }

    /// Number of values in the largest of them.
    pub fn largest(&self) -> u64 {
        let count = |shape: &Vec<usize>| elements(shape);
        self.shapes.values().map(count).max().unwrap_or(0)
    }

    /// Whether the file has just the model's tensors.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] names the first one that is missing, misshapen or not the model's.
    pub fn fits(&self) -> Result<()> {
        let Some(first) = self.faults.first() else {
            return Ok(());
        };
        Err(Error::WeightsMismatch(match self.faults.len() {
            1 => first.to_string(),
            many => format!("{first}, and {} other tensors do not fit", many - 1),
        }))
    }

    /// The keys of a PyTorch checkpoint under which the model was found; see [`Container::taken`].
    pub fn taken(&self) -> &str {
        self.file.taken()
    }

    /// Where else in a PyTorch checkpoint there are models.
    pub fn passed_over(&self) -> &[String] {
        self.file.passed_over()
    }

    /// The values of one of the model's tensors.
    fn values(&self, ours: &str) -> Result<Vec<f32>> {
        let missing = || Error::WeightsMismatch(format!("`{ours}` is missing"));
        let theirs = self.names.get(ours).ok_or_else(missing)?;
        let stored = self.file.shape(theirs).unwrap_or_default();
        let values = self.file.values(theirs)?;
        Ok(match (Layout::of(ours, theirs, stored), stored) {
            (Layout::Transposed, &[rows, columns]) => params::transposed(&values, rows, columns),
            _ => values,
        })
    }
}

/// A weight file whose tensors are the model's, every value of which has been looked at.
#[derive(Debug)]
pub struct CheckedWeights {
    survey: Survey,
    /// What token files are matched by.
    pub hashes: Hashes,
}

impl CheckedWeights {
    /// Checks a file that is wholly in memory. `config` is as in [`Survey::of`].
    ///
    /// # Errors
    /// Those of [`Container::open`] and [`CheckedWeights::new`].
    pub fn of(bytes: Vec<u8>, config: Option<&str>) -> Result<Self> {
        Self::new(Container::open(Rc::new(bytes))?, config)
    }

    /// Looks at every value, a tensor at a time, without building a model.
    ///
    /// # Errors
    /// Those of [`Survey::of`]; [`Error::WeightsMismatch`] naming the first tensor that is missing,
    /// misshapen, not the model's, or of a type that is not read; [`Error::WeightsNotFinite`].
    pub fn new(file: Container, config: Option<&str>) -> Result<Self> {
        Self::of_survey(Survey::of(file, config)?)
    }

    /// Goes on from a look at names and shapes to every value.
    ///
    /// # Errors
    /// As [`CheckedWeights::new`], but for those of [`Survey::of`].
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

    /// The values of one of the model's tensors, read anew.
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

/// How a family stores what the model holds otherwise.
#[derive(Debug, PartialEq, Eq)]
enum Layout {
    AsItIs,
    /// diffusers stores attention's 1×1 convolutions as linear layers.
    Linear,
    /// rosinality stores a codebook's entries as columns.
    Transposed,
}

impl Layout {
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
