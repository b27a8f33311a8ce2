use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::weights::params;

/// Everything that a training goes on from, by name; a safetensors file when it is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    bytes: BTreeMap<String, Vec<u8>>,
    notes: BTreeMap<String, String>,
}

impl State {
    /// Keeps the parameters of a module, each under `prefix` and its own name.
    ///
    /// # Errors
    /// [`Error::Internal`] when the device fails.
    pub async fn put_module(&mut self, prefix: &str, module: &impl Module) -> Result<()> {
        for (name, value) in params::values(module).await? {
            self.tensors.insert(format!("{prefix}.{name}"), value);
        }
        Ok(())
    }

    /// `module` with the parameters that are kept under `prefix`.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] where one is missing or has another length.
    pub fn module<M: Module>(&self, prefix: &str, module: M) -> Result<M> {
        params::fill(module, |name| {
            Ok(self.values(&format!("{prefix}.{name}"))?.1.clone())
        })
    }

    /// Keeps a tensor.
    ///
    /// # Errors
    /// [`Error::Internal`] when the device fails.
    pub async fn put<const D: usize>(&mut self, name: &str, tensor: Tensor<D>) -> Result<()> {
        let shape = tensor.dims().to_vec();
        let data = tensor.into_data_async().await;
        let data = data.map_err(|e| Error::Internal(e.to_string()))?;
        let values = data.iter().collect();
        self.tensors.insert(name.to_owned(), (shape, values));
        Ok(())
    }

    /// A tensor that was kept.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] where there is none of that name and rank.
    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D>> {
        let (shape, values) = self.values(name)?;
        let shape: [usize; D] = shape.as_slice().try_into().map_err(|_| missing(name))?;
        Ok(Tensor::from_data(
            TensorData::new(values.clone(), shape),
            device,
        ))
    }

    /// Keeps bytes.
    pub fn put_bytes(&mut self, name: &str, bytes: Vec<u8>) {
        self.bytes.insert(name.to_owned(), bytes);
    }

    /// Bytes that were kept.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] where there are none of that name.
    pub fn bytes(&self, name: &str) -> Result<&[u8]> {
        let bytes = self.bytes.get(name).ok_or_else(|| missing(name))?;
        Ok(bytes)
    }

    /// Keeps a short text.
    pub fn put_note(&mut self, name: &str, text: String) {
        self.notes.insert(name.to_owned(), text);
    }

    /// A text that was kept.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] where there is none of that name.
    pub fn note(&self, name: &str) -> Result<&str> {
        let note = self.notes.get(name).ok_or_else(|| missing(name))?;
        Ok(note)
    }

    /// The file.
    ///
    /// # Errors
    /// [`Error::Internal`] when it cannot be put together.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let internal = |e: safetensors::SafeTensorError| Error::Internal(e.to_string());
        let floats = self.tensors.iter().map(|(name, (shape, values))| {
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (name.clone(), Dtype::F32, shape.clone(), Cow::from(bytes))
        });
        let bytes = self.bytes.iter().map(|(name, bytes)| {
            let shape = vec![bytes.len()];
            (name.clone(), Dtype::U8, shape, Cow::from(bytes))
        });
        let parts: Vec<_> = floats.chain(bytes).collect();
        let views = parts
            .iter()
            .map(|(name, dtype, shape, data)| {
                let view = TensorView::new(*dtype, shape.clone(), data).map_err(internal)?;
                Ok((name.as_str(), view))
            })
            .collect::<Result<Vec<_>>>()?;
        let notes: HashMap<String, String> = self.notes.clone().into_iter().collect();
        safetensors::serialize(views, Some(notes)).map_err(internal)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] when it is damaged or no state.
    pub fn from_bytes(file: &[u8]) -> Result<Self> {
        let corrupt = |e: safetensors::SafeTensorError| Error::WeightsCorrupt(e.to_string());
        let (_, header) = SafeTensors::read_metadata(file).map_err(corrupt)?;
        let mut state = Self {
            notes: header.metadata().iter().flatten().map(owned).collect(),
            ..Self::default()
        };
        for (name, view) in SafeTensors::deserialize(file).map_err(corrupt)?.iter() {
            match view.dtype() {
                Dtype::F32 => {
                    let words = view.data().as_chunks::<4>().0;
                    let values = words.iter().map(|word| f32::from_le_bytes(*word));
                    let value = (view.shape().to_vec(), values.collect());
                    state.tensors.insert(name.to_owned(), value);
                }
                Dtype::U8 => state.put_bytes(name, view.data().to_vec()),
                other => {
                    let message = format!("a training has no {other:?}, which `{name}` is");
                    return Err(Error::WeightsCorrupt(message));
                }
            }
        }
        Ok(state)
    }

    fn values(&self, name: &str) -> Result<&(Vec<usize>, Vec<f32>)> {
        self.tensors.get(name).ok_or_else(|| missing(name))
    }
}

fn owned((name, text): (&String, &String)) -> (String, String) {
    (name.clone(), text.clone())
}

fn missing(name: &str) -> Error {
    Error::WeightsMismatch(format!("the training's state has no such `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_as_it_was_written() {
        let mut state = State::default();
        let device = Device::flex();
        let tensor = Tensor::<2>::from_floats([[1.5, -0.0, f32::MIN_POSITIVE]], &device);
        pollster::block_on(state.put("tensor", tensor)).unwrap();
        state.put_bytes("bytes", vec![1, 2, 255]);
        state.put_note("step", "17".to_owned());
        let read = State::from_bytes(&state.to_bytes().unwrap()).unwrap();
        assert_eq!(read, state);
        assert_eq!(read.note("step").unwrap(), "17");
        assert_eq!(read.bytes("bytes").unwrap(), [1, 2, 255]);
        assert_eq!(read.tensor::<2>("tensor", &device).unwrap().dims(), [1, 3]);
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        let device = Device::flex();
        let state = State::default();
        for error in [
            state.tensor::<1>("absent", &device).unwrap_err(),
            state.bytes("absent").unwrap_err(),
            state.note("absent").unwrap_err(),
        ] {
            assert_eq!(error.code(), "weights_mismatch");
            assert!(error.to_string().contains("`absent`"), "{error}");
        }
        for file in [&b""[..], b"not a safetensors file"] {
            let error = State::from_bytes(file).unwrap_err();
            assert_eq!(error.code(), "weights_corrupt");
        }
    }
}
