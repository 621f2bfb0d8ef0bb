//! Where kernels run.

use burn::tensor::Device;

/// Whether tensors of this device, on or off the tape, are in the memory that kernels work on: that of Burn's CPU
/// backend `flex`.
///
/// The one place that compares devices; everything that depends on the kind of device asks here.
pub fn on_cpu(device: &Device) -> bool {
    device.clone().inner() == Device::flex()
}
