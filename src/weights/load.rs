use burn::tensor::Device;

use super::{CheckedWeights, Corpus, Hashes};
use crate::error::Result;
use crate::models::{
    AutoencoderConfig, Config, Model, ModelConfig, PriorConfig, no_autoencoder, no_prior,
};
use crate::params;

/// A model read from a weight file, with the file's metadata.
#[derive(Debug, Clone)]
pub struct Loaded<C: Config = AutoencoderConfig> {
    /// The network, in f32 on the requested device.
    pub network: C::Network,
    /// Its config.
    pub config: C,
    /// Its name, if the file has one.
    pub name: Option<String>,
    /// How it was fine-tuned, as JSON, if the file says so.
    pub tuning: Option<String>,
    /// For a prior, what it learned from, if the file says so.
    pub corpus: Option<Corpus>,
    /// The hashes that match token files to models.
    pub hashes: Hashes,
    /// Number of parameters.
    pub parameters: usize,
}

/// Reads a weight file of any family that [`super::Recognised`] knows.
///
/// # Errors
/// The errors of [`CheckedWeights::of`] and [`build`].
///
/// # Examples
/// ```
/// # use burn::tensor::Device;
/// # use tesserae::weights;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = std::fs::read("www/models/digits.safetensors")?;
/// let model = weights::load(file, &Device::flex())?.autoencoder()?;
/// println!("{} parameters of a {}", model.parameters, model.config.kind());
/// let error = weights::load(b"no weights".to_vec(), &Device::flex()).unwrap_err();
/// assert_eq!(error.code(), "weights_corrupt");
/// # Ok(())
/// # }
/// ```
pub fn load(bytes: Vec<u8>, device: &Device) -> Result<Loaded<ModelConfig>> {
    build(&CheckedWeights::of(bytes, None)?, device)
}

/// Builds the model of a validated file. Tensors are read one at a time, so at most one of them is
/// in memory in addition to the model.
///
/// # Errors
/// Read errors.
pub fn build(checked: &CheckedWeights, device: &Device) -> Result<Loaded<ModelConfig>> {
    let network = Model::new(&checked.config, device)?;
    Ok(Loaded {
        network: params::fill(network, |name| checked.values(name))?,
        // The model is in memory, so its size fits in a `usize`.
        parameters: checked.parameters() as usize,
        config: checked.config.clone(),
        name: checked.name.clone(),
        tuning: checked.tuning.clone(),
        corpus: checked.corpus.clone(),
        hashes: checked.hashes,
    })
}

impl<C: Config> Loaded<C> {
    /// Wraps a network in memory and computes its current hashes.
    ///
    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost) when the device fails.
    ///
    /// # Examples
    /// ```
    /// # use burn::tensor::Device;
    /// # use pollster::block_on;
    /// # use tesserae::weights::Loaded;
    /// # use tesserae::{Autoencoder, AutoencoderConfig, Codec};
    /// # fn main() -> tesserae::Result<()> {
    /// let device = Device::flex();
    /// let config = AutoencoderConfig::preset("vqvae-tiny")?;
    /// let network = Autoencoder::new(&config, &device)?; // random weights
    /// let codec = Codec::new(block_on(Loaded::of(network, config))?, &device);
    /// assert_eq!(codec.name(), None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn of(network: C::Network, config: C) -> Result<Self> {
        let shapes = params::shapes(&network);
        let sizes = shapes.values().map(|shape| shape.iter().product::<usize>());
        Ok(Self {
            hashes: Hashes::of(&config, &network).await?,
            parameters: sizes.sum(),
            network,
            config,
            name: None,
            tuning: None,
            corpus: None,
        })
    }
}

impl Loaded<ModelConfig> {
    /// The model, which must be an autoencoder.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`](crate::Error::WeightsMismatch) for a model of another kind.
    pub fn autoencoder(self) -> Result<Loaded> {
        self.of_kind(|network, config| match (network, config) {
            (Model::Autoencoder(network), ModelConfig::Autoencoder(config)) => {
                Ok((network, config))
            }
            (_, config) => Err(no_autoencoder(config.kind())),
        })
    }

    /// The model, which must be a prior over tokens.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`](crate::Error::WeightsMismatch) for a model of another kind.
    pub fn prior(self) -> Result<Loaded<PriorConfig>> {
        self.of_kind(|network, config| match (network, config) {
            (Model::Prior(network), ModelConfig::Prior(config)) => Ok((network, config)),
            (_, config) => Err(no_prior(config.kind())),
        })
    }

    fn of_kind<C: Config>(
        self,
        kind: impl FnOnce(Model, ModelConfig) -> Result<(C::Network, C)>,
    ) -> Result<Loaded<C>> {
        let (network, config) = kind(self.network, self.config)?;
        Ok(Loaded {
            network,
            config,
            name: self.name,
            tuning: self.tuning,
            corpus: self.corpus,
            hashes: self.hashes,
            parameters: self.parameters,
        })
    }
}
