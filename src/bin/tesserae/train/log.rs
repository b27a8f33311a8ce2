//! The training log.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Instant;

use serde_json::{Map, Value, json};
use tesserae::train::{CodebookWatch, Reconstruction, Session, StepReport, TrainConfig};
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

    /// Writes a line, and returns the message for the progress bar.
    pub async fn write(
        &mut self,
        session: &mut Session<Reconstruction>,
        config: &TrainConfig,
        watch: &mut CodebookWatch,
        held_out: Option<f64>,
    ) -> Result<String> {
        let steps = self.steps.max(1) as f64;
        let crops = steps * (config.batch * config.accumulate) as f64;
        let rate = crops / self.since.elapsed().as_secs_f64();
        let usage = session.task_mut().take_usage().await?;
        let mut line = Map::new();
        line.insert("step".into(), session.done().into());
        for (name, sum, steps) in &self.sums {
            let mean = sum / f64::from(*steps);
            line.insert((*name).into(), mean.into());
            if *name == "mse" {
                line.insert("psnr".into(), (-10.0 * mean.log10()).into());
            }
        }
        let learning_rate = config.optimizer.rate(session.done() - 1, config.steps);
        line.insert("learning_rate".into(), learning_rate.into());
        line.insert("used".into(), usage.used.into());
        line.insert("perplexity".into(), usage.perplexity.into());
        watch.see(session.done(), self.steps, usage);
        if watch.collapsed().is_some() {
            line.insert("collapsed".into(), true.into());
        }
        line.insert("crops_per_second".into(), rate.into());
        if let Some(psnr) = held_out {
            line.insert("held_out_psnr".into(), psnr.into());
        }
        let psnr = line.get("psnr").and_then(Value::as_f64).unwrap_or_default();
        let message = format!(
            "{psnr:.2} dB, {} codes, perplexity {:.0}, {rate:.1} crops/s",
            usage.used, usage.perplexity
        );
        self.last = Value::Object(line);
        let file = OpenOptions::new().append(true).open(self.output.path());
        file.and_then(|mut file| writeln!(file, "{}", self.last))
            .map_err(|e| Error::io(self.output.path(), e))?;
        (self.sums, self.steps, self.since) = (Vec::new(), 0, Instant::now());
        Ok(message)
    }
}
