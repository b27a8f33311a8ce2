//! Weight files: safetensors with the model's config as JSON in the header's metadata, under the
//! key `config`, and its name under `name`. Tensors are stored as f16 or f32 and computed in f32.

mod check;
mod load;
mod manifest;
mod save;

pub use check::{CheckedWeights, Hashes};
pub use load::{Loaded, load};
pub use manifest::{Manifest, ManifestEntry};
pub use save::{Storage, save};

/// Metadata key of the model's config, as JSON.
pub const CONFIG_KEY: &str = "config";
/// Metadata key of the model's name.
pub const NAME_KEY: &str = "name";
