//! Recorded episodes: what a format of them offers, stable-worldmodel's layout, clips out of them.

mod columns;
mod dataset;
mod episode;
mod folder;
mod format;
mod hdf5;
mod lance;
mod lerobot;
mod memory;
mod names;
mod pictures;
mod recording;
mod source;
mod table;
mod zarr;

pub use episode::Episode;
pub(crate) use format::offsets;
pub use format::{EpisodeFormat, EpisodeFrames, EpisodeSource, Formats};
pub use memory::EpisodesInMemory;
pub use recording::{EpisodeOptions, EpisodeReader, EpisodeWriter};
pub(super) use source::{EpisodesOptions, EpisodesSource};
