use super::kl::{Kl, KlConfig};
use super::vqgan::{VqGan, VqGanConfig};
use super::vqvae::{VqVae, VqVaeConfig};
use super::vqvae2::{VqVae2, VqVae2Config};
use super::{Autoencode, Geometry};

super::kind::one_of! {
    /// The config of any autoencoder; the common interface is [`Geometry`].
    config AutoencoderConfig is Geometry,
    /// Any autoencoder; the common interface is [`Autoencode`].
    network Autoencoder is Autoencode,
    /// VQ-VAE (van den Oord et al. 2017, <https://arxiv.org/abs/1711.00937>).
    VqVae(VqVaeConfig => VqVae),
    /// VQ-GAN's autoencoder (Esser et al. 2021, <https://arxiv.org/abs/2012.09841>).
    VqGan(VqGanConfig => VqGan),
    /// AutoencoderKL (Kingma and Welling 2013, <https://arxiv.org/abs/1312.6114>; Rombach et al.
    /// 2021, <https://arxiv.org/abs/2112.10752>): no codebook, so no tokens.
    Kl(KlConfig => Kl),
    /// VQ-VAE-2 (Razavi et al. 2019, <https://arxiv.org/abs/1906.00446>): two grids of tokens.
    VqVae2(VqVae2Config => VqVae2),
}
