//! Updates of all parameters of a model in one pass over memory: `AdamW` with clipping by the global norm, and moving averages.
//!
//! A pass is filled with tensors of any shape, run, and emptied in the same order. On Burn's CPU backend it works in place, in
//! parallel, and allocates nothing of the size of a parameter: hand it the only handle of each tensor. Results depend neither on
//! the number of threads nor on how parameters are cut into chunks.

mod adamw;
mod ema;
mod tensors;

pub use adamw::{AdamW, AdamWPass, Updated};
pub use ema::EmaPass;
