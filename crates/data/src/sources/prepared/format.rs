//! What a prepared folder holds.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use prevision_core::whole_file;
use prevision_storage::is_address;
use prevision_video::VideoIndex;
use serde::{Deserialize, Serialize};

use super::seal::{FrameSeals, Seal};
use crate::files::{VideoEntry, content, is_video};
use crate::{DataError, SkippedFile};

pub(super) const SUMMARY: &str = "prepared.json";
/// There while a folder is not finished, too: see `plan.rs`.
pub(super) const PLAN: &str = "plan.json";
const INDEX: &str = "index.bin";
const FORMAT: &str = "prevision-prepared-2";
const MAGIC: &[u8; 8] = b"PVPREP02";

/// How prepared videos are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// H.264 with few frames from one key frame to the next: small.
    H264,
    /// Motion JPEG, every frame by itself: larger, and any frame is reached at once.
    Mjpeg,
    /// Uncompressed uint8 RGB, memory-mapped: the largest and by far the fastest.
    Raw,
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "h264" => Ok(Self::H264),
            "mjpeg" => Ok(Self::Mjpeg),
            "raw" => Ok(Self::Raw),
            _ => Err(format!("the encoding is {text:?}, but must be h264, mjpeg or raw")),
        }
    }
}

/// A video that was prepared up to its first damaged frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortenedFile {
    /// The file.
    #[serde(with = "prevision_storage::path_text")]
    pub path: PathBuf,
    /// Frames that were kept.
    pub kept: usize,
    /// Frames it should have.
    pub of: usize,
    /// What is wrong with the first one that was not kept.
    pub reason: String,
}

/// What was prepared: the content of `prepared.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PreparedSummary {
    /// Name and version of the layout.
    pub format: String,
    /// How the videos are stored.
    pub encoding: Encoding,
    /// The shorter side of every video, pixels.
    pub short_side: usize,
    /// Number of videos.
    pub videos: usize,
    /// Frames of all videos.
    pub frames: usize,
    /// Bytes of all videos on disk.
    pub bytes: u64,
    /// Number of shards.
    pub shards: usize,
    /// Sources that could not be used.
    pub skipped_files: Vec<SkippedFile>,
    /// Sources that could be used in part.
    pub shortened_files: Vec<ShortenedFile>,
}

/// Where a prepared video lies.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Place {
    /// In a shard of raw frames.
    Raw {
        /// Number of the shard.
        shard: usize,
        /// First byte.
        offset: u64,
        /// Checksums of its frames.
        frames: FrameSeals,
    },
    /// In a file of its own.
    File {
        /// Its name, from the prepared folder on.
        #[serde(with = "prevision_storage::path_text")]
        name: PathBuf,
        /// Its index, with the times of the source.
        index: Box<VideoIndex>,
    },
}

/// One prepared video.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The file it was made of.
    #[serde(with = "prevision_storage::path_text")]
    pub(super) source: PathBuf,
    pub(super) label: Option<i64>,
    /// Columns and rows.
    pub(super) size: (usize, usize),
    /// Seconds of each frame from the first.
    pub(super) times: Vec<f64>,
    pub(super) place: Place,
    pub(super) bytes: u64,
    /// CRC-32 of its bytes.
    pub(super) checksum: u32,
    /// Why it has fewer frames than its source.
    pub(super) shortened: Option<ShortenedFile>,
}

impl Entry {
    /// Says what cannot be, in a set of so many videos.
    fn check(&self, encoding: Encoding, videos: usize) -> Result<(), String> {
        if self.times.is_empty() || !self.times.is_sorted() || self.times.iter().any(|time| !time.is_finite()) {
            return Err("expected times that never fall".to_owned());
        }
        let frames = match &self.place {
            Place::Raw { shard, frames, .. } if encoding == Encoding::Raw => {
                if *shard >= videos {
                    return Err(format!("it is in shard {shard}, of {videos} videos"));
                }
                let sides = [self.size.0, self.size.1, 3, frames.len()];
                let bytes = sides.iter().try_fold(1_usize, |bytes, side| bytes.checked_mul(*side));
                if bytes.filter(|&bytes| bytes > 0).map(|bytes| bytes as u64) != Some(self.bytes) {
                    return Err(format!("{} frames of {:?} are not {} bytes", frames.len(), self.size, self.bytes));
                }
                frames.len()
            }
            Place::File { name, index } if encoding != Encoding::Raw => {
                if !name.components().all(|part| matches!(part, Component::Normal(_))) {
                    return Err(format!("{} leads out of the folder", name.display()));
                }
                index.timestamps().len()
            }
            _ => return Err(format!("it is not stored as {encoding:?}")),
        };
        if frames == self.times.len() {
            return Ok(());
        }
        Err(format!("it has {frames} frames and {} times", self.times.len()))
    }
}

