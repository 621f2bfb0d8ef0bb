//! Training-ready copies of data sets: scaled once, quick to read at any place.
//!
//! ```text
//! <out>/prepared.json          what it is; there once everything else is
//! <out>/index.bin              every video: name, label, size, times, place, checksums
//! <out>/plan.json              sources and options, to know a folder again that was begun
//! <out>/shard-00000.raw        raw: frames of uint8 RGB, one video after the other
//! <out>/shard-00000/000000.mp4 h264, mjpeg: one file for each video
//! <out>/progress/              while it is being made: a record for each video that is done
//! ```

mod dataset;
mod encode;
mod format;
mod job;
mod options;
mod plan;
mod raw;
mod seal;
mod write;

pub(super) use dataset::RawClips;
pub(super) use format::PreparedSet;
pub use format::{Encoding, PreparedSummary, ShortenedFile};
pub use options::PrepareOptions;
pub use plan::PreparePlan;
pub(super) use seal::Seal;
pub use write::{PrepareProgress, prepare};
