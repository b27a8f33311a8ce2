//! Priors of other projects: Halton-MaskGIT's, LlamaGen's and taming-transformers'.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::recognised::{Family, Recognised};
use super::rename::rename_all;
use super::shape::side;
use crate::error::{Error, Result, one_line};
use crate::models::{LlamaGenConfig, MaskGitConfig, MinGptConfig, PriorConfig};
use crate::weights::{Container, nest};

/// Width of a head in nearly all published priors; the shapes do not show it.
const HEAD: usize = 64;
/// Side of LlamaGen's grid at 256 pixels, unless the file has its table of rotations.
const SIDE: usize = 16;

/// A family of priors.
struct Published {
    family: Family,
    /// A tensor that every file of the family has, and no other.
    mark: &'static str,
    infer: fn(&Shapes<'_>, &Hints) -> Result<PriorConfig>,
    assumed: &'static [&'static str],
    /// Components of a name, and this project's names for them.
    parts: &'static [(&'static str, &'static str)],
    /// Ends of names that are not part of the model: buffers, and a head that is the tokens' table
    /// again.
    aside: &'static [&'static str],
}

const FAMILIES: [Published; 3] = [
    Published {
        family: Family::Halton,
        mark: "reg_tokens.weight",
        infer: halton,
        assumed: &["heads"],
        parts: &[(".mlp.1.", ".modulation.linear.")],
        aside: &["head.weight"],
    },
    Published {
        family: Family::LlamaGenPrior,
        mark: "cls_embedding.embedding_table.weight",
        infer: llamagen,
        assumed: &["heads", "rows", "columns"],
        parts: &[],
        aside: &["freqs_cis"],
    },
    Published {
        family: Family::MinGpt,
        mark: "blocks.0.attn.key.weight",
        infer: mingpt,
        assumed: &["heads", "classes"],
        parts: &[(".mlp.0.", ".mlp.up."), (".mlp.2.", ".mlp.down.")],
        aside: &[".attn.mask"],
    },
];

/// Shapes by the family's own names, without the prefix.
struct Shapes<'a> {
    file: &'a Container,
    names: &'a BTreeMap<String, String>,
}

impl Shapes<'_> {
    fn side(&self, name: &str, axes: usize, axis: usize) -> Result<usize> {
        let shape = self.names.get(name).and_then(|n| self.file.shape(n));
        side(name, shape, axes, axis)
    }

    /// How many numbered parts begin with `start`.
    fn count(&self, start: &str) -> usize {
        let has = |i: &usize| {
            let part = format!("{start}{i}.");
            let mut rest = self.names.range(part.clone()..);
            rest.next().is_some_and(|(name, _)| name.starts_with(&part))
        };
        (0..).take_while(has).count()
    }
}

/// What a `config.json` can add to the shapes of a prior. Other fields are ignored.
#[derive(Debug, Default, Deserialize)]
struct Hints {
    heads: Option<usize>,
    rows: Option<usize>,
    columns: Option<usize>,
    classes: Option<usize>,
}

impl Hints {
    fn read(json: Option<&str>) -> Result<Self> {
        let Some(json) = json else {
            return Ok(Self::default());
        };
        serde_json::from_str(json)
            .map_err(|e| Error::ConfigInvalid(format!("the config file: {}", one_line(e))))
    }

    /// Replaces assumed values.
    fn apply(&self, config: &mut PriorConfig, assumed: &mut Vec<&'static str>) {
        let (heads, rows, columns, classes) = match config {
            PriorConfig::MaskGit(c) => (&mut c.heads, &mut c.rows, &mut c.columns, None),
            PriorConfig::LlamaGen(c) => (&mut c.heads, &mut c.rows, &mut c.columns, None),
            PriorConfig::MinGpt(c) => (
                &mut c.heads,
                &mut c.rows,
                &mut c.columns,
                Some(&mut c.classes),
            ),
        };
        for (name, field, given) in [
            ("heads", Some(heads), self.heads),
            ("rows", Some(rows), self.rows),
            ("columns", Some(columns), self.columns),
            ("classes", classes, self.classes),
        ] {
            if let (Some(field), Some(given)) = (field, given) {
                *field = given;
                assumed.retain(|known| *known != name);
            }
        }
    }
}

/// Recognises the prior in `file`, if there is one.
///
/// # Errors
/// [`Error::ConfigInvalid`] for an impossible config, [`Error::WeightsMismatch`] for shapes that
/// contradict each other.
pub fn recognise(file: &Container, hints: Option<&str>) -> Result<Option<Recognised>> {
    for published in &FAMILIES {
        let names = file.names();
        let starts = names.filter_map(|name| name.strip_suffix(published.mark));
        let starts = starts.filter(|start| start.is_empty() || start.ends_with('.'));
        let mut starts: Vec<&str> = starts.collect();
        starts.sort_by_key(|start| nest::rank(start.split('.')));
        if let Some((prefix, others)) = starts.split_first() {
            return published.read(file, prefix, others, hints).map(Some);
        }
    }
    Ok(None)
}

