//! Which form of an operation serves its inputs.

use burn::tensor::{DType, Device, GradientCheckpointingStrategy, Tensor};

/// Where an operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The kernel, off the tape.
    Cpu,
    /// The kernel, with its own backward pass.
    Tape,
    /// Burn's operations: another backend, another type of number, or gradient checkpointing.
    Plain,
}

/// Whether kernels run where this tensor is; elsewhere their plain forms do.
pub(crate) fn runs_on<const D: usize>(tensor: &Tensor<D>) -> bool {
    is_served(&tensor.device(), tensor.dtype())
}

fn is_served(device: &Device, of: DType) -> bool {
    of == DType::F32 && device.clone().inner() == Device::flex()
}

/// The route for tensors on these devices with these types of numbers.
pub(crate) fn route(devices: &[Device], types: &[DType]) -> Route {
    if !devices.iter().zip(types).all(|(device, &of)| is_served(device, of)) {
        return Route::Plain;
    }
    let mut strategies = devices.iter().filter_map(Device::gradient_checkpointing_strategy).peekable();
    if strategies.peek().is_none() {
        Route::Cpu
    } else if strategies.all(|strategy| strategy == GradientCheckpointingStrategy::Disabled) {
        Route::Tape
    } else {
        Route::Plain
    }
}
