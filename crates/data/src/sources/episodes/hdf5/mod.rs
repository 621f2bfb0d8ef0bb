//! stable-worldmodel's `hdf5` format (`stable_worldmodel/data/formats/hdf5.py`): one file with a data set for each stream.
//!
//! ```text
//! ep_len      int32 [episodes]         rows of each episode
//! ep_offset   int64 [episodes]         first row of each episode in the other data sets
//! <camera>    uint8 [rows, h, w, c]    pictures with 1 or 3 channels
//! <column>    any number [rows, ...]
//! ```

mod chunks;
mod data_set;
mod filters;
mod index;
mod numbers;
mod place;
mod structure;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdf5_reader::cache::ChunkCache;
use hdf5_reader::{DEFAULT_CHUNK_CACHE_BYTES, DEFAULT_CHUNK_CACHE_SLOTS, Hdf5File, OpenOptions};
use prevision_core::{Array2, FrameBuffer};

use self::chunks::Shared;
use self::data_set::DataSet;
pub(super) use self::place::is_hdf5;
pub(super) use self::write::Hdf5Sink;
use super::recording::{LENGTHS, OFFSETS};
use super::{EpisodeFrames, EpisodeSource};
use crate::DataError;
use crate::tables::Numbers;

/// How many bytes a byte of a file can stand for, at most: as in deflate. What claims more is damaged.
const COMPRESSION: u64 = 1032;

/// An open file. Threads read it at once, each at its own place. Pictures that are stored several to a chunk are decoded a chunk at a
/// time, and the chunks used last are kept, up to 64 MiB.
pub(super) struct Hdf5Recording {
    path: PathBuf,
    streams: BTreeMap<String, DataSet>,
    lengths: Vec<usize>,
    offsets: Vec<usize>,
    /// Most bytes that the file can hold.
    limit: usize,
}

impl Hdf5Recording {
    /// Opens a file, or the one in a folder. Only the lengths are read, and what the streams are.
    ///
    /// # Errors
    /// If it cannot be read, or its data sets do not fit each other.
    pub(super) fn open(at: &Path) -> Result<Self, DataError> {
        let path = place::file(at)?;
        let bytes = std::fs::metadata(&path).map_err(|error| DataError::io(&path, error))?.len();
        let limit = usize::try_from(bytes.saturating_mul(COMPRESSION)).unwrap_or(usize::MAX);
        let bad = |error: hdf5_reader::error::Error| DataError::format(&path, error.to_string());
        let options = OpenOptions::default().with_filter_registry(filters::registry()).with_max_read_bytes(limit);
        let file = Hdf5File::open_with_options(&path, options).map_err(bad)?;
        let end = file.superblock().eof_address;
        if bytes < end {
            return Err(DataError::format(&path, format!("is cut off: it has {bytes} bytes of {end}")));
        }
        let data_sets = file.root_group().and_then(|root| root.datasets()).map_err(bad)?;
        let cache = ChunkCache::new(DEFAULT_CHUNK_CACHE_BYTES, DEFAULT_CHUNK_CACHE_SLOTS);
        let shared = Arc::new(Shared { file, filters: filters::registry(), cache });
        let streams = data_sets.into_iter().filter_map(|data| {
            let name = data.name().trim_start_matches('/').to_owned();
            DataSet::new(&shared, data).map(|stream| (name, stream))
        });
        let mut recording = Self { streams: streams.collect(), lengths: vec![], offsets: vec![], limit, path };
        let (lengths, offsets) = (recording.take(LENGTHS)?, recording.take(OFFSETS)?);
        if lengths.rows == 0 || lengths.rows != offsets.rows {
            let (lengths, offsets) = (lengths.rows, offsets.rows);
            let message =
                format!("{LENGTHS} has {lengths} episodes and {OFFSETS} has {offsets}; expected as many, at least one");
            return Err(DataError::format(recording.path, message));
        }
        recording.lengths = recording.counts(LENGTHS, &lengths)?;
        recording.offsets = recording.counts(OFFSETS, &offsets)?;
        let rows = recording.check_offsets()?;
        recording.check_rows(rows)?;
        Ok(recording)
    }

    /// A data set of counts, which is no stream.
    fn take(&mut self, name: &str) -> Result<DataSet, DataError> {
        let data_set = self.streams.remove(name).filter(|data_set| data_set.width == 1);
        data_set.ok_or_else(|| {
            let message =
                format!("has no data set `{name}` with a number for each episode: not a recording of episodes");
            DataError::format(&self.path, message)
        })
    }

