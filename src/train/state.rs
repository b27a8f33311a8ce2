use std::collections::{BTreeMap, HashMap};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::params::{self, Keep};
use crate::readback::read_all;

/// Key of the note with the checksum of everything else.
const CHECKSUM: &str = "sha256";

/// All state that training resumes from, by name; a safetensors file on disk.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    notes: BTreeMap<String, String>,
}

impl State {
    /// Stores the parameters of a module under `prefix` and their names.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn put_module(&mut self, prefix: &str, module: &impl Module) -> Result<()> {
        for (name, params::Values { shape, values, .. }) in params::values(module).await? {
            self.tensors
                .insert(format!("{prefix}.{name}"), (shape, values));
        }
        Ok(())
    }

    /// `module` with the parameters stored under `prefix`.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] if one is missing or has the wrong length.
    pub fn module<M: Module>(&self, prefix: &str, module: M) -> Result<M> {
        params::fill(module, Keep::Wide, |name| {
            Ok(self.values(&format!("{prefix}.{name}"))?.1.clone())
        })
    }

    /// Stores named tensors, read back from the device in one go.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] when the device fails.
    pub async fn put<const D: usize>(&mut self, tensors: Vec<(String, Tensor<D>)>) -> Result<()> {
        let flat = |(_, tensor): &(String, Tensor<D>)| tensor.clone().flatten(0, D - 1);
        let read = read_all(tensors.iter().map(flat).collect()).await?;
        for ((name, tensor), values) in tensors.into_iter().zip(read) {
            self.tensors.insert(name, (tensor.dims().to_vec(), values));
        }
        Ok(())
    }

    /// A stored tensor.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] if there is none with that name and rank.
    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D>> {
        let (shape, values) = self.values(name)?;
        let shape: [usize; D] = shape.as_slice().try_into().map_err(|_| missing(name))?;
        Ok(Tensor::from_data(
            TensorData::new(values.clone(), shape),
            device,
        ))
    }

    /// Stores a short text.
    pub fn put_note(&mut self, name: &str, text: String) {
        self.notes.insert(name.to_owned(), text);
    }

    /// A stored text.
    ///
    /// # Errors
    /// [`Error::WeightsMismatch`] if there is none with that name.
    pub fn note(&self, name: &str) -> Result<&str> {
        let note = self.notes.get(name).ok_or_else(|| missing(name))?;
        Ok(note)
    }

    /// Name of the first tensor with a NaN or infinite value.
    pub fn not_finite(&self) -> Option<&str> {
        let wrong = |(_, (_, values)): &(&String, &(Vec<usize>, Vec<f32>))| {
            values.iter().any(|value| !value.is_finite())
        };
        self.tensors
            .iter()
            .find(wrong)
            .map(|(name, _)| name.as_str())
    }

    /// SHA-256 of all names, shapes and values.
    fn checksum(&self) -> String {
        let mut sha = Sha256::new();
        for (name, (shape, values)) in &self.tensors {
            sha.update(format!("{name} {shape:?}"));
            for value in values {
                sha.update(value.to_le_bytes());
            }
        }
        for (name, text) in self.notes.iter().filter(|(name, _)| *name != CHECKSUM) {
            sha.update(format!("{name} {text}"));
        }
        sha.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }

    /// Serializes the state as a safetensors file.
    ///
    /// # Errors
    /// [`Error::Internal`] if serialization fails.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let internal = |e: safetensors::SafeTensorError| Error::Internal(e.to_string());
        let parts: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, (shape, values))| {
                let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (name.as_str(), shape.clone(), bytes)
            })
            .collect();
        let views = parts
            .iter()
            .map(|(name, shape, data)| {
                let view = TensorView::new(Dtype::F32, shape.clone(), data).map_err(internal)?;
                Ok((*name, view))
            })
            .collect::<Result<Vec<_>>>()?;
        let mut notes: HashMap<String, String> = self.notes.clone().into_iter().collect();
        notes.insert(CHECKSUM.to_owned(), self.checksum());
        safetensors::serialize(views, Some(notes)).map_err(internal)
    }

    /// Parses a file written by [`State::to_bytes`].
    ///
    /// # Errors
    /// [`Error::WeightsCorrupt`] if it is damaged or not a training state.
    pub fn from_bytes(file: &[u8]) -> Result<Self> {
        let corrupt = |e: safetensors::SafeTensorError| Error::WeightsCorrupt(e.to_string());
        let (_, header) = SafeTensors::read_metadata(file).map_err(corrupt)?;
        let mut state = Self {
            notes: header.metadata().iter().flatten().map(owned).collect(),
            ..Self::default()
        };
        for (name, view) in SafeTensors::deserialize(file).map_err(corrupt)?.iter() {
            if view.dtype() != Dtype::F32 {
                let message = format!(
                    "`{name}` is {:?}, but a training state contains F32 only",
                    view.dtype()
                );
                return Err(Error::WeightsCorrupt(message));
            }
            let words = view.data().as_chunks::<4>().0;
            let values = words.iter().map(|word| f32::from_le_bytes(*word));
            let value = (view.shape().to_vec(), values.collect());
            state.tensors.insert(name.to_owned(), value);
        }
        let told = state.notes.remove(CHECKSUM);
        if told != Some(state.checksum()) {
            let message = "its checksum is wrong, so it was changed or is not a training state";
            return Err(Error::WeightsCorrupt(message.to_owned()));
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
    Error::WeightsMismatch(format!("the training state has no such `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_as_it_was_written() {
        let mut state = State::default();
        let device = Device::flex();
        let tensor = Tensor::<2>::from_floats([[1.5, -0.0, f32::MIN_POSITIVE]], &device);
        pollster::block_on(state.put(vec![("tensor".to_owned(), tensor)])).unwrap();
        state.put_note("step", "17".to_owned());
        let read = State::from_bytes(&state.to_bytes().unwrap()).unwrap();
        assert_eq!(read, state);
        assert_eq!(read.note("step").unwrap(), "17");
        assert_eq!(read.tensor::<2>("tensor", &device).unwrap().dims(), [1, 3]);

        // Any changed byte is detected.
        let file = state.to_bytes().unwrap();
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            let error = State::from_bytes(&damaged).unwrap_err();
            assert_eq!(error.code(), "weights_corrupt", "byte {at}");
        }
    }

    #[test]
    fn what_is_no_number_is_named() {
        let mut state = State::default();
        let device = Device::flex();
        for (name, value) in [("fine", 1.0), ("wild", f32::NAN)] {
            assert_eq!(state.not_finite(), None);
            let tensor = Tensor::<1>::from_floats([0.0, value], &device);
            pollster::block_on(state.put(vec![(name.to_owned(), tensor)])).unwrap();
        }
        assert_eq!(state.not_finite(), Some("wild"));
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        let device = Device::flex();
        let state = State::default();
        for error in [
            state.tensor::<1>("absent", &device).unwrap_err(),
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
