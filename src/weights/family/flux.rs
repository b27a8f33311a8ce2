//! FLUX.2's autoencoder in Black Forest Labs' format: latent-diffusion's, with the convolutions
//! around the latent inside the encoder and decoder. The batch norm statistics next to them belong
//! to the diffusion model.

use super::rename::Dialect;

/// FLUX.2's names.
///
/// Source: flux2 `src/flux2/autoencoder.py`.
pub const FLUX: Dialect = Dialect {
    decoder_levels: None,
    parts: &[
        ("encoder.quant_conv", "quant_conv"),
        ("decoder.post_quant_conv", "post_quant_conv"),
    ],
};
