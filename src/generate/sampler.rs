use burn::tensor::Device;

use super::SampleOptions;
use super::masked::MaskedSampler;
use super::raster::RasterSampler;
use super::run::{Run, batch};
use crate::error::{Error, Result};
use crate::models::{Predictor, Prior, PriorConfig};
use crate::tokens::Grid;

/// Draws the tokens of some pictures, step by step.
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use pollster::block_on;
/// # use tesserae::generate::{SampleOptions, Sampler};
/// # use tesserae::models::Prior;
/// # use tesserae::PriorConfig;
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = PriorConfig::preset("maskgit-tiny")?;
/// let prior = Prior::new(&config, &device)?; // random weights
/// let options = SampleOptions { class: Some(3), count: 2, steps: 4, ..Default::default() };
/// let mut sampler = Sampler::new(prior, &config, options, None, &device)?;
/// while sampler.done() < sampler.steps() {
///     block_on(sampler.step())?;
///     let known = sampler.tokens()[0].iter().flatten().count();
///     println!("{known} tokens of the first picture are known");
/// }
/// assert_eq!(sampler.grids()?[1].indices.len(), 16);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sampler {
    prior: Prior,
    state: State,
    /// Tokens of each picture, row-major; `None` where not drawn yet.
    tokens: Vec<Vec<Option<u32>>>,
    options: SampleOptions,
    grid: [usize; 2],
    done: usize,
    device: Device,
}

#[derive(Debug)]
enum State {
    Masked(MaskedSampler),
    Raster(RasterSampler),
}

impl Sampler {
    /// Begins with no tokens, or with `start`, row-major, `None` where they are to be drawn.
    ///
    /// # Errors
    /// [`Error::Argument`] for options that do not fit the prior, for a `start` of the wrong length,
    /// with codes that it does not have, or with nothing to draw, and for any with a prior that
    /// predicts row by row.
    pub fn new(
        prior: Prior,
        config: &PriorConfig,
        options: SampleOptions,
        start: Option<&[Option<u32>]>,
        device: &Device,
    ) -> Result<Self> {
        options.validate(config)?;
        let start = match start {
            Some(start) => checked(start, config)?.to_vec(),
            None => vec![None; config.tokens()],
        };
        let batch = batch(config);
        let state = match prior.predictor() {
            Predictor::Masked(_) => {
                State::Masked(MaskedSampler::new(config, &options, &start, batch))
            }
            Predictor::Raster(_) if start.iter().any(Option::is_some) => {
                let told =
                    "This prior predicts tokens row by row, so it cannot fill in between others";
                return Err(Error::Argument(told.to_owned()));
            }
            Predictor::Raster(_) => State::Raster(RasterSampler::new(config, &options, batch)),
        };
        Ok(Self {
            prior,
            state,
            tokens: vec![start; options.count],
            options,
            grid: config.grid(),
            done: 0,
            device: device.clone(),
        })
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        match &self.state {
            State::Masked(masked) => masked.steps(),
            State::Raster(_) => self.grid[0] * self.grid[1],
        }
    }

    /// Steps done so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The tokens of each picture so far, row-major; `None` where not drawn yet.
    pub fn tokens(&self) -> &[Vec<Option<u32>>] {
        &self.tokens
    }

    /// Takes the next step, for all pictures; none if all are done.
    ///
    /// # Errors
    /// [`Error::LogitsNotFinite`], and [`Error::DeviceLost`] when the device fails.
    pub async fn step(&mut self) -> Result<()> {
        if self.done >= self.steps() {
            return Ok(());
        }
        let run = Run {
            options: &self.options,
            device: &self.device,
            step: self.done,
        };
        match (&mut self.state, self.prior.predictor()) {
            (State::Masked(masked), Predictor::Masked(prior)) => {
                masked.step(prior, run, &mut self.tokens).await?;
            }
            (State::Raster(raster), Predictor::Raster(prior)) => {
                raster.step(prior, run, &mut self.tokens).await?;
            }
            _ => return Err(Error::Internal("a prior changed its order".to_owned())),
        }
        self.done += 1;
        Ok(())
    }

    /// The pictures' tokens.
    ///
    /// # Errors
    /// [`Error::Argument`] before the last step.
    pub fn grids(&self) -> Result<Vec<Grid>> {
        let [rows, columns] = self.grid.map(|side| side as u32);
        let whole = |tokens: &Vec<Option<u32>>| {
            let indices: Option<Vec<u32>> = tokens.iter().copied().collect();
            indices.map(|indices| Grid {
                rows,
                columns,
                indices,
            })
        };
        let grids: Option<Vec<Grid>> = self.tokens.iter().map(whole).collect();
        grids.ok_or_else(|| Error::Argument("Sampling is not done yet".to_owned()))
    }
}

/// Checks tokens to start from.
fn checked<'a>(start: &'a [Option<u32>], config: &PriorConfig) -> Result<&'a [Option<u32>]> {
    let refused = |message: String| Err(Error::Argument(message));
    let [rows, columns] = config.grid();
    if start.len() != rows * columns {
        return refused(format!(
            "{} tokens were given, but this prior has a {rows}×{columns} grid",
            start.len()
        ));
    }
    let codes = config.codes();
    if let Some(code) = start.iter().flatten().find(|code| **code as usize >= codes) {
        return refused(format!("Code {code} is outside this prior's {codes}"));
    }
    match start.iter().any(Option::is_none) {
        true => Ok(start),
        false => refused("No token is masked, so there is nothing to fill".to_owned()),
    }
}
