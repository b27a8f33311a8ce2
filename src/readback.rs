//! Reads values back from a device to the host.

use burn::tensor::{Device, Tensor, Transaction};

use crate::error::{Error, Result};

/// Why a tensor could not be read back. Devices compute asynchronously, so a lost device shows up
/// here; the CPU cannot be lost.
pub fn unread(device: &Device, error: impl std::fmt::Display) -> Error {
    if device.clone().without_autodiff() == Device::flex() {
        Error::Internal(error.to_string())
    } else {
        Error::DeviceLost(error.to_string())
    }
}

/// Reads several tensors on one device back together: in a browser each readback may take a tenth
/// of a second, however small.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub async fn read_all(tensors: Vec<Tensor<1>>) -> Result<Vec<Vec<f32>>> {
    let Some(device) = tensors.first().map(Tensor::device) else {
        return Ok(Vec::new());
    };
    let transaction = tensors
        .into_iter()
        .fold(Transaction::default(), Transaction::register);
    let read = transaction.execute_async().await;
    let data = read.map_err(|e| unread(&device, e))?;
    Ok(data.iter().map(|data| data.iter().collect()).collect())
}

/// Reads one tensor back.
///
/// # Errors
/// [`Error::DeviceLost`] when the device fails.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let device = tensor.device();
    let data = tensor.into_data_async().await;
    let data = data.map_err(|e| unread(&device, e))?;
    Ok(data.iter().collect())
}
