/// How a parameter's layout in published PyTorch checkpoints differs from Burn's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// No difference.
    Same,
    /// Burn's `Linear` stores its weight as `[in, out]`, PyTorch as `[out, in]`.
    Transposed,
}

impl Layout {
    /// The published shape of a parameter with the module's `shape`, and the reverse: transposing
    /// is its own inverse.
    pub fn shape(self, shape: &[usize]) -> Vec<usize> {
        match (self, shape) {
            (Self::Transposed, &[rows, columns]) => vec![columns, rows],
            _ => shape.to_vec(),
        }
    }
}

/// Burn's normalisation layers, whose `gamma` and `beta` are `weight` and `bias` in PyTorch.
const NORMS: [&str; 5] = [
    "GroupNorm",
    "LayerNorm",
    "RmsNorm",
    "BatchNorm",
    "InstanceNorm",
];

/// Position in a walk over a module: yields the parameter's published name and layout.
#[derive(Debug, Default)]
pub struct Path {
    /// Names from the outside in. Enum variants add none: files say `quantize`, not which variant.
    names: Vec<String>,
    /// The enclosing structs, from the outside in.
    structs: Vec<String>,
}

impl Path {
    /// `name` is a field, an index or an enum variant; `container` is the type that contains it.
    pub fn enter(&mut self, name: &str, container: &str) {
        if container.starts_with("Enum:") {
            return;
        }
        let owner = container.strip_prefix("Struct:").unwrap_or_default();
        self.names.push(match name {
            "gamma" if NORMS.contains(&owner) => "weight".to_owned(),
            "beta" if NORMS.contains(&owner) => "bias".to_owned(),
            other => other.to_owned(),
        });
        self.structs.push(owner.to_owned());
    }

    /// Leaves what [`Path::enter`] entered.
    pub fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.names.pop();
            self.structs.pop();
        }
    }

    /// The parameter's name in files.
    pub fn name(&self) -> String {
        self.names.join(".")
    }

    /// Its layout in files.
    pub fn layout(&self) -> Layout {
        let field = self.names.last().map(String::as_str);
        let owner = self.structs.last().map(String::as_str);
        match (owner, field) {
            (Some("Linear"), Some("weight")) => Layout::Transposed,
            _ => Layout::Same,
        }
    }

    /// Whether it is the weight of a linear layer or a table of vectors.
    pub fn is_matrix(&self) -> bool {
        let field = self.names.last().map(String::as_str);
        let owner = self.structs.last().map(String::as_str);
        matches!(owner, Some("Linear" | "Embedding" | "Table")) && field == Some("weight")
    }

    /// Whether its layer computes with an f16 weight too.
    pub fn may_be_half(&self) -> bool {
        let field = self.names.last().map(String::as_str);
        let owner = self.structs.last().map(String::as_str);
        matches!(owner, Some("Linear" | "Table" | "Conv2d")) && field == Some("weight")
    }

    /// The axis of a weight's output channels in files.
    pub fn outputs(&self) -> usize {
        let transposed = |owner: &String| owner.starts_with("ConvTranspose");
        let is_weight = self.names.last().is_some_and(|name| name == "weight");
        usize::from(is_weight && self.structs.last().is_some_and(transposed))
    }
}
