//! Gymnasium's environments: [the process protocol](crate::process) with a worker that comes with the program.

mod options;
mod rules;

pub use options::{GymWorld, NAME, Observation, Options, Size};