/// A finished prepared folder.
pub(crate) struct PreparedSet {
    pub(super) folder: PathBuf,
    pub(super) summary: PreparedSummary,
    pub(super) entries: Vec<Entry>,
}

pub(super) fn shard_name(shard: usize) -> String {
    format!("shard-{shard:05}")
}

pub(super) fn raw_path(folder: &Path, shard: usize) -> PathBuf {
    folder.join(shard_name(shard)).with_extension("raw")
}

impl PreparedSet {
    /// Opens a folder if it is a prepared one.
    pub(crate) fn open_if_prepared(folder: &Path) -> Result<Option<Self>, DataError> {
        let path = folder.join(SUMMARY);
        if is_address(folder) && is_video(folder) {
            return Ok(None);
        }
        if !content::is_there(&path)? {
            if folder.join(PLAN).is_file() {
                return Err(DataError::format(
                    folder,
                    "is a prepared data set that is not finished; prepare it with the same options again to go on",
                ));
            }
            return Ok(None);
        }
        let summary: PreparedSummary = serde_json::from_slice(&content::read(&path)?)
            .map_err(|error| DataError::format(&path, error.to_string()))?;
        if summary.format != FORMAT {
            let message = format!("its format is {:?}, expected {FORMAT:?}; prepare it again", summary.format);
            return Err(DataError::format(&path, message));
        }
        if summary.encoding == Encoding::Raw && is_address(folder) {
            let message = "holds raw frames, which are read from a local disk only; copy the folder there, or prepare it as h264 or mjpeg";
            return Err(DataError::format(folder, message));
        }
        let entries: Vec<Entry> = read_record(&folder.join(INDEX))?;
        if entries.len() != summary.videos {
            return Err(DataError::format(
                folder.join(INDEX),
                format!("has {} videos, {SUMMARY} says {}", entries.len(), summary.videos),
            ));
        }
        for (number, entry) in entries.iter().enumerate() {
            entry.check(summary.encoding, entries.len()).map_err(|message| {
                DataError::format(folder.join(INDEX), format!("video {number} makes no sense: {message}"))
            })?;
        }
        Ok(Some(Self { folder: folder.into(), summary, entries }))
    }

    pub(crate) fn is_raw(&self) -> bool {
        self.summary.encoding == Encoding::Raw
    }

    /// The files of the videos, their indices and their checksums, where each has a file of its own.
    pub(crate) fn into_files(self) -> Vec<(VideoEntry, VideoIndex, Seal)> {
        let Self { folder, entries, .. } = self;
        let file = |entry: Entry| match entry.place {
            Place::Raw { .. } => None,
            Place::File { name, index } => {
                let file = VideoEntry { path: folder.join(name), label: entry.label };
                Some((file, *index, Seal::new(entry.bytes, entry.checksum)))
            }
        };
        entries.into_iter().filter_map(file).collect()
    }

    /// Writes the folder's index and then its summary.
    pub(super) fn finish(
        folder: &Path,
        encoding: Encoding,
        short_side: usize,
        entries: &[Entry],
        skipped_files: Vec<SkippedFile>,
    ) -> Result<PreparedSummary, DataError> {
        let shards = entries
            .iter()
            .map(|entry| match &entry.place {
                Place::Raw { shard, .. } => raw_path(Path::new(""), *shard),
                Place::File { name, .. } => name.parent().map(Path::to_owned).unwrap_or_default(),
            })
            .collect::<std::collections::BTreeSet<_>>();
        let summary = PreparedSummary {
            format: FORMAT.into(),
            encoding,
            short_side,
            videos: entries.len(),
            frames: entries.iter().map(|entry| entry.times.len()).sum(),
            bytes: entries.iter().map(|entry| entry.bytes).sum(),
            shards: shards.len(),
            skipped_files,
            shortened_files: entries.iter().filter_map(|entry| entry.shortened.clone()).collect(),
        };
        write_record(&folder.join(INDEX), &entries)?;
        let path = folder.join(SUMMARY);
        let text = serde_json::to_vec_pretty(&summary).map_err(|error| DataError::format(&path, error.to_string()))?;
        whole_file::write(&path, &text).map_err(|error| DataError::io(&path, error))?;
        Ok(summary)
    }
}

/// Reads what [`write_record`] wrote.
pub(super) fn read_record<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, DataError> {
    let bytes = content::read(path)?;
    let damaged = || DataError::format(path, "is damaged: its checksum or its content is wrong");
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    let payload = body.strip_prefix(MAGIC).ok_or_else(damaged)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
        return Err(damaged());
    }
    postcard::from_bytes(payload).map_err(|_| damaged())
}

/// Writes a value with a checksum, whole or not at all.
pub(super) fn write_record(path: &Path, value: &impl Serialize) -> Result<(), DataError> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(postcard::to_stdvec(value).map_err(|error| DataError::format(path, error.to_string()))?);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    whole_file::write(path, &bytes).map_err(|error| DataError::io(path, error))
}
