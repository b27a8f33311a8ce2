//! A module's parameters by the names that files call them.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use sha2::{Digest, Sha256};

use crate::device::read_all;
use crate::error::{Error, Result};

/// Shape of each parameter. Parameters that were never used stay uninitialised, so this costs no
/// memory.
pub fn shapes(module: &impl Module) -> BTreeMap<String, Vec<usize>> {
    let names = names(module).into_iter();
    names.map(|(name, (_, shape))| (name, shape)).collect()
}

/// Id of each parameter.
pub fn ids(module: &impl Module) -> BTreeMap<String, ParamId> {
    let names = names(module).into_iter();
    names.map(|(name, (id, _))| (name, id)).collect()
}

fn names(module: &impl Module) -> BTreeMap<String, (ParamId, Vec<usize>)> {
    let mut names = Names::default();
    module.visit(&mut names);
    names.found
}

/// Shape and values of each parameter, read back from the device.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub async fn values(module: &impl Module) -> Result<BTreeMap<String, (Vec<usize>, Vec<f32>)>> {
    let mut flat = Flat::default();
    module.visit(&mut flat);
    let (names, tensors): (Vec<_>, Vec<_>) = flat
        .found
        .into_iter()
        .map(|(name, (shape, tensor))| ((name, shape), tensor))
        .unzip();
    let values = names.into_iter().zip(read_all(tensors).await?);
    Ok(values
        .map(|((name, shape), values)| (name, (shape, values)))
        .collect())
}

/// Gives each parameter an id that follows from its name, so that what is kept by id outlives the
/// process.
pub fn identify<M: Module>(module: M) -> M {
    module.map(&mut Identify::default())
}

/// Gives each parameter the values that `read` has for its name, one at a time.
///
/// # Errors
/// The first one of `read`, and [`Error::WeightsMismatch`] for values that are too few or too many.
pub fn fill<M: Module>(module: M, read: impl FnMut(&str) -> Result<Vec<f32>>) -> Result<M> {
    let mut fill = Fill {
        path: Path::default(),
        read,
        result: Ok(()),
    };
    let module = module.map(&mut fill);
    fill.result.map(|()| module)
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
struct Names {
    path: Path,
    found: BTreeMap<String, (ParamId, Vec<usize>)>,
}

impl ModuleVisitor for Names {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.lazy_shape().as_slice().to_vec();
        self.found.insert(self.path.name(), (param.id, shape));
    }
}

#[derive(Debug, Default)]
struct Flat {
    path: Path,
    found: BTreeMap<String, (Vec<usize>, Tensor<1>)>,
}

impl ModuleVisitor for Flat {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.lazy_shape();
        let flat = param.val().reshape([shape.num_elements()]);
        self.found
            .insert(self.path.name(), (shape.as_slice().to_vec(), flat));
    }
}

#[derive(Debug, Default)]
struct Identify(Path);

impl ModuleMapper for Identify {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.0.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let digest: [u8; 32] = Sha256::digest(self.0.name()).into();
        let id = digest.first_chunk().copied().map(u64::from_le_bytes);
        let (_, value, mapper) = param.consume();
        Param::from_mapped_value(ParamId::from(id.unwrap_or_default()), value, mapper)
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
        let name = self.path.name();
        let wanted = param.lazy_shape().num_elements();
        let read = (self.read)(&name).and_then(|values| match values.len() {
            found if found == wanted => Ok(values),
            found => Err(Error::WeightsMismatch(format!(
                "`{name}` has {found} values where {wanted} are expected"
            ))),
        });
        match read {
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
