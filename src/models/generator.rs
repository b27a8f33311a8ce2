use super::diffusion::{Diffusion, DiffusionConfig};
use super::gan::{Gan, GanConfig};
use super::vae::{Vae, VaeConfig};
use super::{Generate, Generated};

super::kind::one_of! {
    /// The config of any generator of pictures out of noise; the common interface is [`Generated`].
    config GeneratorConfig is Generated,
    /// Any generator of pictures out of noise; the common interface is [`Generate`].
    network Generator is Generate,
    /// A variational autoencoder with one latent vector (Kingma and Welling 2013,
    /// <https://arxiv.org/abs/1312.6114>).
    Vae(VaeConfig => Vae),
    /// The generator of a GAN (Goodfellow et al. 2014, <https://arxiv.org/abs/1406.2661>).
    Gan(GanConfig => Gan),
    /// A diffusion model or a rectified flow in pixels (Ho et al. 2020,
    /// <https://arxiv.org/abs/2006.11239>; Liu et al. 2022, <https://arxiv.org/abs/2209.03003>).
    Diffusion(DiffusionConfig => Diffusion),
}
