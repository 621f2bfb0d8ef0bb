//! `AdamW` over a whole model, with clipping by the global norm of the gradients.

mod accumulate;
mod adamw;
mod state;

pub use accumulate::add;
pub use adamw::Optimizer;
