use safetensors::tensor::Dtype;

use super::value::Global;

/// Packages whose objects checkpoints contain in addition to tensors: hyper-parameters, callbacks,
/// schedulers.
const PACKAGES: [&str; 16] = [
    "addict",
    "argparse",
    "decimal",
    "easydict",
    "jsonargparse",
    "lightning",
    "lightning_fabric",
    "numpy",
    "omegaconf",
    "pathlib",
    "pytorch_lightning",
    "torch",
    "torchmetrics",
    "typing",
    "uuid",
    "yacs",
];

impl Global<'_> {
    /// Whether calling it would only create an object. Nothing is called either way: this
    /// distinguishes a checkpoint with hyper-parameters from one made to run code. Functions are
    /// listed individually, since even torch and numpy have some that execute their arguments.
    pub fn makes_an_object(&self) -> bool {
        let name = self.name;
        // A dotted name can reach from a class to everything its module imported.
        if name.contains('.') {
            return false;
        }
        match self.module {
            "builtins" | "__builtin__" => matches!(
                name,
                "bool"
                    | "bytearray"
                    | "bytes"
                    | "complex"
                    | "dict"
                    | "float"
                    | "frozenset"
                    | "int"
                    | "list"
                    | "object"
                    | "range"
                    | "set"
                    | "slice"
                    | "str"
                    | "tuple"
                    | "xrange"
            ),
            "_codecs" => name == "encode",
            "collections" => matches!(name, "Counter" | "defaultdict" | "deque" | "OrderedDict"),
            "datetime" => matches!(
                name,
                "date" | "datetime" | "time" | "timedelta" | "timezone"
            ),
            "types" => name == "SimpleNamespace",
            "torch" if name == "device" => true,
            "torch._utils" => name.starts_with("_rebuild_"),
            "torch.serialization" if name == "_get_layout" => true,
            "numpy" if matches!(name, "dtype" | "ndarray") => true,
            "numpy.core.multiarray" | "numpy._core.multiarray" => {
                matches!(name, "_reconstruct" | "scalar")
            }
            "numpy.core.numeric" | "numpy._core.numeric" => name == "_frombuffer",
            "numpy.random._pickle" | "numpy.random.bit_generator" => name.starts_with("__"),
            module => {
                let package = module.split('.').next().unwrap_or(module);
                PACKAGES.contains(&package) && name.starts_with(|c: char| c.is_ascii_uppercase())
            }
        }
    }

    /// Element type and size in bytes, if this is a storage class. Some types have no safetensors
    /// equivalent.
    pub fn element(&self) -> Option<(Option<Dtype>, u64)> {
        if self.module.split('.').next() != Some("torch") {
            return None;
        }
        let dtype = match self.name {
            "FloatStorage" => Dtype::F32,
            "HalfStorage" => Dtype::F16,
            "BFloat16Storage" => Dtype::BF16,
            "DoubleStorage" => Dtype::F64,
            "LongStorage" => Dtype::I64,
            "IntStorage" => Dtype::I32,
            "ShortStorage" => Dtype::I16,
            "CharStorage" => Dtype::I8,
            "ByteStorage" | "UntypedStorage" => Dtype::U8,
            "BoolStorage" => Dtype::BOOL,
            "ComplexFloatStorage" => Dtype::C64,
            "ComplexDoubleStorage" => return Some((None, 16)),
            "QInt32Storage" => return Some((None, 4)),
            "QInt8Storage" | "QUInt8Storage" | "QUInt4x2Storage" | "QUInt2x4Storage" => {
                return Some((None, 1));
            }
            _ => return None,
        };
        Some((Some(dtype), dtype.bitsize() as u64 / 8))
    }

    /// The type for `torch.float32` and the like.
    pub fn dtype(&self) -> Option<Dtype> {
        if self.module != "torch" {
            return None;
        }
        Some(match self.name {
            "float32" => Dtype::F32,
            "float16" => Dtype::F16,
            "bfloat16" => Dtype::BF16,
            "float64" => Dtype::F64,
            "float8_e4m3fn" => Dtype::F8_E4M3,
            "float8_e5m2" => Dtype::F8_E5M2,
            "int64" => Dtype::I64,
            "int32" => Dtype::I32,
            "int16" => Dtype::I16,
            "int8" => Dtype::I8,
            "uint64" => Dtype::U64,
            "uint32" => Dtype::U32,
            "uint16" => Dtype::U16,
            "uint8" => Dtype::U8,
            "bool" => Dtype::BOOL,
            _ => return None,
        })
    }
}
