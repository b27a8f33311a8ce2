use burn::tensor::Device;

use super::masked::MaskedSampler;
use super::raster::RasterSampler;
use super::run::{Run, batch};
use super::{Canvas, SampleOptions};
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
///     let known = sampler.pictures()[0].tokens().iter().flatten().count();
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
    pictures: Vec<Canvas>,
    options: SampleOptions,
    done: usize,
    device: Device,
}

#[derive(Debug)]
enum State {
    Masked(MaskedSampler),
    Raster(RasterSampler),
}

impl Sampler {
    /// Begins with no tokens on the prior's own grid, or with `start`. That may be of any size with a
    /// masked prior: of a larger one it sees a window at a time, and what is missing of a smaller one
    /// stays masked.
    ///
    /// # Errors
    /// [`Error::Argument`] for options that do not fit the prior, for a `start` with codes that it
    /// does not have or with nothing to draw, and for any with a prior that predicts row by row.
    pub fn new(
        prior: Prior,
        config: &PriorConfig,
        options: SampleOptions,
        start: Option<Canvas>,
        device: &Device,
    ) -> Result<Self> {
        options.validate(config)?;
        let [rows, columns] = config.grid();
        let begun = start.is_some();
        let start = start.unwrap_or_else(|| Canvas::empty(rows, columns));
        check(&start, config)?;
        let batch = batch(config);
        let state = match prior.predictor() {
            Predictor::Masked(_) => {
                State::Masked(MaskedSampler::new(config, &options, &start, batch))
            }
            Predictor::Raster(_) if begun => {
                let told =
                    "This prior predicts tokens row by row, so it cannot fill in between others";
                return Err(Error::Argument(told.to_owned()));
            }
            Predictor::Raster(_) => State::Raster(RasterSampler::new(config, &options, batch)),
        };
        Ok(Self {
            prior,
            state,
            pictures: vec![start; options.count],
            options,
            done: 0,
            device: device.clone(),
        })
    }

    /// Number of steps.
    pub fn steps(&self) -> usize {
        match &self.state {
            State::Masked(masked) => masked.steps(),
            State::Raster(raster) => raster.steps(),
        }
    }

    /// Steps done so far.
    pub fn done(&self) -> usize {
        self.done
    }

    /// The pictures' tokens so far.
    pub fn pictures(&self) -> &[Canvas] {
        &self.pictures
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
                masked.step(prior, run, &mut self.pictures).await?;
            }
            (State::Raster(raster), Predictor::Raster(prior)) => {
                raster.step(prior, run, &mut self.pictures).await?;
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
        let grids: Option<Vec<Grid>> = self.pictures.iter().map(Canvas::grid).collect();
        grids.ok_or_else(|| Error::Argument("Sampling is not done yet".to_owned()))
    }
}

/// Checks tokens to start from.
fn check(start: &Canvas, config: &PriorConfig) -> Result<()> {
    let refused = |message: String| Err(Error::Argument(message));
    let (codes, mut known) = (config.codes(), start.tokens().iter().flatten());
    if let Some(code) = known.find(|code| **code as usize >= codes) {
        return refused(format!("Code {code} is outside this prior's {codes}"));
    }
    match start.tokens().iter().any(Option::is_none) {
        true => Ok(()),
        false => refused("No token is masked, so there is nothing to fill".to_owned()),
    }
}
