/// How published checkpoints, PyTorch's, lay out a parameter that Burn lays out otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// In both alike.
    Same,
    /// Burn's `Linear` has its weight as `[in, out]`, PyTorch's as `[out, in]`.
    Transposed,
}

impl Layout {
    /// The published shape of a parameter of this module's `shape`, and the reverse: transposing is
    /// its own inverse.
    pub fn shape(self, shape: &[usize]) -> Vec<usize> {
        match (self, shape) {
            (Self::Transposed, &[rows, columns]) => vec![columns, rows],
            _ => shape.to_vec(),
        }
    }
}

/// Burn's normalisations, whose `gamma` and `beta` are `weight` and `bias` in PyTorch.
const NORMS: [&str; 5] = [
    "GroupNorm",
    "LayerNorm",
    "RmsNorm",
    "BatchNorm",
    "InstanceNorm",
];

/// Where a walk over a module is: the published name and layout of the parameter there.
#[derive(Debug, Default)]
pub struct Path {
    /// Names from the outside in. An enum's variant has none: files know `quantize`, not which one.
    names: Vec<String>,
    /// The struct that has the field, for each struct on the way.
    structs: Vec<String>,
}

impl Path {
    /// `name` is a field's, an index or an enum's variant; `container` is what has it.
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

    /// How files lay it out.
    pub fn layout(&self) -> Layout {
        let field = self.names.last().map(String::as_str);
        let owner = self.structs.last().map(String::as_str);
        match (owner, field) {
            (Some("Linear"), Some("weight")) => Layout::Transposed,
            _ => Layout::Same,
        }
    }

    /// The axis of a weight's output channels in files.
    pub fn outputs(&self) -> usize {
        let transposed = |owner: &String| owner.starts_with("ConvTranspose");
        usize::from(self.structs.last().is_some_and(transposed))
    }
}
