use burn::tensor::Device;
use tesserae::Result;
use tesserae::codec::Limits;

use super::kind::Kind;

/// Opens a GPU without testing it, and returns its limits.
///
/// # Errors
/// [`Error::AdapterAbsent`], [`Error::DeviceRefused`].
pub fn open(kind: Kind) -> Result<(Device, Limits)> {
    match kind {
        Kind::Cpu => Ok((Device::flex(), Limits::CPU)),
        #[cfg(all(feature = "wgpu", not(feature = "vulkan")))]
        Kind::Gpu => wgpu::open(Device::wgpu_options()),
        #[cfg(feature = "vulkan")]
        Kind::Vulkan => wgpu::open(Device::wgpu_options().graphics_api(wgpu::WgpuBackend::Vulkan)),
        // Initialised on first use. Its memory is contiguous, like the CPU's.
        #[cfg(feature = "cuda")]
        Kind::Cuda => Ok((Device::cuda(0), Limits::CPU)),
    }
}

#[cfg(feature = "wgpu")]
mod wgpu {
    use burn::tensor::Device;
    #[cfg(feature = "vulkan")]
    pub use burn::tensor::wgpu::WgpuBackend;
    use burn::tensor::wgpu::wgpu::DeviceType;
    use burn::tensor::wgpu::{WgpuInitError, WgpuOptions};
    use tesserae::codec::Limits;
    use tesserae::{Error, Result};

    use crate::terminal;

    pub fn open(options: WgpuOptions) -> Result<(Device, Limits)> {
        let (device, setup) = options.init_with_setup().map_err(|error| match error {
            WgpuInitError::AdapterUnavailable { .. }
            | WgpuInitError::UnsupportedGraphicsApi { .. } => Error::AdapterAbsent,
            error => Error::DeviceRefused(error.to_string()),
        })?;
        let limits = setup.device.limits();
        let limits = Limits {
            binding: limits.max_storage_buffer_binding_size,
            buffer: limits.max_buffer_size,
            ..Limits::CPU
        };
        let info = setup.adapter.get_info();
        if info.device_type == DeviceType::Cpu {
            terminal::warn(format_args!(
                "tesserae: the only graphics adapter here is software ({}); `--device cpu` is faster",
                info.name
            ));
        }
        Ok((device, limits))
    }
}
