//! A model's parameters by the names that files call them.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::error::Result;
use crate::models::Autoencoder;

/// Shape of each parameter. Parameters that were never used stay uninitialised, so this costs no
/// memory.
pub fn shapes(model: &Autoencoder) -> BTreeMap<String, Vec<usize>> {
    let mut shapes = Shapes::default();
    model.visit(&mut shapes);
    shapes.found
}

/// Gives each parameter the values that `read` has for its name, one at a time.
///
/// # Errors
/// The first one of `read`.
pub fn fill(model: Autoencoder, read: impl FnMut(&str) -> Result<Vec<f32>>) -> Result<Autoencoder> {
    let mut fill = Fill {
        path: Path::default(),
        read,
        result: Ok(()),
    };
    let model = model.map(&mut fill);
    fill.result.map(|()| model)
}

/// Where a walk over the modules is.
#[derive(Debug, Default)]
struct Path(Vec<String>);

impl Path {
    fn enter(&mut self, name: &str, container: &str) {
        // An enum's variant is no part of a name: files know `quantize`, not which one it is.
        if !container.starts_with("Enum:") {
            self.0.push(match name {
                // Burn's normalisations have names of their own for what files call these.
                "gamma" => "weight".to_owned(),
                "beta" => "bias".to_owned(),
                other => other.to_owned(),
            });
        }
    }

    fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.pop();
        }
    }

    fn name(&self) -> String {
        self.0.join(".")
    }
}

#[derive(Debug, Default)]
struct Shapes {
    path: Path,
    found: BTreeMap<String, Vec<usize>>,
}

impl ModuleVisitor for Shapes {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found
            .insert(self.path.name(), param.lazy_shape().as_slice().to_vec());
    }
}

struct Fill<R> {
    path: Path,
    read: R,
    result: Result<()>,
}

impl<R: FnMut(&str) -> Result<Vec<f32>>> ModuleMapper for Fill<R> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.result.is_err() {
            return param;
        }
        match (self.read)(&self.path.name()) {
            Ok(values) => {
                let data = TensorData::new(values, param.lazy_shape());
                let (id, device) = (param.id, param.lazy_device());
                param.transform_for_load(Tensor::from_data(data, &device), id)
            }
            Err(error) => {
                self.result = Err(error);
                param
            }
        }
    }
}
