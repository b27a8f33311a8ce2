//! Weight files: recognising, reading and writing them.
//!
//! The project's own format is safetensors with the model's config as JSON in the header's metadata
//! under the key `config`, its name under `name`, how it was fine-tuned under `tuning`, and what a prior
//! learned from under `corpus`. Other
//! projects' files are recognised by their tensor names and shapes; see [`Recognised`]. Tensors are
//! stored as f64, f32, f16 or bf16, in this project's format also as int8, and computed in f32.
//! They are read from a [`Source`] one at a time.

mod auxiliary;
mod blend;
mod check;
mod container;
mod corpus;
mod family;
mod fits;
mod hashes;
mod load;
mod manifest;
mod narrow;
mod nest;
#[cfg(not(target_arch = "wasm32"))]
pub mod pickle;
mod save;
mod sniff;
mod source;

pub use auxiliary::{load_discriminator, load_features, load_lpips, save_discriminator};
pub use blend::{blend, blend_decoders};
pub use check::{CheckedWeights, Fault, Survey};
pub use container::Container;
pub use corpus::Corpus;
pub use family::{Family, Recognised};
pub use hashes::Hashes;
pub use load::{Loaded, build, load};
pub use manifest::{Companion, Manifest, ManifestEntry, Need, Sampling};
pub use save::{About, Storage, save};
pub use sniff::refuse_shard;
pub use source::Source;

/// Metadata key of the model's config, as JSON.
pub const CONFIG_KEY: &str = "config";
/// Metadata key of the model's name.
pub const NAME_KEY: &str = "name";
/// Metadata key of how the model was fine-tuned, as JSON.
pub const TUNING_KEY: &str = "tuning";
/// Metadata key of what a prior learned from, as JSON.
pub const CORPUS_KEY: &str = "corpus";
