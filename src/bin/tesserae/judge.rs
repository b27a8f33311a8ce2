//! Measures how alike two pictures look by the features of a network that no training used.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use tesserae::nn::FeatureNetwork;
use tesserae::weights::{Container, load_features};
use tesserae::{Picture, Result};

use crate::files;

/// Pixels of the largest picture that is judged: its activations take two gigabytes.
const LARGEST: usize = 1 << 22;

#[derive(Debug, clap::Args)]
pub struct JudgeArgs {
    /// Also measure the distance in the features of this network, from `train/perceptual.sh`, for
    /// pictures from 17 pixels a side to 4 megapixels.
    #[arg(long, value_name = "FILE", conflicts_with = "merge")]
    perceptual: Option<PathBuf>,
}

impl JudgeArgs {
    pub fn open(&self) -> Result<Option<Judge>> {
        self.perceptual.as_deref().map(Judge::open).transpose()
    }

    /// The file read.
    pub fn input(&self) -> Option<&Path> {
        self.perceptual.as_deref()
    }
}

/// A network that compares pictures, on the CPU, so that its numbers do not depend on the device.
pub struct Judge {
    network: FeatureNetwork,
    device: Device,
    hash: String,
}

impl Judge {
    fn open(path: &Path) -> Result<Self> {
        let bytes = files::read(path)?;
        let hash = files::sha256(&bytes);
        let device = Device::flex();
        let network = load_features(&Container::open(Rc::new(bytes))?, &device)?;
        Ok(Self {
            network: network.no_grad(),
            device,
            hash,
        })
    }

    /// SHA-256 of the file.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The distance of two pictures of equal size, averaged over four offsets of up to one pixel in
    /// each direction, as the network's first layer has a stride of two. `None` for pictures
    /// smaller than the network takes or larger than [`LARGEST`].
    pub fn distance(&self, a: &Picture, b: &Picture) -> Option<f64> {
        let [height, width] = [a.height() as usize, a.width() as usize];
        if height.min(width) <= self.network.smallest() || height * width > LARGEST {
            return None;
        }
        let [a, b] = [a, b].map(|picture| {
            let data = TensorData::new(picture.to_planar(0.0, 1.0), [1, 3, height, width]);
            Tensor::<4>::from_data(data, &self.device)
        });
        let mut sum = 0.0;
        for (top, left) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let [a, b] = [&a, &b].map(|x| {
                let part = x.clone().narrow(2, top, height - 1);
                self.network.features(part.narrow(3, left, width - 1))
            });
            sum += FeatureNetwork::distance(&a, &b)?.into_scalar::<f64>();
        }
        Some(sum / 4.0)
    }
}
