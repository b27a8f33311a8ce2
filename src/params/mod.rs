//! A module's parameters under the names and in the layout of published PyTorch checkpoints. Weight
//! files, training checkpoints and hashes use this walk in both directions, so names and layouts
//! are decided in one place.

mod lerp;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Element, Shape, Tensor, TensorData, f16};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::nn::half::widened;
use crate::readback::read_all;
pub use lerp::lerp;
use walk::{Layout, Path};

/// A parameter's shape and values, row-major, in the layout of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values; their count is the product of `shape`.
    pub values: Vec<f32>,
    /// The axis of output channels: the second of a transposed convolution's weight, otherwise the
    /// first.
    pub outputs: usize,
    /// Whether they are a matrix with one row for each output: the weight of a linear layer,
    /// `[out, in]`, or a table of vectors.
    pub matrix: bool,
}

/// Shape of each parameter by name. Unused parameters stay uninitialised, so this costs no memory.
pub fn shapes(module: &impl Module) -> BTreeMap<String, Vec<usize>> {
    let names = names(module).into_iter();
    names.map(|(name, (_, shape))| (name, shape)).collect()
}

/// Id of each parameter by name.
pub fn ids(module: &impl Module) -> BTreeMap<String, ParamId> {
    let names = names(module).into_iter();
    names.map(|(name, (id, _))| (name, id)).collect()
}

fn names(module: &impl Module) -> BTreeMap<String, (ParamId, Vec<usize>)> {
    let mut names = Names::default();
    module.visit(&mut names);
    names.found
}

/// Every parameter by name, read back from the device in one go.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub async fn values(module: &impl Module) -> Result<BTreeMap<String, Values>> {
    let mut flat = Flat::default();
    module.visit(&mut flat);
    let (found, tensors): (Vec<_>, Vec<_>) = flat.found.into_iter().unzip();
    let found = found.into_iter().zip(read_all(tensors).await?);
    Ok(found
        .map(|((name, values), read)| {
            let values = Values {
                values: read,
                ..values
            };
            (name, values)
        })
        .collect())
}

/// Assigns each parameter an id derived from its name, so that state keyed by id outlives the
/// process.
pub fn identify<M: Module>(module: M) -> M {
    module.map(&mut Identify::default())
}

/// How weights are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All in f32.
    Wide,
    /// A weight whose values f16 represents exactly, as f16 if its layer can compute with that. On
    /// the CPU only, and not for training.
    Narrow,
}

/// Sets each parameter to the values that `read` returns for its name, in file layout, one at a
/// time.
///
/// # Errors
/// The first error of `read`, and [`Error::WeightsMismatch`] for the wrong number of values.
pub fn fill<M: Module>(
    module: M,
    keep: Keep,
    read: impl FnMut(&str) -> Result<Vec<f32>>,
) -> Result<M> {
    let mut fill = Fill {
        keep,
        path: Path::default(),
        read,
        result: Ok(()),
    };
    let module = module.map(&mut fill);
    fill.result.map(|()| module)
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
        let shape = self.path.layout().shape(param.lazy_shape().as_slice());
        self.found.insert(self.path.name(), (param.id, shape));
    }
}

#[derive(Debug, Default)]
struct Flat {
    path: Path,
    /// The values have yet to be read from the tensor.
    found: Vec<((String, Values), Tensor<1>)>,
}

impl ModuleVisitor for Flat {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let layout = self.path.layout();
        let shape = param.lazy_shape();
        let value = match layout {
            Layout::Same => widened(param.val()),
            Layout::Transposed => widened(param.val()).swap_dims(0, 1),
        };
        let flat = value.reshape([shape.num_elements()]);
        let values = Values {
            shape: layout.shape(shape.as_slice()),
            values: Vec::new(),
            outputs: self.path.outputs(),
            matrix: self.path.is_matrix(),
        };
        self.found.push(((self.path.name(), values), flat));
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
    keep: Keep,
    path: Path,
    read: R,
    result: Result<()>,
}

impl<R: FnMut(&str) -> Result<Vec<f32>>> Fill<R> {
    /// The values of a parameter with the module's `shape`, in file layout.
    fn values(&mut self, shape: &[usize]) -> Result<Vec<f32>> {
        let name = self.path.name();
        let values = (self.read)(&name)?;
        let (wanted, found) = (shape.iter().product::<usize>(), values.len());
        if found != wanted {
            return Err(Error::WeightsMismatch(format!(
                "`{name}` has {found} values where {wanted} are expected"
            )));
        }
        Ok(values)
    }

    /// A tensor of the module's `shape`, with the values in the module's layout.
    fn tensor<T: Element + Copy, const D: usize>(
        &self,
        values: Vec<T>,
        shape: Shape,
        device: &Device,
    ) -> Tensor<D> {
        let values = match (self.path.layout(), shape.as_slice()) {
            // Stored in files as `[out, in]`.
            (Layout::Transposed, &[rows, columns]) => transposed(&values, columns, rows),
            _ => values,
        };
        Tensor::from_data(TensorData::new(values, shape), (device, T::dtype()))
    }
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
        let shape = param.lazy_shape();
        match self.values(shape.as_slice()) {
            Ok(values) => {
                let (id, device) = (param.id, param.lazy_device());
                let narrow = self.keep == Keep::Narrow && self.path.may_be_half();
                let value = match narrow.then(|| halved(&values)).flatten() {
                    Some(halves) => {
                        drop(values);
                        self.tensor(halves, shape, &device)
                    }
                    None => self.tensor(values, shape, &device),
                };
                param.transform_for_load(value, id)
            }
            Err(error) => {
                self.result = Err(error);
                param
            }
        }
    }
}

/// The values as f16, if it represents each exactly.
fn halved(values: &[f32]) -> Option<Vec<f16>> {
    let exact = |value: &f32| f16::from_f32(*value).to_f32() == *value;
    // Collected at once, so that no memory is left over.
    let halves = || values.iter().copied().map(f16::from_f32).collect();
    values.iter().all(exact).then(halves)
}

/// The module with every weight in f32, as training needs it.
pub fn widen<M: Module>(module: M) -> M {
    module.map(&mut Widen)
}

#[derive(Debug)]
struct Widen;

impl ModuleMapper for Widen {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        Param::from_mapped_value(id, widened(value), mapper)
    }
}

/// Transposes a row-major `rows`×`columns` matrix.
pub fn transposed<T: Copy>(values: &[T], rows: usize, columns: usize) -> Vec<T> {
    // Allocated at once, so that no memory is left over.
    let mut turned = Vec::with_capacity(values.len());
    for column in 0..columns {
        turned.extend((0..rows).map(|row| values[row * columns + column]));
    }
    turned
}
