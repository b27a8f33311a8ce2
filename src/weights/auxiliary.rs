//! Files of the networks that losses and measurements use: discriminators, LPIPS, and networks of
//! features.

use burn::tensor::Device;

use super::save::{Storage, file};
use super::{Container, NAME_KEY};
use crate::error::{Error, Result};
use crate::nn::{Discriminator, DiscriminatorConfig, FeatureNetwork, Lpips};
use crate::params::{self, Keep};

/// Prefix of the discriminator in a checkpoint: this project's files, and taming-transformers'.
const PREFIXES: [&str; 2] = ["", "loss.discriminator."];

/// Writes a discriminator, with taming-transformers' parameter names.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub async fn save_discriminator(
    discriminator: &Discriminator,
    name: Option<&str>,
    storage: Storage,
) -> Result<Vec<u8>> {
    let metadata = name.map(|name| (NAME_KEY, name));
    file(discriminator, metadata, storage, |_| false).await
}

/// Reads a discriminator from its own file or from a whole checkpoint; its config is inferred from
/// the shapes.
///
/// # Errors
/// [`Error::WeightsUnknown`] if there is none, [`Error::WeightsMismatch`] and
/// [`Error::WeightsNotFinite`] naming a tensor, and read errors.
pub fn load_discriminator(file: &Container, device: &Device) -> Result<Discriminator> {
    let first = |prefix: &&str| file.shape(&format!("{prefix}main.0.weight")).is_some();
    let prefix = PREFIXES.into_iter().find(first);
    let prefix = prefix.ok_or(Error::WeightsUnknown)?;
    let shape = |layer: usize| file.shape(&format!("{prefix}main.{layer}.weight"));
    let Some(&[ndf, in_channels, _, _]) = shape(0) else {
        return Err(Error::WeightsUnknown);
    };
    // The first convolution, one per normalised layer, and the last: three indices each.
    let convolutions = std::iter::once(0)
        .chain((2..).step_by(3))
        .take_while(|layer| shape(*layer).is_some_and(|sides| sides.len() == 4));
    let config = DiscriminatorConfig {
        in_channels,
        ndf,
        n_layers: convolutions.count().saturating_sub(2),
    };
    let discriminator = Discriminator::new(&config, device)?;
    fill(discriminator, &[file], |name| {
        Some(format!("{prefix}{name}"))
    })
}

/// Reads LPIPS from the published files, in any order: torchvision's VGG16 and the `lpips`
/// package's own weights; or from one file that contains both.
///
/// # Errors
/// The errors of [`load_discriminator`].
pub fn load_lpips(files: &[Container], device: &Device) -> Result<Lpips> {
    let files: Vec<&Container> = files.iter().collect();
    fill(Lpips::new(device), &files, Lpips::published_name)
}

/// Reads a network of features; which one, its tensors' names say. The recipe
/// `train/perceptual.sh` writes such files.
///
/// # Errors
/// [`Error::WeightsUnknown`] if it is neither, otherwise the errors of [`load_discriminator`].
pub fn load_features(file: &Container, device: &Device) -> Result<FeatureNetwork> {
    let has = |name: String| file.shape(&name).is_some();
    let known = |network: &FeatureNetwork| {
        let names = params::shapes(network).into_keys();
        names
            .filter_map(|name| network.published_name(&name))
            .any(has)
    };
    let network = FeatureNetwork::all(device).into_iter().find(known);
    let network = network.ok_or(Error::WeightsUnknown)?;
    let names = network.clone();
    fill(network, &[file], |name| names.published_name(name))
}

/// Fills a module with each tensor from whichever file has it, under the name given by `theirs`.
fn fill<M: burn::module::Module>(
    module: M,
    files: &[&Container],
    theirs: impl Fn(&str) -> Option<String>,
) -> Result<M> {
    let shapes = params::shapes(&module);
    params::fill(module, Keep::Wide, |name| {
        let theirs = theirs(name).unwrap_or_else(|| name.to_owned());
        let holder = files.iter().find(|file| file.shape(&theirs).is_some());
        let mismatch = |what: &str| Error::WeightsMismatch(format!("`{theirs}` {what}"));
        let holder = holder.ok_or_else(|| mismatch("is missing"))?;
        if holder.shape(&theirs) != shapes.get(name).map(Vec::as_slice) {
            return Err(mismatch("has an unexpected shape"));
        }
        let values = holder.values(&theirs)?;
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => Err(Error::WeightsNotFinite(theirs)),
        }
    })
}
