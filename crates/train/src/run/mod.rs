//! The run folder: everything a run writes, each file whole or absent.

mod adopt;
mod checkpoint;
mod compare;
mod file;
mod folder;

pub use checkpoint::{Checkpoint, CheckpointState};
pub use folder::RunFolder;

pub(crate) use compare::first_difference;
pub(crate) use file::write_atomically;
