use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Int, Tensor, TensorData};
use indicatif::ProgressBar;
use rand::RngExt;
use tesserae::nn::Conv2d;
use tesserae::random::stream;
use tesserae::train::{Learner, OptimizerConfig};
use tesserae::{Error, Picture, Result};

const BATCH: usize = 64;
const EPOCHS: usize = 12;
/// Pictures are shifted by up to this many pixels, so that the network learns shapes, not places.
const SHIFT: i32 = 2;
const WIDTH: usize = 128;
const OPTIMIZER: &str =
    r#"{"learning_rate": 0.002, "warmup": 50, "weight_decay": 0.05, "average": 0.998}"#;

/// A small convolutional network that tells classes of pictures apart: an independent judge of
/// whether a sample shows what was asked for.
#[derive(Module, Debug)]
pub struct Classifier {
    convolutions: Vec<Conv2d>,
    hidden: Linear,
    last: Linear,
    side: usize,
}

/// How long a classifier is trained, and from which random numbers.
#[derive(Debug, Clone, Copy)]
pub struct Lesson {
    /// Steps of [`BATCH`] pictures.
    pub steps: usize,
    pub seed: u64,
}

impl Lesson {
    /// Twelve epochs over `count` pictures, at least one step.
    pub fn for_pictures(count: usize) -> Self {
        Self {
            steps: (EPOCHS * count / BATCH).max(1),
            seed: 0,
        }
    }
}

impl Classifier {
    fn new(side: usize, classes: usize, device: &Device) -> Self {
        let conv = |channels| Conv2d::new(channels, [3, 3], 1, [(1, 1); 2], device);
        let pooled = side / 4;
        Self {
            convolutions: vec![conv([3, 32]), conv([32, 64])],
            hidden: LinearConfig::new(64 * pooled * pooled, WIDTH).init(device),
            last: LinearConfig::new(WIDTH, classes).init(device),
            side,
        }
    }

    /// Trains one on square pictures of one size and their classes.
    pub fn trained(
        pictures: &[Picture],
        labels: &[usize],
        classes: usize,
        lesson: Lesson,
    ) -> Result<Self> {
        let Lesson { steps, seed } = lesson;
        let device = Device::flex();
        device.seed(seed);
        if classes < 2 {
            let told = "There is only one class, so there is nothing to tell apart";
            return Err(Error::Argument(told.to_owned()));
        }
        let side = side_of(pictures)?;
        let config: OptimizerConfig =
            serde_json::from_str(OPTIMIZER).map_err(|e| Error::Internal(e.to_string()))?;
        let mut learner = Learner::new(Self::new(side, classes, &device), &config);
        let training = device.clone().autodiff();
        let bar = ProgressBar::new(steps as u64);
        for step in 0..steps {
            let mut rng = stream(seed, step);
            let drawn: Vec<usize> = (0..BATCH)
                .map(|_| rng.random_range(0..pictures.len()))
                .collect();
            let inputs = drawn.iter().flat_map(|index| {
                let [x, y] = [(); 2].map(|()| rng.random_range(-SHIFT..=SHIFT));
                shifted(&pictures[*index], x, y)
            });
            let inputs = TensorData::new(inputs.collect::<Vec<f32>>(), [BATCH, 3, side, side]);
            let targets: Vec<i32> = drawn.iter().map(|index| labels[*index] as i32).collect();
            let targets = TensorData::new(targets, [BATCH, 1]);
            let targets = Tensor::<2, Int>::from_data(targets, &training);
            let (_, logits) = learner
                .module()
                .forward(Tensor::from_data(inputs, &training));
            let loss = log_softmax(logits, 1).gather(1, targets).mean().neg();
            learner.gather(&mut loss.backward());
            learner.step(config.rate(step, steps));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(learner.outcome())
    }

    /// Features `[batch, 128]` and logits `[batch, classes]` of pictures `[batch, 3, side, side]`.
    fn forward(&self, x: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let half = || MaxPoolOptions::new([2, 2]).with_stride([2, 2]);
        let x = self
            .convolutions
            .iter()
            .fold(x, |x, conv| max_pool2d(relu(conv.forward(x)), half()));
        let features = relu(self.hidden.forward(x.flatten(1, 3)));
        let logits = self.last.forward(features.clone());
        (features, logits)
    }

    /// The features of each picture, and the class that it is taken for.
    ///
    /// # Errors
    /// [`Error::Argument`] for pictures of another size than those that it learned from.
    pub fn look(&self, pictures: &[Picture]) -> Result<(Vec<Vec<f32>>, Vec<usize>)> {
        let device = Device::flex();
        let side = side_of(pictures)?;
        if side != self.side {
            return Err(Error::Argument(format!(
                "The classifier learned from pictures of {0}×{0} pixels, but these have {side}×{side}",
                self.side
            )));
        }
        let (mut features, mut classes) = (Vec::new(), Vec::new());
        for pictures in pictures.chunks(BATCH) {
            let inputs = pictures.iter().flat_map(|picture| shifted(picture, 0, 0));
            let inputs = TensorData::new(
                inputs.collect::<Vec<f32>>(),
                [pictures.len(), 3, side, side],
            );
            let (found, logits) = self.forward(Tensor::from_data(inputs, &device));
            let found: Vec<f32> = found.into_data().iter::<f32>().collect();
            features.extend(found.chunks(WIDTH).map(<[f32]>::to_vec));
            classes.extend(
                logits
                    .argmax(1)
                    .into_data()
                    .iter::<i64>()
                    .map(|class| class as usize),
            );
        }
        Ok((features, classes))
    }
}

/// The fraction that was taken for what it is; `None` if nothing was taken for anything.
pub fn share_right(taken: &[usize], labels: &[usize]) -> Option<f64> {
    let right = taken.iter().zip(labels).filter(|(a, b)| a == b).count();
    (!taken.is_empty()).then(|| right as f64 / taken.len() as f64)
}

/// The side of pictures that are all square and of one size.
fn side_of(pictures: &[Picture]) -> Result<usize> {
    let Some(first) = pictures.first() else {
        return Err(Error::Argument(
            "There are no pictures to classify".to_owned(),
        ));
    };
    let side = first.width();
    match pictures
        .iter()
        .find(|p| (p.width(), p.height()) != (side, side))
    {
        Some(other) => Err(Error::Argument(format!(
            "Pictures of one size, all square, can be classified; one has {side} pixels a side, another {}×{}",
            other.width(),
            other.height()
        ))),
        None if side < 4 => Err(Error::Argument(format!(
            "Pictures of {side}×{side} pixels are too small to classify"
        ))),
        None => Ok(side as usize),
    }
}

/// A picture's planes, shifted; what comes in at an edge continues it.
fn shifted(picture: &Picture, x: i32, y: i32) -> Vec<f32> {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    let planes = picture.to_planar(-1.0, 1.0);
    let at = |(channel, row, column): (i32, i32, i32)| {
        let row = (row - y).clamp(0, height - 1);
        let column = (column - x).clamp(0, width - 1);
        planes[((channel * height + row) * width + column) as usize]
    };
    let places =
        (0..3).flat_map(|c| (0..height).flat_map(move |y| (0..width).map(move |x| (c, y, x))));
    places.map(at).collect()
}
