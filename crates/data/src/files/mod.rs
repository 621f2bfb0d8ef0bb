//! Video files and what is known of them: which there are, their indices, their open decoders.

pub(crate) mod content;
mod decoders;
mod index_cache;
mod indices;
mod manifest;
mod place;

pub(crate) use decoders::Decoders;
pub(crate) use index_cache::IndexCache;
pub(crate) use indices::Indices;
pub(crate) use manifest::is_video;
pub use manifest::{VIDEO_EXTENSIONS, VideoEntry, find_videos};
pub(crate) use place::leads_into;
