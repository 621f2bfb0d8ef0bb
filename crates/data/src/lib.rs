//! Clips out of video folders, recorded episodes and synthetic video; recordings of episodes; the loader.
//!
//! The way of a clip, from a file to a batch:
//!
//! 1. [`DataConfig::source`] makes a [`Source`] out of the table `[data.source]`: one of the [`built_in`] ones, or a user's own,
//!    registered by the same call;
//! 2. [`open`] opens one side of the split as a [`ClipDataset`];
//! 3. [`ClipDataset::clip`] reads one clip: which frames ([`sampling`]), then decoded, cropped, scaled and flipped in one pass;
//! 4. [`Loader`] reads batches of them on worker threads, in an order that depends on the seed alone; [`in_order`] walks a data set
//!    once, for evaluation.
//!
//! Recorded episodes are read by an [`EpisodeFormat`] and written by [`EpisodeWriter`]. [`info`] tells what is in them, [`check`] what
//! would be learned wrong, and [`convert`](mod@convert) writes them in another format.
//!
//! Every random choice is a pure function of (seed, purpose, epoch, index), see [`prevision_core::seed`].
//!
//! ```
//! use prevision_core::config::Part;
//! use prevision_data::{DataConfig, Formats, built_in};
//!
//! let config = DataConfig { source: Part::new("videos").with("path", "clips"), ..DataConfig::default() };
//! let source = config.source(&built_in(), &Formats::built_in())?;
//! assert_eq!(source.path(), std::path::Path::new("clips"));
//! let wrong = DataConfig { source: Part::new("video").with("path", "clips"), ..config };
//! let message = wrong.source(&built_in(), &Formats::built_in()).err().unwrap_or_default();
//! assert!(message.starts_with("data.source: there is no data source `video`; did you mean `videos`?"));
//! # Ok::<(), String>(())
//! ```

pub mod check;
mod clips;
mod config;
pub mod convert;
mod error;
mod files;
pub mod films;
pub mod info;
mod npz;
mod parallel;
mod pixels;
mod skipped;
mod sources;
mod tables;

pub use clips::{
    ClipDataset, ClipRequest, Draw, Found, Loader, LoaderConfig, Split, in_order, in_order_with, sampling,
};
pub use config::{CropConfig, DataConfig};
pub use error::DataError;
pub use files::{VIDEO_EXTENSIONS, VideoEntry, find_videos};
pub use skipped::{SkipReason, SkippedFile};
pub use sources::{
    Encoding, Episode, EpisodeFormat, EpisodeFrames, EpisodeOptions, EpisodeReader, EpisodeSource, EpisodeWriter,
    EpisodesInMemory, Formats, PIXELS, PhysicsFilmsOptions, PrepareOptions, PreparePlan, PrepareProgress,
    PreparedSummary, ShortenedFile, Source, Sources, built_in, open, open_recording, prepare, write_quadruplets,
};
pub use tables::{ParquetWriter, Values as ColumnValues};
