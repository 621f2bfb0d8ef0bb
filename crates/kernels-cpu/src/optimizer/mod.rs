//! Updates of all parameters of a model in one pass over memory.
//!
//! Results depend neither on the number of threads nor on the level, and not on how parameters are cut into chunks.

pub mod adamw;
mod chunks;
pub mod ema;
