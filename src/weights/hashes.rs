use burn::module::Module;
use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::models::{Config, Part};
use crate::params;
use crate::tokens::Hash;

/// First 8 bytes of SHA-256 over tensors' names, shapes and f32 values, in the order of their names,
/// for each part of a model; of nothing for a part that it does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// Of the encoder: its latents mean nothing to another one's decoder.
    pub encoder: Hash,
    /// Of the codebook: tokens mean nothing to another one.
    pub codebook: Hash,
    /// Of the decoder: another one makes another picture of the same tokens or latents.
    pub decoder: Hash,
}

impl Hashes {
    /// Of a network in memory.
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

/// The hashes of a model, tensor by tensor.
#[derive(Default)]
pub(super) struct Hashing {
    encoder: Sha256,
    codebook: Sha256,
    decoder: Sha256,
}

impl Hashing {
    /// Takes in the next tensor in the order of their names.
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
