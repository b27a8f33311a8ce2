use std::borrow::Cow;
use std::collections::HashMap;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_store::{ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// A golden file; `tests/golden/README.md` says what is in it.
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

    /// A single number in double precision.
    pub fn double(&self, name: &str) -> f64 {
        let view = self.view(name);
        assert_eq!(view.dtype(), Dtype::F64, "{}: {name}", self.name);
        f64::from_le_bytes(view.data().try_into().unwrap())
    }

    /// A number of the header's config.
    pub fn setting(&self, name: &str) -> f64 {
        let config: serde_json::Value = serde_json::from_str(&self.config).unwrap();
        config[name].as_f64().unwrap()
    }

    /// A part of the header's config, if it is there.
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

    /// What comes after `prefix` in the names that start with it.
    pub fn names(&self, prefix: &str) -> Vec<&str> {
        let names = self.tensors.names().into_iter();
        names.filter_map(|n| n.strip_prefix(prefix)).collect()
    }

    /// The parameters alone, as a weight file of this project.
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

    /// The parameters alone, each by the name that `rename` gives it, as others save them.
    pub fn checkpoint(&self, rename: impl Fn(&str) -> String) -> Vec<u8> {
        let params = self.names("param.");
        assert!(!params.is_empty(), "{} has no parameters", self.name);
        let views = params
            .iter()
            .map(|name| (rename(name), self.view(&format!("param.{name}"))));
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        safetensors::serialize(views, Some(metadata)).unwrap()
    }

    /// Puts the parameters into a layer, which must want all of them and no others.
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
