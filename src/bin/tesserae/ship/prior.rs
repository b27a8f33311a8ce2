use burn::tensor::Device;
use serde_json::json;
use tesserae::generate::bits;
use tesserae::train::TokenGrids;
use tesserae::weights::{Loaded, Need};
use tesserae::{Codec, Error, PriorConfig, Result};

use super::judging::JudgeArgs;
use super::measured::{Measured, round};
use crate::eval_samples::Source;
use crate::files;
use crate::labelled::{Example, Labelled};
use crate::model::shipped;
use crate::prior::Pair;
use crate::weights::{self, ConfigArgs};

/// Measures a prior on the tokens of the pictures.
pub async fn measured(args: &JudgeArgs, prior: Loaded<PriorConfig>) -> Result<Measured> {
    let device = Device::flex();
    let Some(corpus) = &prior.corpus else {
        return Err(Error::Argument(
            "The prior's file does not say whose tokens it predicts".to_owned(),
        ));
    };
    let folder = args.judged_folder()?;
    let load = |name: &str| {
        let file = shipped(name, &args.models)?;
        let model = weights::load(&file, &ConfigArgs::default(), &device)?.autoencoder()?;
        prior.fits(&model)?;
        Ok::<_, Error>(Codec::new(model, &device))
    };
    let codec = load(&corpus.tokenizer)?;
    let decoder = args.decoder.as_deref().map(load).transpose()?;
    let paths = files::pictures_and_tokens(&[folder.to_owned()])?;
    let examples = Example::all(paths, folder)?;
    let grids = Labelled::default().grids(examples, &corpus.classes, &codec);
    let grids = TokenGrids::new(grids.await?, &prior.config)?;
    let grids: Vec<(Vec<u32>, usize)> = (0..grids.len()).map(|i| grids.middle(i)).collect();
    let bits = bits(&prior.network, &prior.config, &grids, &device).await?;
    let mut quality = json!({
        "bits_per_token": round(bits, 3),
        "pictures": grids.len(),
        "judged_on": args.judged_on,
        "gmac_pass": round(prior.config.pass_macs() as f64 / 1e9, 3),
        "parameters": prior.parameters,
    });
    let needs = vec![Need {
        name: corpus.tokenizer.clone(),
        hash: corpus.codebook,
    }];
    let classes = corpus.classes.clone();
    let config = prior.config.clone().into();
    let codec = match decoder {
        Some(decoder) => {
            quality["decoder"] = json!(decoder.name());
            decoder
        }
        None => codec,
    };
    let source = Source::Prior(Box::new(Pair { prior, codec }));
    let sampling = args.samples(&source, &mut quality).await?;
    Ok(Measured {
        stage: "prior",
        codebook: None,
        needs,
        classes,
        sampling,
        quality,
        config,
    })
}
