//! `AdamW` over a whole model, and clipping by the global norm of the gradients.

mod accumulate;
mod adamw;
mod clip;
mod state;

pub use accumulate::add;
pub use adamw::Optimizer;
pub use clip::{clip, global_norm};
