//! Measures whether generated pictures help to train a classifier when real ones are few.

use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use serde_json::{Value, json};
use tesserae::random::stream;
use tesserae::{Error, Picture, Result};

use crate::classifier::{Classifier, Lesson, share_right};
use crate::labelled::Example;
use crate::{files, terminal};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Real pictures to train on, with a folder for each class.
    #[arg(long)]
    train: PathBuf,
    /// Real pictures to judge by, likewise.
    #[arg(long)]
    held_out: PathBuf,
    /// Pictures that a model has made, likewise; any number of such folders, each a row.
    #[arg(long, num_args = 1..)]
    made: Vec<PathBuf>,
    /// Numbers of real pictures to train on.
    #[arg(long, num_args = 1.., default_values_t = [100, 500, 2000])]
    real: Vec<usize>,
    /// Trainings of each kind, with other weights and another choice of real pictures.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Steps of each training, of 64 pictures.
    #[arg(long, default_value_t = 600)]
    steps: usize,
}

/// Pictures and their classes.
#[derive(Clone, Default)]
struct Set {
    pictures: Vec<Picture>,
    labels: Vec<usize>,
}

/// What one kind of training came to.
struct Row {
    real: usize,
    made: String,
    /// Share of the held-out pictures that each training got right.
    right: Vec<f64>,
}

impl Args {
    pub fn run(self, json: bool) -> Result<()> {
        for (name, value) in [("--seeds", self.seeds as usize), ("--steps", self.steps)] {
            if value == 0 {
                return Err(Error::Argument(format!("{name} must be at least 1")));
            }
        }
        let examples = Example::all(
            files::pictures(std::slice::from_ref(&self.train))?,
            &self.train,
        )?;
        let classes = Example::classes(&examples);
        let train = Set::of(examples, &classes)?;
        let known = train.labels.len();
        // Before the first training, which takes minutes.
        if let Some(real) = self.real.iter().find(|real| !(1..=known).contains(*real)) {
            let told = format!("--real is {real}, outside 1 to {known}, the pictures there are");
            return Err(Error::Argument(told));
        }
        let held_out = Set::read(&self.held_out, &classes)?;
        let mut sources = vec![("none".to_owned(), Set::default())];
        for folder in &self.made {
            let name = folder.file_name().unwrap_or(folder.as_os_str());
            let made = Set::read(folder, &classes)?;
            let name = name.to_string_lossy().into_owned();
            if sources.iter().any(|(other, _)| *other == name) {
                let told = format!("Two of the folders to compare are called `{name}`");
                return Err(Error::Argument(told));
            }
            sources.push((name, made));
        }
        let mut rows = Vec::new();
        for &real in &self.real {
            for (name, made) in &sources {
                let trained = (0..self.seeds).map(|seed| {
                    let data = train.some(real, seed).and(made);
                    let lesson = Lesson {
                        steps: self.steps,
                        seed,
                    };
                    let classifier =
                        Classifier::trained(&data.pictures, &data.labels, classes.len(), lesson)?;
                    let (_, taken) = classifier.look(&held_out.pictures)?;
                    // There are held-out pictures, or `look` would have failed.
                    Ok(share_right(&taken, &held_out.labels).unwrap_or(0.0))
                });
                let row = Row {
                    real,
                    made: name.clone(),
                    right: trained.collect::<Result<_>>()?,
                };
                if !json {
                    row.print()?;
                }
                rows.push(row.json());
            }
        }
        match json {
            true => terminal::print_json(json!({ "rows": rows })),
            false => Ok(()),
        }
    }
}

impl Set {
    fn read(folder: &Path, classes: &[String]) -> Result<Self> {
        let paths = files::pictures(&[folder.to_owned()])?;
        Self::of(Example::all(paths, folder)?, classes)
    }

    fn of(examples: Vec<Example>, classes: &[String]) -> Result<Self> {
        let read = examples.iter().map(|example| example.picture(classes));
        let (pictures, labels) = read.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        Ok(Self { pictures, labels })
    }

    /// `count` of them by a seed, of all classes alike as far as that is possible.
    fn some(&self, count: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        order.shuffle(&mut stream(seed, 0));
        // By the number of pictures of the same class before it.
        let mut seen = vec![0; self.labels.iter().max().map_or(0, |most| most + 1)];
        let mut ranked: Vec<(usize, usize)> = order
            .into_iter()
            .map(|index| {
                let rank = &mut seen[self.labels[index]];
                *rank += 1;
                (*rank, index)
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let chosen = ranked.into_iter().take(count).map(|(_, index)| index);
        let mut some = Self::default();
        for index in chosen {
            some.pictures.push(self.pictures[index].clone());
            some.labels.push(self.labels[index]);
        }
        some
    }

    fn and(mut self, other: &Self) -> Self {
        self.pictures.extend_from_slice(&other.pictures);
        self.labels.extend_from_slice(&other.labels);
        self
    }
}

impl Row {
    fn mean(&self) -> f64 {
        self.right.iter().sum::<f64>() / self.right.len() as f64
    }

    /// Sample standard deviation; 0 for a single training.
    fn spread(&self) -> f64 {
        let mean = self.mean();
        let squares = self.right.iter().map(|right| (right - mean).powi(2));
        (squares.sum::<f64>() / (self.right.len() - 1).max(1) as f64).sqrt()
    }

    fn json(&self) -> Value {
        json!({
            "real": self.real, "made": self.made, "right": self.right,
            "mean": self.mean(), "spread": self.spread(),
        })
    }

    fn print(&self) -> Result<()> {
        let [mean, spread] = [self.mean(), self.spread()].map(|share| 100.0 * share);
        terminal::print(format_args!(
            "{:>6} real, made {:<20} {mean:6.2} % ± {spread:.2}",
            self.real, self.made
        ))
    }
}
