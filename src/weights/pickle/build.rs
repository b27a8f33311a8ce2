//! What a pickle's calls produce. The few that make tensors and dicts are recognised by name, those
//! that make other objects become [`Value::Object`], and everything else is rejected. Nothing is
//! called.
//!
//! Source: `torch/_utils.py` and `persistent_id` in `torch/serialization.py` of PyTorch.

use super::faults::{corrupt, refused};
use super::limits;
use super::value::{Arena, Global, Id, Storage, Tensor, Value};
use crate::error::{Result, shown};

/// The result of `callable(*args)`.
///
/// # Errors
/// [`PickleRefused`](crate::Error::PickleRefused) for a function that checkpoints do not use.
pub fn call<'a>(arena: &mut Arena<'a>, callable: Id, args: Id) -> Result<Id> {
    let global = match arena.get(callable) {
        Value::Global(global) => **global,
        Value::Object => return Err(refused("its pickle would call an object that it created")),
        other => return Err(corrupt(format!("its pickle calls {}", other.what()))),
    };
    let Some(given) = arena.items(args) else {
        return Err(corrupt(
            "its pickle calls a class without a tuple of arguments",
        ));
    };
    match (global.module, global.name) {
        ("torch._tensor", "_rebuild_from_type_v2") => {
            // Its arguments: a function, a class, the function's arguments, and attributes.
            let &[function, _, args, ..] = given else {
                return Err(corrupt(
                    "its pickle rebuilds a tensor from too few arguments",
                ));
            };
            match arena.get(function) {
                Value::Global(inner) if **inner != global => call(arena, function, args),
                _ => Err(corrupt(
                    "its pickle rebuilds a tensor with something that is not a function",
                )),
            }
        }
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3") => {
            let value = tensor(arena, given, global.name == "_rebuild_tensor_v3")?;
            arena.add(value)
        }
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")
        | ("torch.nn.parameter", "Parameter") => match given.first() {
            Some(data) if matches!(arena.get(*data), Value::Tensor(_)) => Ok(*data),
            _ => arena.add(Value::Object),
        },
        ("torch", "Size") => match given {
            [size] if arena.items(*size).is_some() => Ok(*size),
            _ => Err(corrupt("its pickle has a size without numbers")),
        },
        ("collections", "OrderedDict" | "defaultdict") => {
            let entries = given
                .first()
                .map_or(Ok(Vec::new()), |of| pairs(arena, *of))?;
            let dict = arena.add(Value::Dict(Vec::new()))?;
            arena.set(dict, &entries)?;
            Ok(dict)
        }
        // Both create an object of the given class.
        ("copyreg" | "copy_reg", "_reconstructor" | "__newobj__") => {
            let Some(Value::Global(class)) = given.first().map(|class| arena.get(*class)) else {
                return Err(corrupt("its pickle creates an object without a class"));
            };
            let class = **class;
            object(arena, class)
        }
        // `Dict[str, Any]` and similar types, from omegaconf hyper-parameters.
        ("_operator" | "operator", "getitem") if is_type(arena, given) => arena.add(Value::Object),
        _ => object(arena, global),
    }
}

/// Whether an object may be given attributes; those of a dict or tensor are ignored.
pub fn set_state(arena: &Arena, object: Id) -> Result<()> {
    match arena.get(object) {
        Value::Object | Value::Dict(_) | Value::List(_) | Value::Tensor(_) => Ok(()),
        Value::Global(global) => Err(refused(format!("its pickle would change {}", path(global)))),
        other => Err(corrupt(format!(
            "its pickle sets attributes of {}",
            other.what()
        ))),
    }
}

