//! Which form of an operation serves its inputs.

use burn::tensor::{DType, Device, GradientCheckpointingStrategy};

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

/// The route for tensors on these devices with these types of numbers.
pub(crate) fn route(devices: &[Device], types: &[DType]) -> Route {
    let on_cpu = |device: &Device| device.clone().without_autodiff() == Device::flex();
    if !devices.iter().all(on_cpu) || types.iter().any(|&of| of != DType::F32) {
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
