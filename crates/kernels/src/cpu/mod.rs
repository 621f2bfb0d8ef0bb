//! The kernels on plain slices of float32.
//!
//! A kernel gets the [`Level`] of instructions it may use; its result is the same at every level but for rounding, and does not depend
//! on the number of threads.

mod activation;
#[cfg(target_arch = "x86_64")]
mod amx;
pub mod attention;
pub mod convolution;
pub mod epps_pulley;
pub mod feed_forward;
pub mod gate;
pub mod glu;
pub mod grid;
pub mod gru;
pub(crate) mod level;
pub mod linear;
mod math;
mod matrix;
pub mod norm;
#[cfg(target_arch = "x86_64")]
mod pack;
pub mod patch_embedding;
pub mod pixels;
mod precision;
mod product;
pub mod residual;
mod scratch;
mod shared;
mod sums;
pub mod tubelets;
mod vectors;
pub mod vicreg;

pub use activation::Activation;
pub use level::Level;
pub use matrix::Matrix;
pub use precision::Precision;
pub use product::{Epilogue, Packed, Sums, product};

#[cfg(test)]
mod tests;
