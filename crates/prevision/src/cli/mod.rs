//! What the verbs share: devices, results, progress, failures.

mod device;
pub(crate) mod failure;
pub(crate) mod interrupt;
pub(crate) mod layers;
pub(crate) mod output;
pub(crate) mod precision;
pub(crate) mod progress;
pub(crate) mod run_name;
mod runtime;

pub use device::DeviceName;
pub use failure::Usage;
pub use output::Output;

pub(crate) use runtime::start_runtime;