impl Published {
    fn read(
        &self,
        file: &Container,
        prefix: &str,
        others: &[&str],
        hints: Option<&str>,
    ) -> Result<Recognised> {
        let mut aside = Vec::new();
        let mut names = BTreeMap::new();
        for name in file.names() {
            let own = name.strip_prefix(prefix);
            let own = own.filter(|own| !self.aside.iter().any(|end| own.ends_with(end)));
            match own.filter(|own| self.is_part(own)) {
                Some(own) => {
                    names.insert(own.to_owned(), name.to_owned());
                }
                None => aside.push(name.to_owned()),
            }
        }
        let shapes = Shapes {
            file,
            names: &names,
        };
        let hints = Hints::read(hints)?;
        let mut config = (self.infer)(&shapes, &hints)?;
        let mut assumed = self.assumed.to_vec();
        if let PriorConfig::LlamaGen(config) = &mut config
            && let Some(side) = rotations(file, prefix)
        {
            (config.rows, config.columns) = (side, side);
            assumed.retain(|field| !["rows", "columns"].contains(field));
        }
        hints.apply(&mut config, &mut assumed);
        config.validate().map_err(|e| mend(e, &assumed))?;
        let names = rename_all(names, |name| {
            let parts = self.parts.iter();
            parts.fold(name.to_owned(), |name, (theirs, ours)| {
                name.replace(theirs, ours)
            })
        })?;
        Ok(Recognised {
            family: self.family,
            config: config.into(),
            assumed,
            names,
            aside,
            prefix: prefix.to_owned(),
            others: others.iter().map(|start| (*start).to_owned()).collect(),
        })
    }

    /// Whether a name is the prior's, and not that of another model in a file without a prefix.
    fn is_part(&self, name: &str) -> bool {
        let first = name.split('.').next().unwrap_or(name);
        ![
            "first_stage_model",
            "cond_stage_model",
            "permuter",
            "optimizer",
        ]
        .contains(&first)
    }
}

/// The side of the grid for which LlamaGen's rotations were computed, if they are in the file.
fn rotations(file: &Container, prefix: &str) -> Option<usize> {
    let positions = file.shape(&format!("{prefix}freqs_cis"))?.first()?;
    let side = positions.checked_sub(1)?.isqrt();
    (side > 0 && side * side + 1 == *positions).then_some(side)
}

/// The number of heads that are the narrowest at least [`HEAD`] wide: Halton-MaskGIT's small model
/// has six of 85, in a width of 512 that they do not fill.
fn heads(width: usize, filled: usize) -> usize {
    let fits = |heads: &usize| width / heads * heads == filled;
    (1..=width / HEAD).rev().find(fits).unwrap_or(1)
}

/// The rows and columns of a grid of `tokens`: square, if the config file does not say.
fn grid(tokens: usize, hints: &Hints) -> Result<[usize; 2]> {
    if let (Some(rows), Some(columns)) = (hints.rows, hints.columns) {
        return Ok([rows, columns]);
    }
    let side = tokens.isqrt();
    if side * side == tokens {
        return Ok([side; 2]);
    }
    Err(Error::ConfigInvalid(format!(
        "it has {tokens} positions, which is not a square grid; `rows` and `columns` can be given \
         in a config file"
    )))
}

fn halton(shapes: &Shapes<'_>, hints: &Hints) -> Result<PriorConfig> {
    let table = |name: &str, axis| shapes.side(&format!("{name}.weight"), 2, axis);
    let width = table("tok_emb", 1)?;
    let [rows, columns] = grid(table("pos_emb", 0)?, hints)?;
    let layer = "transformer.layers.0";
    Ok(PriorConfig::MaskGit(MaskGitConfig {
        codes: table("tok_emb", 0)?.saturating_sub(1),
        rows,
        columns,
        classes: table("cls_emb", 0)?.saturating_sub(1),
        width,
        layers: shapes.count("transformer.layers."),
        heads: heads(width, table(&format!("{layer}.attn.wq"), 0)?),
        hidden: table(&format!("{layer}.ff.w1"), 0)?,
    }))
}

fn llamagen(shapes: &Shapes<'_>, _hints: &Hints) -> Result<PriorConfig> {
    let table = |name: &str, axis| shapes.side(&format!("{name}.weight"), 2, axis);
    let width = table("tok_embeddings", 1)?;
    Ok(PriorConfig::LlamaGen(LlamaGenConfig {
        codes: table("tok_embeddings", 0)?,
        rows: SIDE,
        columns: SIDE,
        classes: table("cls_embedding.embedding_table", 0)?.saturating_sub(1),
        width,
        layers: shapes.count("layers."),
        heads: heads(width, width),
        hidden: table("layers.0.feed_forward.w1", 0)?,
    }))
}

fn mingpt(shapes: &Shapes<'_>, hints: &Hints) -> Result<PriorConfig> {
    let table = |name: &str, axis| shapes.side(&format!("{name}.weight"), 2, axis);
    let width = table("tok_emb", 1)?;
    let block = shapes.side("pos_emb", 3, 1)?;
    let [rows, columns] = grid(block, hints)?;
    Ok(PriorConfig::MinGpt(MinGptConfig {
        codes: table("tok_emb", 0)?,
        rows,
        columns,
        classes: 0,
        width,
        layers: shapes.count("blocks."),
        heads: heads(width, width),
        block,
    }))
}

/// Explains how a config file can set the number of heads, if it was only assumed.
fn mend(error: Error, assumed: &[&str]) -> Error {
    match &error {
        Error::ConfigInvalid(fault) if assumed.contains(&"heads") => Error::ConfigInvalid(format!(
            "{fault}; the file does not say how many heads there are, which a config file next to \
             it or `--config` can, as {{\"heads\": 4}}"
        )),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_of_heads_follow_from_the_widths() {
        for (width, filled, expected) in [
            (384, 384, 6),
            (512, 510, 6),
            (768, 768, 12),
            (1024, 1024, 16),
            (1280, 1280, 20),
            (16, 16, 1),
        ] {
            assert_eq!(heads(width, filled), expected, "{width}");
        }
    }
}
