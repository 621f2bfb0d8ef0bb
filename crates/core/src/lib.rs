//! What every part of prevision shares. No FFmpeg, no tensors, and nothing that belongs to one operating system.
//!
//! - [`frames`], [`resample`](mod@resample): 8-bit RGB frames in memory, and parts of them brought to another size
//! - [`space`]: named streams: which cameras, vectors, actions and states a world, a recording or a model has
//! - [`Observations`], [`Clip`], [`HostBatch`]: what was seen, in memory
//! - [`Array2`], [`Normalise`]: numbers that travel with frames, and what pixels become on a device
//! - [`seed`]: random streams as functions of (seed, purpose, epoch, index)
//! - [`config`]: configuration: defaults, files and overrides laid over each other, parts by name, messages that say what to change
//! - [`folder_lock`]: folders that one process at a time works in
//! - [`whole_file`]: files that appear whole or not at all

mod array;
mod clip;
pub mod config;
pub mod folder_lock;
pub mod frames;
mod normalise;
mod observations;
pub mod resample;
pub mod seed;
pub mod space;
pub mod whole_file;

pub use array::Array2;
pub use clip::{Clip, ClipSource, HostBatch};
pub use frames::FrameBuffer;
pub use normalise::Normalise;
pub use observations::Observations;
pub use space::{Action, Camera, Space, Spaces};
