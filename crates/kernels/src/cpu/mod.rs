//! The kernels on plain slices of float32.
//!
//! A kernel gets the [`Level`] of instructions it may use; its result is the same at every level but for rounding, and does not depend
//! on the number of threads.

#[cfg(target_arch = "x86_64")]
mod amx;
mod level;

pub use level::Level;
