//! The training log.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Instant;

use serde_json::{Map, Value, json};
use tesserae::train::StepReport;
use tesserae::{Error, Result};

use crate::files;
use crate::outputs::Output;

/// The log: means over the steps since the previous line.
pub struct Log {
    output: Output,
    /// Sum of each term, and the number of steps that had it.
    sums: Vec<(&'static str, f64, u32)>,
    steps: usize,
    since: Instant,
    /// The last line, or the start of the training.
    pub last: Value,
}

impl Log {
    /// Starts a new log, or continues after the lines of the first `done` steps.
    pub fn open(output: Output, goes_on: bool, done: usize) -> Result<Self> {
        let old = match goes_on && output.path().is_file() {
            true => files::text(output.path())?,
            false => String::new(),
        };
        let step = |line: &str| serde_json::from_str::<Value>(line).ok()?["step"].as_u64();
        let kept = old
            .lines()
            .filter(|line| step(line).is_some_and(|step| step <= done as u64));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        output.write(kept.as_bytes())?;
        Ok(Self {
            output,
            sums: Vec::new(),
            steps: 0,
            since: Instant::now(),
            last: json!({"step": done}),
        })
    }

    pub fn add(&mut self, report: &StepReport) {
        self.steps += 1;
        for (name, value) in &report.losses {
            let value = f64::from(*value);
            match self.sums.iter_mut().find(|(known, ..)| known == name) {
                Some((_, sum, steps)) => (*sum, *steps) = (*sum + value, *steps + 1),
                None => self.sums.push((name, value, 1)),
            }
        }
    }

    /// Steps since the last line.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// How often something that every step does `each` times was done a second, since the last
    /// line.
    pub fn rate(&self, each: usize) -> f64 {
        (self.steps.max(1) * each) as f64 / self.since.elapsed().as_secs_f64()
    }

    /// Begins a line with the step, and the mean of each term since the last line.
    pub fn line(&self, step: usize) -> Map<String, Value> {
        let means = self.sums.iter().map(|(name, sum, steps)| {
            let mean = sum / f64::from(*steps);
            ((*name).to_owned(), mean.into())
        });
        [("step".to_owned(), step.into())]
            .into_iter()
            .chain(means)
            .collect()
    }

    /// Writes a line.
    pub fn write(&mut self, line: Map<String, Value>) -> Result<()> {
        self.last = Value::Object(line);
        let file = OpenOptions::new().append(true).open(self.output.path());
        file.and_then(|mut file| writeln!(file, "{}", self.last))
            .map_err(|e| Error::io(self.output.path(), e))?;
        (self.sums, self.steps, self.since) = (Vec::new(), 0, Instant::now());
        Ok(())
    }
}