/// Resolves a persistent id: `('storage', class, key, location, number of elements)`, and in the
/// older form a sixth item for views, which is always None.
pub fn persistent<'a>(arena: &mut Arena<'a>, id: Id) -> Result<Id> {
    let unknown = || corrupt("its pickle has a persistent id that does not name a storage");
    let Value::Tuple(items) = arena.get(id) else {
        return Err(unknown());
    };
    let kind = items.first().and_then(|kind| arena.text(*kind));
    match (kind, &**items) {
        // A class with its source, in whole models saved in the older form.
        (Some("module"), [_, class, ..]) => Ok(*class),
        (Some("storage"), [_, class, key, _location, elements, view @ ..]) => {
            let (Value::Global(class), Some(key), Some(elements)) =
                (arena.get(*class), arena.text(*key), arena.size(*elements))
            else {
                return Err(unknown());
            };
            if view.len() > 1
                || view
                    .iter()
                    .any(|view| !matches!(arena.get(*view), Value::None))
            {
                return Err(unknown());
            }
            if key.len() > limits::NAME {
                return Err(refused(format!(
                    "its pickle names a storage in more than {} bytes",
                    limits::NAME
                )));
            }
            let (dtype, size) = class.element().ok_or_else(unknown)?;
            let elements = elements as u64;
            let bytes = elements.checked_mul(size);
            let bytes =
                bytes.ok_or_else(|| corrupt("its pickle has a storage of impossible size"))?;
            arena.add_storage(Storage {
                key,
                dtype,
                elements,
                bytes,
            })
        }
        _ => Err(unknown()),
    }
}

/// `(storage, offset, size, stride, gradient, hooks, flags)`, in version 3 with the element type
/// before the flags. A tensor of an unsupported type or kind becomes an object.
fn tensor<'a>(arena: &Arena<'a>, args: &[Id], typed: bool) -> Result<Value<'a>> {
    let &[storage, offset, shape, strides, ref rest @ ..] = args else {
        return Err(corrupt(
            "its pickle rebuilds a tensor from too few arguments",
        ));
    };
    let storage = match arena.get(storage) {
        Value::Storage(storage) => **storage,
        other => {
            return Err(corrupt(format!(
                "its pickle has a tensor on {} instead of a storage",
                other.what()
            )));
        }
    };
    let mut rest = rest.iter().skip(2).map(|arg| arena.get(*arg));
    let dtype = if typed {
        match rest.next() {
            Some(Value::Global(dtype)) => dtype.dtype(),
            _ => return Err(corrupt("its pickle has a tensor without a type")),
        }
    } else {
        storage.dtype
    };
    // The last item says whether to negate or conjugate the stored values, which is not supported.
    let as_stored = !matches!(rest.next(), Some(Value::Dict(flags)) if !flags.is_empty());
    let Some(dtype) = dtype.filter(|_| as_stored) else {
        return Ok(Value::Object);
    };
    let offset = arena.size(offset);
    let (shape, strides) = (sizes(arena, shape)?, sizes(arena, strides)?);
    match offset {
        Some(offset) if shape.len() == strides.len() => Ok(Value::Tensor(Box::new(Tensor {
            storage,
            dtype,
            offset,
            shape,
            strides,
        }))),
        _ => Err(corrupt(
            "its pickle has a tensor without a valid offset and strides",
        )),
    }
}

fn sizes(arena: &Arena, id: Id) -> Result<Vec<usize>> {
    let Some(items) = arena.items(id) else {
        return Err(corrupt("its pickle has a tensor without a shape"));
    };
    if items.len() > limits::RANK {
        return Err(refused(format!(
            "its pickle has a tensor of more than {} dimensions",
            limits::RANK
        )));
    }
    let sizes = items.iter().map(|item| arena.size(*item));
    let sizes: Option<Vec<usize>> = sizes.collect();
    sizes.ok_or_else(|| corrupt("its pickle has a tensor whose shape or strides are not sizes"))
}

/// Alternating keys and values, from an old OrderedDict's list of pairs. A defaultdict has a class
/// there.
fn pairs(arena: &Arena, list: Id) -> Result<Vec<Id>> {
    let mut entries = Vec::new();
    for pair in arena.items(list).unwrap_or_default() {
        match arena.items(*pair) {
            Some(pair @ [_, _]) => entries.extend_from_slice(pair),
            _ => {
                return Err(corrupt(
                    "its pickle builds a dict from items that are not pairs",
                ));
            }
        }
    }
    Ok(entries)
}

fn object(arena: &mut Arena, class: Global) -> Result<Id> {
    if class.makes_an_object() {
        return arena.add(Value::Object);
    }
    Err(refused(format!(
        "its pickle would call {}, and code in a checkpoint is never executed",
        path(&class)
    )))
}

fn is_type(arena: &Arena, args: &[Id]) -> bool {
    match args.first().map(|of| arena.get(*of)) {
        Some(Value::Global(of)) => of.module == "typing",
        _ => false,
    }
}

fn path(global: &Global) -> String {
    shown(&format!("{}.{}", global.module, global.name))
}
