//! Finds the autoencoder in a larger checkpoint: the prefix of its tensor names, or its key in a
//! pickle. Training scripts wrap models in other models (`module.`, `_orig_mod.`), store them next
//! to others (`vae.`, `first_stage_model.`), and keep an EMA of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result, shown};

/// What follows an autoencoder's prefix in any known family: a name that contains one of these
/// belongs to an encoder.
const ENCODERS: [&str; 4] = [
    "encoder.down_blocks.",
    "encoder.conv_blocks.",
    "encoder.down.",
    "enc_b.blocks.",
];

/// The same for decoders.
const DECODERS: [&str; 4] = [
    "decoder.up_blocks.",
    "decoder.conv_blocks.",
    "decoder.up.",
    "dec.blocks.",
];

/// Keys under which models are stored, likeliest first. Averages come before the weights they
/// average: published scripts decode with them.
const KEYS: [&str; 27] = [
    "ema",
    "params_ema",
    "ema_state_dict",
    "state_dict_ema",
    "model_ema",
    "ema_model",
    "generator_ema",
    "g_ema",
    "state_dict",
    "model_state_dict",
    "model",
    "params",
    "module",
    "_orig_mod",
    "first_stage_model",
    "gen_vision_model",
    "vae",
    "vqvae",
    "vqgan",
    "vqmodel",
    "vq_model",
    "autoencoder",
    "tokenizer",
    "generator",
    "net",
    "network",
    "weights",
];

/// How many of the keys are for averages.
const AVERAGES: usize = 8;

/// Rank of a model under these keys: lower is likelier to be the intended one. No key at all ranks
/// after the known keys and before unknown ones.
pub fn rank<'a>(keys: impl IntoIterator<Item = &'a str>) -> usize {
    let mut best = KEYS.len();
    for (i, key) in keys.into_iter().filter(|key| !key.is_empty()).enumerate() {
        let known = KEYS.iter().position(|known| *known == key);
        best = match (known, i) {
            (Some(rank), 0) => rank,
            (Some(rank), _) => best.min(rank),
            (None, 0) => KEYS.len() + 1,
            (None, _) => best,
        };
    }
    best
}

/// Whether tensors with these names include an autoencoder.
#[cfg(not(target_arch = "wasm32"))]
pub fn is_model<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    names
        .into_iter()
        .any(|name| beginning(name, &ENCODERS).is_some())
}

/// The prefix of the autoencoder's tensor names, including the dot, and the prefixes of other
/// models. Empty if there is no prefix or no autoencoder.
///
/// # Errors
/// [`Error::WeightsMismatch`] if there are several and it is unclear which one is meant.
pub fn prefix<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(&'a str, Vec<&'a str>)> {
    let mut found = BTreeMap::<&str, usize>::new();
    let mut decoders = BTreeSet::new();
    for name in names {
        if let Some(start) = beginning(name, &ENCODERS) {
            *found.entry(start).or_default() += 1;
        }
        decoders.extend(beginning(name, &DECODERS));
    }
    // Part of a model, such as an average of some layers, is not a model.
    let most = found.values().copied().max().unwrap_or(0);
    found.retain(|start, count| *count == most || decoders.contains(start));
    let rank = |start: &str| rank(start.split('.'));
    // An EMA has as many layers as the model it averages; one with only a few is not a candidate.
    let averaged = found.iter().filter(|(start, _)| rank(start) >= AVERAGES);
    let averaged: BTreeSet<usize> = averaged.map(|(_, count)| *count).chain([most]).collect();
    let meant = found.iter().filter(|(_, count)| averaged.contains(count));
    let order = |(start, count): &(&&str, &usize)| (rank(start), Reverse(**count));
    let best = meant.clone().map(|model| order(&model)).min();
    let mut likeliest = meant.filter(|model| Some(order(model)) == best);
    match (likeliest.next(), likeliest.next()) {
        (Some((one, _)), Some((other, _))) => Err(Error::WeightsMismatch(format!(
            "they contain two models, under {} and {}, and neither name says which one to use",
            shown(one),
            shown(other)
        ))),
        (Some((one, _)), None) => {
            let others = found.keys().copied().filter(|start| start != one);
            Ok((*one, others.collect()))
        }
        (None, _) => Ok(("", vec![])),
    }
}