    fn counts(&self, name: &str, data_set: &DataSet) -> Result<Vec<usize>, DataError> {
        let bad = |message: String| DataError::format(&self.path, format!("data set `{name}`: {message}"));
        if data_set.rows > self.limit {
            return Err(bad(format!("has {} rows, more than the file can hold", data_set.rows)));
        }
        let mut values = Vec::new();
        data_set.numbers(0, data_set.rows, |value| values.push(value)).map_err(bad)?;
        Numbers { width: 1, values }.counts().map_err(bad)
    }

    /// Checks that the episodes follow each other; between them rows may be left out. Returns the row behind the last one.
    fn check_offsets(&self) -> Result<usize, DataError> {
        let mut next = 0;
        for (episode, (&offset, &length)) in self.offsets.iter().zip(&self.lengths).enumerate() {
            if offset < next {
                let message =
                    format!("{OFFSETS} of episode {episode} is {offset}, but the one before it ends at row {next}");
                return Err(DataError::format(&self.path, message));
            }
            // Counts are at most 2^53 each.
            next = offset + length;
        }
        Ok(next)
    }

    /// Checks that the streams have these rows, and leaves out what has a row for each episode.
    fn check_rows(&mut self, rows: usize) -> Result<(), DataError> {
        let episodes = self.lengths.len();
        self.streams.retain(|_, stream| stream.rows >= rows || stream.rows != episodes);
        match self.streams.iter().find(|(_, stream)| stream.rows < rows) {
            Some((name, stream)) => {
                let message = format!("data set `{name}` has {} rows, the episodes need {rows}", stream.rows);
                Err(DataError::format(&self.path, message))
            }
            None => Ok(()),
        }
    }

    fn names(&self, pictures: bool) -> Vec<String> {
        let streams = self.streams.iter().filter(|(_, stream)| stream.picture.is_some() == pictures);
        streams.map(|(name, _)| name.clone()).collect()
    }

    fn stream(&self, what: &str, name: &str, pictures: bool) -> Result<&DataSet, DataError> {
        let found = self.streams.get(name).filter(|stream| stream.picture.is_some() == pictures);
        found.ok_or_else(|| {
            let there = self.names(pictures).join(", ");
            DataError::format(&self.path, format!("has no {what} `{name}`; {what}s here: {there}"))
        })
    }

    /// The rows of the episodes, as few ranges.
    fn ranges(&self) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (&offset, &length) in self.offsets.iter().zip(&self.lengths) {
            match ranges.last_mut() {
                Some(last) if last.end == offset => last.end += length,
                _ => ranges.push(offset..offset + length),
            }
        }
        ranges
    }
}

impl EpisodeSource for Hdf5Recording {
    fn episodes(&self) -> usize {
        self.lengths.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.lengths[episode]
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(self.names(true))
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        Ok(self.names(false))
    }

    /// Axes behind the second are flattened.
    fn column(&self, name: &str) -> Result<Array2, DataError> {
        let bad = |message: String| DataError::format(&self.path, format!("column `{name}`: {message}"));
        let stream = self.stream("column", name, false)?;
        let (rows, width) = (self.lengths.iter().sum(), stream.width);
        if width.checked_mul(rows).is_none_or(|numbers| numbers > self.limit) {
            return Err(bad(format!("has {rows} rows of {width} numbers, more than the file can hold")));
        }
        let mut data = Vec::with_capacity(rows * width);
        for range in self.ranges() {
            stream.numbers(range.start, range.len(), |value| data.push(value as f32)).map_err(bad)?;
        }
        Ok(Array2::new(data, rows, width))
    }

    fn frames_of(&self, _: &str, _: usize) -> EpisodeFrames {
        EpisodeFrames::Own
    }

    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        let bad =
            |message: String| DataError::format(&self.path, format!("camera `{camera}`, episode {episode}: {message}"));
        let stream = self.stream("camera", camera, true)?;
        let [height, width, _] = stream.picture.unwrap_or_default();
        let mut data = Vec::new();
        for &index in indices {
            if index >= self.lengths[episode] {
                return Err(bad(format!("has {} moments, moment {index} is asked for", self.lengths[episode])));
            }
            let row = self.offsets[episode] + index;
            stream.picture(row, &mut data).map_err(|message| bad(format!("moment {index} (row {row}): {message}")))?;
        }
        Ok(FrameBuffer { frames: indices.len(), height, width, data })
    }
}
