use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, one_line};
use crate::fields::within;
use crate::models::{MaskGitConfig, PriorConfig};
use crate::tokens::Grid;
use crate::train::OptimizerConfig;

/// Rows and columns of a small prior's window, at most.
const SMALL_SIDE: usize = 16;

/// How a prior is trained; the JSON file that `tesserae train` takes for one.
///
/// # Examples
/// ```
/// # use tesserae::train::PriorTrainConfig;
/// let config = PriorTrainConfig::from_json(
///     r#"{
///         "model": {"kind": "maskgit", "codes": 8, "rows": 4, "columns": 4, "classes": 2,
///                   "width": 16, "layers": 2, "heads": 2, "hidden": 32},
///         "batch": 2,
///         "steps": 4,
///         "optimizer": {"learning_rate": 0.001}
///     }"#,
/// )?;
/// assert_eq!(config.label_drop, 0.1);
/// # Ok::<(), tesserae::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorTrainConfig {
    /// The prior to train.
    pub model: PriorConfig,
    /// Grids per batch.
    pub batch: usize,
    /// Total number of steps.
    pub steps: usize,
    /// Optimizer of the prior.
    pub optimizer: OptimizerConfig,
    /// Fraction of the grids whose class is left out, so that guidance has a prediction without
    /// one.
    #[serde(default = "tenth")]
    pub label_drop: f64,
    /// Fraction of the tokens given to the prior that are replaced by random codes, against
    /// learning a small set by heart; the targets stay.
    #[serde(default)]
    pub noise: f64,
    /// Whether pictures are also encoded mirrored.
    #[serde(default)]
    pub mirror: bool,
    /// Pictures are also encoded shifted by this many pixels to each of four sides.
    #[serde(default)]
    pub shift: u32,
    /// Seed of the batches and, without initial weights, of the weights.
    #[serde(default)]
    pub seed: u64,
}

fn tenth() -> f64 {
    0.1
}

impl PriorTrainConfig {
    /// Reads a config from JSON.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn from_json(json: &str) -> Result<Self> {
        let config: Self =
            serde_json::from_str(json).map_err(|e| Error::ConfigInvalid(one_line(e)))?;
        config.validate()?;
        Ok(config)
    }

    /// For a small prior on the tokens of a few pictures: masked, unconditional, over windows of at most
    /// 16×16 of a codebook of `codes`.
    ///
    /// # Errors
    /// [`Error::DatasetEmpty`] without grids, [`Error::ConfigInvalid`] for no steps.
    ///
    /// # Examples
    /// ```
    /// # use tesserae::models::Vocabulary;
    /// # use tesserae::tokens::Grid;
    /// # use tesserae::train::PriorTrainConfig;
    /// let grids = [Grid { rows: 9, columns: 40, indices: vec![3; 360] }];
    /// let config = PriorTrainConfig::small(&grids, 512, 300)?;
    /// assert_eq!(config.model.grid(), [9, 16]);
    /// # Ok::<(), tesserae::Error>(())
    /// ```
    pub fn small(grids: &[Grid], codes: usize, steps: usize) -> Result<Self> {
        let least = |side: fn(&Grid) -> u32| grids.iter().map(side).min();
        let (Some(rows), Some(columns)) = (least(|grid| grid.rows), least(|grid| grid.columns))
        else {
            return Err(Error::DatasetEmpty("the tokens".to_owned()));
        };
        let model = MaskGitConfig {
            codes,
            rows: (rows as usize).min(SMALL_SIDE),
            columns: (columns as usize).min(SMALL_SIDE),
            classes: 0,
            width: 128,
            layers: 4,
            heads: 4,
            hidden: 344,
        };
        let config = Self {
            model: PriorConfig::MaskGit(model),
            batch: 8,
            steps,
            optimizer: OptimizerConfig {
                learning_rate: 1e-3,
                warmup: 20,
                final_share: 0.01,
                beta_1: 0.9,
                beta_2: 0.95,
                weight_decay: 0.03,
                clip: Some(1.0),
                average: Some(0.99),
            },
            label_drop: 0.0,
            noise: 0.1,
            mirror: false,
            shift: 0,
            seed: 0,
        };
        config.validate().map(|()| config)
    }

    /// Rejects values that training could not start with.
    ///
    /// # Errors
    /// [`Error::ConfigInvalid`] names the field.
    pub fn validate(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::ConfigInvalid(message));
        self.model.validate()?;
        within("batch", self.batch, 1 << 14)?;
        within("steps", self.steps, u32::MAX as usize)?;
        for (name, value) in [("label_drop", self.label_drop), ("noise", self.noise)] {
            if !(0.0..1.0).contains(&value) {
                return invalid(format!("`{name}` must be at least 0 and below 1"));
            }
        }
        if self.shift > 64 {
            return invalid(format!("`shift` is {}, above 64", self.shift));
        }
        self.optimizer.validate()
    }
}
