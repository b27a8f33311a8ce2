//! Maps the names of families that share taming-transformers' layers to its names.

use std::collections::BTreeMap;

use crate::error::{Error, Result, shown};

/// How a family's names differ from taming-transformers'.
pub struct Dialect {
    /// Prefix of the decoder's levels, up to their index, if they are stored coarsest first, the
    /// reverse of taming-transformers.
    pub decoder_levels: Option<&'static str>,
    /// Components of a name (between dots), and taming-transformers' names for them.
    pub parts: &'static [(&'static str, &'static str)],
}

impl Dialect {
    /// Renames tensors to taming-transformers' names; the map's values stay the file's names.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] if two tensors would get the same name.
    pub fn to_taming(&self, names: BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
        let levels = names
            .keys()
            .filter_map(|name| self.decoder_level(name))
            .max()
            .map_or(0, |last| last.saturating_add(1));
        rename_all(names, |name| self.rename(name, levels))
    }

    fn decoder_level(&self, name: &str) -> Option<usize> {
        let rest = name.strip_prefix(self.decoder_levels?)?;
        rest.split('.').next()?.parse().ok()
    }

    pub(super) fn rename(&self, name: &str, levels: usize) -> String {
        let mut name = name.to_owned();
        if let (Some(levels_begin), Some(level)) = (self.decoder_levels, self.decoder_level(&name))
        {
            let rest = name.splitn(4, '.').nth(3).unwrap_or_default();
            let level = levels.saturating_sub(1).saturating_sub(level);
            name = format!("{levels_begin}{level}.{rest}");
        }
        let mut dotted = format!(".{name}.");
        for (theirs, ours) in self.parts {
            dotted = dotted.replace(&format!(".{theirs}."), &format!(".{ours}."));
        }
        dotted.trim_matches('.').to_owned()
    }
}

/// Renames each tensor with `rename`; the map's values stay the file's names.
///
/// # Errors
/// [`Error::WeightsMismatch`] if two tensors would get the same name.
pub fn rename_all(
    names: BTreeMap<String, String>,
    rename: impl Fn(&str) -> String,
) -> Result<BTreeMap<String, String>> {
    let mut renamed = BTreeMap::new();
    for (name, theirs) in names {
        let ours = rename(&name);
        if let Some(other) = renamed.insert(ours.clone(), theirs) {
            return Err(Error::WeightsMismatch(format!(
                "{} and {} both stand for {}",
                shown(&name),
                shown(&other),
                shown(&ours)
            )));
        }
    }
    Ok(renamed)
}

#[cfg(test)]
mod tests {
    use super::super::diffusers::DIFFUSERS;

    #[test]
    fn two_names_of_one_tensor_are_refused() {
        let names = [
            "mid_block.attentions.0.to_q.weight",
            "mid_block.attentions.0.query.weight",
        ]
        .map(|name| (format!("encoder.{name}"), name.to_owned()));
        let error = DIFFUSERS
            .to_taming(names.into_iter().collect())
            .unwrap_err();
        assert_eq!(error.code(), "weights_mismatch");
    }
}
