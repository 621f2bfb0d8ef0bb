//! Fused operations with hand-written backward passes.
//!
//! Every public function takes and returns [`Tensor`](burn::tensor::Tensor)s. On Burn's CPU backend `flex`, in float32, it runs a
//! kernel of [`cpu`]; on every other backend it is a composition of Burn's operations, which is also what the tests compare with.
//!
//! - [`linear`](fn@linear), [`linear_residual`]: product, bias, activation or residual in one pass; [`PreparedLinear`]: for many calls
//! - [`layer_norm`]: with or without scale and shift; [`adaptive_layer_norm`], [`gated_residual`]: with those of each row
//! - [`glu_residual`]: a gated linear unit on a residual path
//! - [`feed_forward`](fn@feed_forward): norm, perceptron and residual of a transformer block
//! - [`attention`](fn@attention): multi-head self-attention out of packed queries, keys and values
//! - [`convolutions`]: layers that follow each other, with bias and activation
//! - [`gru_rollout`]: a recurrent cell and its norm, all steps at once; [`residual_rollout`]: a residual network; [`stack_steps`]: other
//!   rollouts that were made in groups of rows as one
//! - [`epps_pulley`](fn@epps_pulley), [`variance_hinge`], [`covariance_square`]: what keeps latents from collapsing
//! - [`squared_distances`]: of candidates to a goal
//! - [`patch_embedding`](fn@patch_embedding): tubelets or patches of a [`Video`] through a linear layer: of numbers, or
//!   of bytes as they were decoded
//! - [`grid`]: neighbourhoods and shortest paths on grids of tokens
//! - [`optimizer`]: updates of all parameters in one pass
//! - [`Runtime`]: level, precision and threads of a process; [`with_precision`], [`with_level`]: of a scope;
//!   [`parallel`]: work that calls kernels on all threads
//! - [`operations_so_far`]: how many floating-point operations the products of a process took
//! - [`on_cpu`]: whether a device runs kernels
//! - [`cpu`]: the kernels, on plain slices; they know nothing of Burn
//!
//! An operation runs with the level and precision of the scope that it is created in, and so does its backward pass.
//! The first kernel starts the runtime of the process if the program has not.

#![allow(clippy::too_many_arguments, reason = "a backward pass takes what its forward pass took and gave")]

mod adaptive;
mod array;
mod attention;
mod convolution;
mod device;
mod distance;
mod epps_pulley;
mod feed_forward;
mod glu;
pub mod grid;
mod gru;
mod linear;
mod memory;
mod norm;
mod operation;
mod operations;
pub mod optimizer;
mod patch_embedding;
mod residual;
mod stack;
mod tokens;
mod tubelets;
mod vicreg;
mod video;

pub use adaptive::{adaptive_layer_norm, gated_residual};
pub use attention::{Mask, Rotation, attention};
pub use convolution::{ConvolutionLayer, convolutions};
pub use device::on_cpu;
pub use distance::squared_distances;
pub use epps_pulley::{Knots, epps_pulley};
pub use feed_forward::{FeedForward, feed_forward};
pub use glu::glu_residual;
pub use gru::{GruCell, gru_rollout};
pub use linear::{PreparedLinear, linear, linear_residual};
pub use norm::layer_norm;
pub use operations::operations_so_far;
pub use patch_embedding::{Tubelets, patch_embedding};
pub use prevision_kernels_cpu as cpu;
pub use prevision_kernels_cpu::{
    Activation, LEVEL_VARIABLE, Level, Precision, Runtime, RuntimeError, parallel, with_level, with_precision,
};
pub use residual::{ResidualCell, residual_rollout};
pub use stack::stack_steps;
pub use tokens::{TokenIds, gather_tokens};
pub use vicreg::{covariance_square, variance_hinge};
pub use video::{RgbClips, Video};

#[cfg(test)]
mod tests;
