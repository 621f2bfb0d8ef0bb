//! Where tensors live: the only place that knows the backends.

use anyhow::Result;
use burn::tensor::Device;
use clap::ValueEnum;

/// A device by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceName {
    /// Every core of this machine; AVX2 or AVX-512 where the processor has it.
    #[default]
    Cpu,
    /// A GPU through Vulkan, Metal or DirectX; needs a build with `--features wgpu`.
    Wgpu,
    /// An NVIDIA GPU; needs a build with `--features cuda`.
    Cuda,
}

impl DeviceName {
    /// The device.
    ///
    /// # Errors
    /// If the program was built without it.
    pub fn open(self) -> Result<Device> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(0)),
            #[cfg(not(feature = "wgpu"))]
            Self::Wgpu => Err(missing("wgpu")),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda => Err(missing("cuda")),
        }
    }
}

#[cfg(not(all(feature = "wgpu", feature = "cuda")))]
fn missing(name: &str) -> anyhow::Error {
    super::Usage(format!(
        "--device {name}: this binary was built without it; build it with `cargo build --release --features {name}`"
    ))
    .into()
}
