use burn::tensor::Device;

use super::{CheckedWeights, Corpus, Hashes};
use crate::error::Result;
use crate::models::{
    AutoencoderConfig, Config, GeneratorConfig, Model, ModelConfig, PriorConfig, no_autoencoder,
    no_generator, no_prior,
};
use crate::params::{self, Keep};

/// A model read from a weight file, with the file's metadata.
#[derive(Debug, Clone)]
pub struct Loaded<C: Config = AutoencoderConfig> {
    /// The network on the requested device; in f32, except for large weights stored in f16.
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

/// Number of parameters from which on weights stored in f16 stay f16 in memory, on the CPU: widening
/// them as they are used costs little time and saves half the memory.
const LARGE: u64 = 20_000_000;

/// Builds the model of a validated file. Tensors are read one at a time, so at most one of them is
/// in memory in addition to the model.
///
/// # Errors
/// Read errors.
pub fn build(checked: &CheckedWeights, device: &Device) -> Result<Loaded<ModelConfig>> {
    let large = checked.parameters() >= LARGE && *device == Device::flex();
    build_as(
        checked,
        if large { Keep::Narrow } else { Keep::Wide },
        device,
    )
}

fn build_as(checked: &CheckedWeights, keep: Keep, device: &Device) -> Result<Loaded<ModelConfig>> {
    let network = Model::new(&checked.config, device)?;
    Ok(Loaded {
        network: params::fill(network, keep, |name| checked.values(name))?,
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

    /// The model, which must be a generator.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`](crate::Error::WeightsMismatch) for a model of another kind.
    pub fn generator(self) -> Result<Loaded<GeneratorConfig>> {
        self.of_kind(|network, config| match (network, config) {
            (Model::Generator(network), ModelConfig::Generator(config)) => Ok((network, config)),
            (_, config) => Err(no_generator(config.kind())),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::{Int, Tensor};
    use pollster::block_on;

    use super::super::{About, Storage, save};
    use super::*;
    use crate::models::Predictor;

    /// The model of a preset as its f16 file gives it, with f16 weights and in f32.
    fn both(preset: &str) -> [Loaded<ModelConfig>; 2] {
        let device = Device::flex();
        device.seed(3);
        let config = ModelConfig::preset(preset).unwrap();
        let model = Model::new(&config, &device).unwrap();
        let file = save(&model, &config, About::default(), Storage::F16);
        let checked = CheckedWeights::of(block_on(file).unwrap(), None).unwrap();
        [Keep::Narrow, Keep::Wide].map(|keep| build_as(&checked, keep, &device).unwrap())
    }

    fn same(what: &str, [narrow, wide]: [Tensor<3>; 2]) {
        let most = wide.clone().abs().max().into_scalar::<f32>();
        let off = (narrow - wide).abs().max().into_scalar::<f32>();
        assert!(off <= 1e-5 * most, "{what}: off by {off} of {most}");
    }

    #[test]
    fn priors_compute_with_f16_weights_what_they_compute_in_f32() {
        let device = Device::flex();
        for preset in ["maskgit-tiny", "llamagen-tiny", "mingpt-tiny"] {
            let logits = both(preset).map(|loaded| {
                let prior = loaded.prior().unwrap();
                let numbers = Tensor::arange(0..prior.config.tokens() as i64, &device);
                let tokens = numbers.remainder_scalar(7).unsqueeze::<2>();
                let class = Tensor::<1, Int>::from_ints([1], &device);
                match prior.network.predictor() {
                    Predictor::Raster(raster) => raster.logits(tokens, class),
                    Predictor::Masked(masked) => masked.logits(tokens, class),
                }
            });
            same(preset, logits);
        }
    }

    #[test]
    fn autoencoders_compute_with_f16_weights_what_they_compute_in_f32() {
        let picture = Tensor::<4>::random([1, 3, 32, 32], Default::default(), &Device::flex());
        for preset in ["vqgan-tiny", "vqvae-tiny", "kl-tiny"] {
            let rebuilt = both(preset).map(|loaded| {
                let model = loaded.autoencoder().unwrap().network;
                let latents = model.latents(picture.clone(), &[]);
                model.decode(&[latents]).unwrap().flatten(2, 3)
            });
            same(preset, rebuilt);
        }
    }

    #[test]
    fn f16_weights_are_saved_and_widened_to_the_bit() {
        let [narrow, wide] = both("maskgit-tiny").map(|loaded| loaded.network);
        let values = |model: &Model| block_on(params::values(model)).unwrap();
        assert_eq!(values(&narrow), values(&wide));
        assert_eq!(values(&params::widen(narrow)), values(&wide));
    }
}
