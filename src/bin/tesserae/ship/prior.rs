use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::json;
use tesserae::generate::bits;
use tesserae::train::TokenGrids;
use tesserae::weights::{Loaded, Need};
use tesserae::{Codec, Error, PriorConfig, Result};

use super::measured::{Measured, round};
use crate::files;
use crate::labelled::{Example, Labelled};
use crate::model::shipped;
use crate::weights::{self, ConfigArgs};

/// What a prior is judged on.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// One folder, with a folder for each class.
    pub pictures: &'a [PathBuf],
    /// What that is, in a few words.
    pub on: &'a str,
    /// Folder of the shipped models.
    pub models: &'a Path,
}

/// Measures a prior on the tokens of the pictures.
pub async fn measured(judged: Judged<'_>, prior: Loaded<PriorConfig>) -> Result<Measured> {
    let device = Device::flex();
    let Some(corpus) = &prior.corpus else {
        return Err(Error::Argument(
            "The prior's file does not say whose tokens it predicts".to_owned(),
        ));
    };
    let [folder] = judged.pictures else {
        let told = "A prior is judged on one folder, with a folder for each class";
        return Err(Error::Argument(told.to_owned()));
    };
    let file = shipped(&corpus.tokenizer, judged.models)?;
    let model = weights::load(&file, &ConfigArgs::default(), &device)?.autoencoder()?;
    prior.fits(&model)?;
    let codec = Codec::new(model, &device);
    let paths = files::pictures_and_tokens(std::slice::from_ref(folder))?;
    let examples = Example::all(paths, folder)?;
    let grids = Labelled::default().grids(examples, &corpus.classes, &codec);
    let grids = TokenGrids::new(grids.await?, &prior.config)?;
    let grids: Vec<(Vec<u32>, usize)> = (0..grids.len()).map(|i| grids.middle(i)).collect();
    let bits = bits(&prior.network, &prior.config, &grids, &device).await?;
    Ok(Measured {
        stage: "prior",
        codebook: None,
        needs: vec![Need {
            name: corpus.tokenizer.clone(),
            hash: corpus.codebook,
        }],
        classes: corpus.classes.clone(),
        quality: json!({
            "bits_per_token": round(bits, 3),
            "pictures": grids.len(),
            "judged_on": judged.on,
            "gmac_pass": round(prior.config.pass_macs() as f64 / 1e9, 3),
            "parameters": prior.parameters,
        }),
        config: prior.config.into(),
    })
}
