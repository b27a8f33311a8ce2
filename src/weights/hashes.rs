use burn::module::Module;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::models::{Config, Part};
use crate::params;
use crate::tokens::Hash;

/// Hash of each part of a model: the first 8 bytes of SHA-256 over its tensors' names, shapes and
/// f32 values, sorted by name. For a part that the model does not have, the hash of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// Of the encoder: its latents can only be decoded by the decoder trained with it.
    pub encoder: Hash,
    /// Of the codebook: tokens are only valid with this one.
    pub codebook: Hash,
    /// Of the decoder: another one reconstructs a different image from the same tokens or latents.
    pub decoder: Hash,
}

impl Hashes {
    /// Hashes a network in memory.
    ///
    /// # Errors
    /// [`DeviceLost`](crate::Error::DeviceLost) when the device fails.
    pub async fn of<C: Config>(config: &C, network: &impl Module) -> Result<Self> {
        let mut hashes = Hashing::default();
        for (name, values) in params::values(network).await? {
            hashes.add(config.part(&name), &name, &values.shape, &values.values);
        }
        Ok(hashes.finish())
    }
}

/// Hashes a model incrementally, tensor by tensor.
#[derive(Default)]
pub(super) struct Hashing {
    encoder: Sha256,
    codebook: Sha256,
    decoder: Sha256,
}

impl Hashing {
    /// Adds the next tensor, in order of names.
    pub fn add(&mut self, part: Option<Part>, name: &str, shape: &[usize], values: &[f32]) {
        let hash = match part {
            Some(Part::Encoder) => &mut self.encoder,
            Some(Part::Codebook) => &mut self.codebook,
            Some(Part::Decoder) => &mut self.decoder,
            None => return,
        };
        hash.update(name.as_bytes());
        for side in shape {
            hash.update((*side as u64).to_le_bytes());
        }
        for value in values {
            hash.update(value.to_le_bytes());
        }
    }

    pub fn finish(self) -> Hashes {
        let first_bytes = |hash: Sha256| {
            let digest = hash.finalize();
            Hash(std::array::from_fn(|i| digest[i]))
        };
        Hashes {
            encoder: first_bytes(self.encoder),
            codebook: first_bytes(self.codebook),
            decoder: first_bytes(self.decoder),
        }
    }
}
