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
//! - [`patch_embedding`](fn@patch_embedding): tubelets or patches of a video through a linear layer, out of [`Pixels`]: numbers, or bytes
//!   as they were decoded
//! - [`grid`]: neighbourhoods and shortest paths on grids of tokens
//! - [`optimizer`]: updates of all parameters in one pass
//! - [`with_precision`]: products in float32 or bfloat16; [`in_this_precision`]: on other threads too
//! - [`cpu`]: the kernels, on plain slices; they know nothing of Burn.

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

mod adaptive;
mod array;
mod attention;
mod convolution;
pub mod cpu;
mod epps_pulley;
mod feed_forward;
mod glu;
pub mod grid;
mod gru;
mod linear;
mod norm;
mod operation;
pub mod optimizer;
mod patch_embedding;
mod pixels;
mod pool;
mod precision;
mod residual;
mod stack;
mod tokens;
mod tubelets;
mod vicreg;

pub use adaptive::{adaptive_layer_norm, gated_residual};
pub use attention::{Mask, Rotation, attention};
pub use convolution::{ConvolutionLayer, convolutions};
pub use cpu::Activation;
pub use epps_pulley::epps_pulley;
pub use feed_forward::{FeedForward, feed_forward};
pub use glu::glu_residual;
pub use gru::{GruCell, gru_rollout};
pub use linear::{PreparedLinear, linear, linear_residual};
pub use norm::layer_norm;
pub use patch_embedding::{Tubelets, patch_embedding};
pub use pixels::Pixels;
pub use precision::{Precision, in_this_precision, with_precision};
pub use residual::{ResidualCell, residual_rollout};
pub use stack::stack_steps;
pub use tokens::{TokenIds, gather_tokens};
pub use vicreg::{covariance_square, variance_hinge};

#[cfg(test)]
mod tests;
