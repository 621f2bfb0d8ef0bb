//! Kernels of world models on plain slices of float32, forward and backward; nothing here knows of tensors or a tape.
//!
//! A kernel gets the [`Level`] of instructions it may use; its result is the same at every level but for rounding, and
//! does not depend on the number of threads. `prevision-kernels` makes operations of Burn out of them.
//!
//! - [`product`](fn@product), [`Packed`], [`linear`], [`feed_forward`]: matrix products and what is fused with them
//! - [`norm`], [`gate`], [`glu`], [`attention`], [`convolution`], [`gru`], [`residual`]: the other layers and rollouts
//! - [`tubelets`], [`patch_embedding`], [`pixels`]: videos
//! - [`epps_pulley`], [`vicreg`], [`distance`], [`grid`], [`optimizer`], [`stack`]: penalties, distances, paths on grids, updates, copies
//! - [`Runtime`]: level, precision and threads of a process; [`with_precision`], [`with_level`]: of a scope;
//!   [`parallel`]: on all threads
//! - [`pool`]: memory that goes from step to step

#![allow(
    clippy::excessive_precision,
    clippy::unreadable_literal,
    reason = "coefficients of polynomials, as they were computed"
)]
#![allow(clippy::inline_always, reason = "a vectorised loop must be compiled for its caller's processor level")]
#![allow(clippy::wildcard_imports, reason = "intrinsics of one processor family come together")]
#![allow(clippy::cast_ptr_alignment, reason = "memory of tiles is aligned to 64 bytes by its type")]
#![allow(clippy::too_many_arguments, reason = "a backward pass takes what its forward pass took and gave")]
#![allow(clippy::struct_field_names, reason = "the words are the formula's")]

mod activation;
#[cfg(target_arch = "x86_64")]
mod amx;
pub mod attention;
pub mod convolution;
pub mod distance;
pub mod epps_pulley;
pub mod feed_forward;
pub mod gate;
pub mod glu;
pub mod grid;
pub mod gru;
mod level;
mod line;
pub mod linear;
mod math;
mod matrix;
pub mod norm;
pub mod optimizer;
#[cfg(target_arch = "x86_64")]
mod pack;
pub mod parallel;
pub mod patch_embedding;
pub mod pixels;
pub mod pool;
mod precision;
mod product;
pub mod residual;
mod runtime;
mod scratch;
mod shared;
pub mod stack;
mod sums;
pub mod tubelets;
mod vectors;
pub mod vicreg;

pub use activation::Activation;
pub use level::Level;
pub use matrix::Matrix;
pub use precision::Precision;
pub use product::{Epilogue, Packed, Sums, product, product_at, route};
pub use runtime::{LEVEL_VARIABLE, Runtime, RuntimeError, with_level, with_precision};

#[cfg(test)]
mod tests;
