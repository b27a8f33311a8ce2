use std::borrow::Cow;
use std::collections::HashMap;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_store::{ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// A golden file; `tests/golden/README.md` describes its contents.
pub struct Golden {
    pub name: &'static str,
    pub tensors: SafeTensors<'static>,
    config: String,
}

impl Golden {
    pub fn of(name: &'static str, bytes: &'static [u8]) -> Self {
        let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
        Self {
            name,
            tensors: SafeTensors::deserialize(bytes).unwrap(),
            config: header.metadata().as_ref().unwrap()["config"].clone(),
        }
    }

    fn view(&self, name: &str) -> TensorView<'static> {
        match self.tensors.tensor(name) {
            Ok(view) => view,
            Err(e) => panic!("{}: {name}: {e}", self.name),
        }
    }

    /// The four bytes of each value.
    fn words(&self, name: &str, dtype: Dtype) -> Vec<[u8; 4]> {
        let view = self.view(name);
        assert_eq!(view.dtype(), dtype, "{}: {name}", self.name);
        view.data().as_chunks::<4>().0.to_vec()
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.view(name).shape().to_vec()
    }

    pub fn floats(&self, name: &str) -> Vec<f32> {
        let words = self.words(name, Dtype::F32);
        words.into_iter().map(f32::from_le_bytes).collect()
    }

    pub fn ints(&self, name: &str) -> Vec<i32> {
        let words = self.words(name, Dtype::I32);
        words.into_iter().map(i32::from_le_bytes).collect()
    }

    /// A single f64 value.
    pub fn double(&self, name: &str) -> f64 {
        let view = self.view(name);
        assert_eq!(view.dtype(), Dtype::F64, "{}: {name}", self.name);
        f64::from_le_bytes(view.data().try_into().unwrap())
    }

    /// A number from the config in the header.
    pub fn setting(&self, name: &str) -> f64 {
        let config: serde_json::Value = serde_json::from_str(&self.config).unwrap();
        config[name].as_f64().unwrap()
    }

    /// Part of the config in the header, if present.
    pub fn json(&self, name: &str) -> Option<String> {
        let config: serde_json::Value = serde_json::from_str(&self.config).unwrap();
        config.get(name).map(ToString::to_string)
    }

    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        Tensor::from_data(TensorData::new(self.floats(name), self.shape(name)), device)
    }

    pub fn indices<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D, Int> {
        Tensor::from_data(TensorData::new(self.ints(name), self.shape(name)), device)
    }

    /// The names that start with `prefix`, without it.
    pub fn names(&self, prefix: &str) -> Vec<&str> {
        let names = self.tensors.names().into_iter();
        names.filter_map(|n| n.strip_prefix(prefix)).collect()
    }

    /// Only the parameters, as a weight file of this project.
    pub fn weights(&self) -> Vec<u8> {
        let params = self.names("param.");
        assert!(!params.is_empty(), "{} has no parameters", self.name);
        let views = params.iter().map(|name| {
            let view = self.view(&format!("param.{name}"));
            (Cow::from(*name), view)
        });
        let metadata = HashMap::from([("config".to_owned(), self.config.clone())]);
        safetensors::serialize(views, Some(metadata)).unwrap()
    }

    /// Only the parameters, renamed by `rename`, as other projects save them.
    pub fn checkpoint(&self, rename: impl Fn(&str) -> String) -> Vec<u8> {
        let params = self.names("param.");
        assert!(!params.is_empty(), "{} has no parameters", self.name);
        let views = params
            .iter()
            .map(|name| (rename(name), self.view(&format!("param.{name}"))));
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(views, Some(metadata)).unwrap()
    }

    /// Loads the parameters into a layer, which must use exactly these.
    pub fn fill<M: Module + ModuleSnapshot>(&self, mut module: M) -> M {
        let mut store = SafetensorsStore::from_bytes(Some(self.weights()))
            .with_from_adapter(PyTorchToBurnAdapter)
            .skip_enum_variants(true);
        let result = module.load_from(&mut store).unwrap();
        assert!(result.is_success(), "{}: {result:?}", self.name);
        assert!(result.unused.is_empty(), "{}: {result:?}", self.name);
        module
    }
}
