use burn::tensor::module::adaptive_avg_pool2d;
use burn::tensor::{Device, Tensor, TensorData};
use tesserae::{Autoencoder, Codec, Picture, Result};

use crate::classifier::Classifier;

/// An encoder's latents are averaged over a grid of this many cells a side.
const CELLS: usize = 4;

/// The network by whose features pictures are compared, on the CPU.
pub enum Features {
    /// The features before a classifier's last layer.
    Classifier(Box<Classifier>),
    /// The latents of the tokens' own encoder before they are quantized, and the range that it takes.
    Encoder(Box<Autoencoder>, [f32; 2]),
}

/// What a network finds in each picture.
pub struct Seen {
    pub features: Vec<Vec<f32>>,
    /// The class that a picture is taken for; empty without a classifier.
    pub classes: Vec<usize>,
}

impl Features {
    pub fn of_encoder(codec: &Codec) -> Self {
        let network = Box::new(codec.loaded().network);
        Self::Encoder(network, codec.config().input_range())
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Classifier(_) => "classifier",
            Self::Encoder(..) => "encoder",
        }
    }

    pub fn look(&self, pictures: &[Picture]) -> Result<Seen> {
        match self {
            Self::Classifier(classifier) => {
                let (features, classes) = classifier.look(pictures)?;
                Ok(Seen { features, classes })
            }
            Self::Encoder(network, [low, high]) => {
                let features = pictures.iter().map(|picture| {
                    let sides = [picture.height(), picture.width()].map(|side| side as usize);
                    let planes =
                        TensorData::new(picture.to_planar(*low, *high), [1, 3, sides[0], sides[1]]);
                    let x = Tensor::<4>::from_data(planes, &Device::flex());
                    let latents = adaptive_avg_pool2d(network.latents(x, &[]), [CELLS; 2]);
                    latents.into_data().iter::<f32>().collect()
                });
                Ok(Seen {
                    features: features.collect(),
                    classes: Vec::new(),
                })
            }
        }
    }
}
