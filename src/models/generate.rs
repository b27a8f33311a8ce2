use burn::tensor::{Int, Tensor};

use crate::error::{Error, Result};

/// A network that makes pictures out of noise.
///
/// # Examples
/// ```
/// # use burn::tensor::{Device, Int, Tensor};
/// # use tesserae::models::{Generated, Generator, Method};
/// # use tesserae::GeneratorConfig;
/// # fn main() -> tesserae::Result<()> {
/// let device = Device::flex();
/// let config = GeneratorConfig::preset("vae-tiny")?;
/// let generator = Generator::new(&config, &device)?; // random weights
/// let z = Tensor::<2>::zeros([2, config.noise()[0]], &device);
/// let classes = Tensor::<1, Int>::from_ints([3, 0], &device);
/// let pictures = match generator.method() {
///     Method::Decode(decoder) => decoder.decode(z, classes),
///     Method::Denoise(_) => return Ok(()),
/// };
/// assert_eq!(pictures.dims(), [2, 1, 8, 8]);
/// # Ok(())
/// # }
/// ```
pub trait Generate {
    /// The network, by the way it makes a picture.
    fn method(&self) -> Method<'_>;

    /// What finds the latent of a picture, if the network has learned to.
    fn encoder(&self) -> Option<&dyn Encode> {
        None
    }
}

/// Finds the latent that a picture comes from.
pub trait Encode {
    /// Latents, `[batch, latent]`, that [`Decode::decode`] makes the pictures of: about standard
    /// normal.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels, side, side]`, in the config's range
    /// - `classes`: `[batch]`
    fn encode(&self, x: Tensor<4>, classes: Tensor<1, Int>) -> Tensor<2>;
}

/// A generator by its method.
#[derive(Clone, Copy)]
pub enum Method<'a> {
    /// At once, from a latent vector.
    Decode(&'a dyn Decode),
    /// From noise of the picture's size, in steps.
    Denoise(&'a dyn Denoise),
}

/// Makes a picture at once.
pub trait Decode {
    /// Pictures, `[batch, channels, side, side]`, in the config's range.
    ///
    /// # Shapes
    /// - `z`: `[batch, latent]`, standard normal
    /// - `classes`: `[batch]`
    fn decode(&self, z: Tensor<2>, classes: Tensor<1, Int>) -> Tensor<4>;
}

/// Predicts what [`DiffusionConfig::target`](super::DiffusionConfig::target) says from a noisy
/// picture.
pub trait Denoise {
    /// The prediction, of the shape of `x`.
    ///
    /// # Shapes
    /// - `x`: `[batch, channels, side, side]`
    /// - `times`: `[batch]`, share of noise from 0 to 1
    /// - `classes`: `[batch]`
    fn predict(&self, x: Tensor<4>, times: Tensor<1>, classes: Tensor<1, Int>) -> Tensor<4>;
}

/// Requires that a generator makes pictures, grey or RGB, rather than latents.
pub(crate) fn makes_pictures(config: &dyn Generated) -> Result<()> {
    match config.shape()[0] {
        1 | 3 => Ok(()),
        channels => Err(Error::ConfigInvalid(format!(
            "`channels` is {channels}, but pictures have 1 or 3"
        ))),
    }
}

/// What a generator's config determines on its own.
///
/// # Examples
/// ```
/// # use tesserae::models::Generated;
/// # use tesserae::GeneratorConfig;
/// # fn main() -> tesserae::Result<()> {
/// let config = GeneratorConfig::preset("diffusion-tiny")?;
/// assert_eq!((config.shape(), config.classes()), ([1, 8, 8], 4));
/// assert_eq!(config.noise(), [1, 8, 8]);
/// # Ok(())
/// # }
/// ```
pub trait Generated {
    /// Channels, rows and columns of a picture.
    fn shape(&self) -> [usize; 3];

    /// Shape of the noise that one picture is made of.
    fn noise(&self) -> Vec<usize>;

    /// Number of classes; the number itself stands for no class.
    fn classes(&self) -> usize;

    /// Values of black and white.
    fn range(&self) -> [f32; 2];

    /// Multiply-accumulates of one pass.
    fn pass_macs(&self) -> u64;
}
