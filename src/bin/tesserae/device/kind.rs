use clap::ValueEnum;
use tesserae::Error;

/// A kind of device, as on the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// All CPU cores.
    #[default]
    Cpu,
    /// A GPU through Vulkan, Direct3D 12, Metal or OpenGL.
    #[cfg(all(feature = "wgpu", not(feature = "vulkan")))]
    Gpu,
    /// A GPU through Vulkan, with SPIR-V shaders.
    #[cfg(feature = "vulkan")]
    Vulkan,
    /// An NVIDIA GPU through CUDA.
    #[cfg(feature = "cuda")]
    Cuda,
}

impl Kind {
    /// What to suggest to a user whose device cannot be used.
    fn way_on(self) -> &'static str {
        match self {
            #[cfg(feature = "vulkan")]
            Self::Vulkan => {
                "`--device cpu` works without it, as may `--device gpu` in a build without the feature `vulkan`"
            }
            _ => "`--device cpu` works without it",
        }
    }

    /// Adds the suggestion to errors that say why a device cannot be used.
    pub fn advise(self, error: Error) -> Error {
        let on = |reason| format!("{reason}; {}", self.way_on());
        match error {
            Error::SelfTestFailed(reason) => Error::SelfTestFailed(on(reason)),
            Error::DeviceRefused(reason) => Error::DeviceRefused(on(reason)),
            error => error,
        }
    }
}
