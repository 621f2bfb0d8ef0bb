//! Clips out of video folders, recorded episodes and synthetic video; transforms and the loader.
//!
//! The way of a clip, from a file to the device:
//!
//! 1. [`open`] turns a [`DataConfig`] into a [`ClipDataset`]: videos, recorded episodes or Moving MNIST, one side of the split;
//! 2. [`ClipDataset::clip`] draws one clip: which frames ([`sampling`]), then decoded, cropped, scaled and flipped in one pass;
//! 3. [`Loader`] draws batches of them on worker threads, in an order that depends on the seed alone;
//!    [`in_order`] walks a data set once, for evaluation;
//! 4. [`HostBatch::to_device`] uploads; on the CPU pixels stay bytes until a model reads them.
//!
//! Every random choice is a pure function of (seed, purpose, epoch, index), see [`seed`].

mod array;
mod batch;
mod clip;
mod config;
mod content;
mod crop;
mod dataset;
mod decoders;
mod digits;
mod draws;
mod episodes;
mod error;
mod films;
mod index_cache;
mod indices;
mod ledger;
mod loader;
mod manifest;
mod moving_mnist;
mod npz;
mod order;
mod pictures;
mod prepared;
pub mod sampling;
pub mod seed;
mod split;
mod videos;

pub use array::Array2;
pub use batch::{ClipBatch, HostBatch};
pub use clip::{Clip, ClipRequest, ClipShape, ClipSource, Draw};
pub use config::{CropConfig, DataConfig, Normalise, SourceConfig, Split};
pub use dataset::{ClipDataset, Found, open};
pub use episodes::{Episode, EpisodeOptions, EpisodeReader, EpisodeWriter};
pub use error::DataError;
pub use ledger::{SkipReason, SkippedFile};
pub use loader::{Loader, LoaderConfig, in_order};
pub use manifest::{VIDEO_EXTENSIONS, VideoEntry, find_videos};
pub use prepared::{Encoding, PrepareOptions, PreparePlan, PrepareProgress, PreparedSummary, ShortenedFile, prepare};
