use serde_json::json;
use tesserae::weights::Loaded;
use tesserae::{Error, GeneratorConfig, Result};

use super::judging::JudgeArgs;
use super::measured::{Measured, round};
use crate::eval_samples::Source;

/// Measures a generator by its samples. Its classes are the folders of the training pictures.
pub async fn measured(args: &JudgeArgs, generator: Loaded<GeneratorConfig>) -> Result<Measured> {
    let Some(train) = &args.train else {
        let told = "A generator is measured against the pictures that it learned from: add --train";
        return Err(Error::Argument(told.to_owned()));
    };
    args.how.refuse_token_options()?;
    let config = generator.config.clone();
    let mut quality = json!({
        "judged_on": args.judged_on,
        "gmac_pass": round(config.pass_macs() as f64 / 1e9, 4),
        "parameters": generator.parameters,
    });
    let source = Source::Generator(Box::new(generator));
    Ok(Measured {
        stage: "generator",
        codebook: None,
        needs: Vec::new(),
        classes: source.classes(train)?,
        sampling: args.samples(&source, &mut quality).await?,
        quality,
        config: config.into(),
    })
}
