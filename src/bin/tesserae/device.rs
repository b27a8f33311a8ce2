use burn::tensor::Device;

/// Where to compute.
#[derive(Debug, clap::Args)]
pub struct DeviceArgs {
    /// Where to compute: all cores of the processor, or a GPU where the program was built
    /// with `--features cuda` or `--features vulkan`.
    #[arg(long, value_enum, default_value_t)]
    device: Kind,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Kind {
    #[default]
    Cpu,
    #[cfg(feature = "cuda")]
    Cuda,
    #[cfg(feature = "vulkan")]
    Vulkan,
}

impl DeviceArgs {
    /// The device. It is brought up when it is first used.
    pub fn open(&self) -> Device {
        match self.device {
            Kind::Cpu => Device::flex(),
            #[cfg(feature = "cuda")]
            Kind::Cuda => Device::cuda(0),
            #[cfg(feature = "vulkan")]
            Kind::Vulkan => Device::vulkan(Default::default()),
        }
    }
}