/// The prefix of a name, before the first of `parts` that it contains.
fn beginning<'a>(name: &'a str, parts: &[&str]) -> Option<&'a str> {
    parts.iter().find_map(|part| {
        let at = name.find(part)?;
        let start = &name[..at];
        // `text_encoder.` is another kind of encoder.
        (start.is_empty() || start.ends_with('.')).then_some(start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODER: &str = "encoder.down.0.block.0.conv1.weight";

    fn of(prefixes: &[&str]) -> Result<String> {
        let names: Vec<String> = prefixes.iter().map(|p| format!("{p}{ENCODER}")).collect();
        prefix(names.iter().map(String::as_str)).map(|(start, _)| start.to_owned())
    }

    #[test]
    fn a_prefix_of_any_name_and_depth_is_found() {
        for start in [
            "",
            "_orig_mod.",
            "module.",
            "module.module.",
            "model.",
            "model.vqmodel.",
            "vae.",
            "vqvae.",
            "tokenizer.",
            "net.",
            "generator.",
            "first_stage_model.",
            "somebodys.own.",
        ] {
            assert_eq!(of(&[start]).unwrap(), start);
        }
        for other in ["text_encoder.down.0.weight", "encoder.layers.0.weight"] {
            assert_eq!(beginning(other, &ENCODERS), None, "{other}");
        }
    }

    #[test]
    fn an_average_is_taken_before_what_it_averages() {
        assert_eq!(of(&["model.", "ema."]).unwrap(), "ema.");
        assert_eq!(of(&["", "model_ema.module."]).unwrap(), "model_ema.module.");
        assert_eq!(of(&["", "teacher."]).unwrap(), "");
        // An average of only part of the model does not count.
        let second = "encoder.down.1.block.0.conv1.weight";
        let names = [ENCODER, second, &format!("ema.{ENCODER}")].map(str::to_owned);
        let (start, others) = prefix(names.iter().map(String::as_str)).unwrap();
        assert_eq!((start, others), ("", vec![]));
    }

    /// Names of autoencoders with the given prefixes and numbers of levels.
    fn models<'a>(models: &[(&'a str, usize)]) -> Result<(String, Vec<String>)> {
        let name = |start: &'a str, stack: &'a str| {
            move |level| format!("{start}{stack}.{level}.block.0.conv1.weight")
        };
        let names = models.iter().flat_map(|&(start, levels)| {
            let encoder = (0..levels).map(name(start, "encoder.down"));
            encoder.chain((0..levels).map(name(start, "decoder.up")))
        });
        let names: Vec<String> = names.collect();
        let (start, others) = prefix(names.iter().map(String::as_str))?;
        let others = others.into_iter().map(str::to_owned).collect();
        Ok((start.to_owned(), others))
    }

    #[test]
    fn a_known_key_is_taken_before_a_larger_model_and_no_model_is_passed_over_silently() {
        let taken = |given: &[(&str, usize)]| models(given).unwrap();
        let expected = |start: &str, other: &str| (start.to_owned(), vec![other.to_owned()]);
        let both = taken(&[("vae.", 4), ("teacher.", 5)]);
        assert_eq!(both, expected("vae.", "teacher."));
        let both = taken(&[("left.", 4), ("right.", 5)]);
        assert_eq!(both, expected("right.", "left."));
        // An average of a few layers is not taken, but it is reported.
        for start in ["", "model.", "mine."] {
            let both = taken(&[(start, 5), ("ema.", 4)]);
            assert_eq!(both, expected(start, "ema."));
        }
        let (start, others) = taken(&[("teacher.", 5), ("vae.", 4), ("ema.", 4)]);
        assert_eq!((&*start, others.len()), ("ema.", 2));
        // An encoder alone is not a model.
        let alone = ["vae.", "teacher."].map(|start| format!("{start}{ENCODER}"));
        let whole = ["encoder.down.1.a", "decoder.up.0.a"].map(|name| format!("teacher.{name}"));
        let names = alone.iter().chain(&whole).map(String::as_str);
        assert_eq!(prefix(names).unwrap(), ("teacher.", vec![]));
    }

    #[test]
    fn two_models_that_nothing_tells_apart_are_refused() {
        let error = of(&["left.", "right."]).unwrap_err();
        assert_eq!(error.code(), "weights_mismatch");
        let sentence = error.to_string();
        assert!(sentence.contains("`left.` and `right.`"), "{sentence}");
    }
}
