//! Replay buffers in Zarr, as diffusion policy keeps them (`diffusion_policy/common/replay_buffer.py`).
//!
//! ```text
//! data/<name>          [steps of all episodes, ...]    pictures or numbers
//! meta/episode_ends    int64 [episodes]                the step behind the last of each episode
//! ```
//!
//! Zarr v2 and v3 in folders; chunks with Blosc, gzip, zlib, Zstandard or uncompressed, without filters and shards.

mod array;
mod cache;
mod chunk;
mod metadata;
mod number;
mod pictures;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prevision_core::{Array2, FrameBuffer};
use zarrs::filesystem::FilesystemStore;

use self::array::ZarrArray;
use self::cache::Cache;
use self::pictures::Pictures;
pub(super) use self::write::ZarrSink;
use super::{EpisodeFrames, EpisodeSource};
use crate::DataError;

/// Where the arrays of the steps are.
const DATA: &str = "data";
/// Where the ends of the episodes are.
const ENDS: &str = "meta/episode_ends";

/// An open replay buffer. The cameras are its arrays of pictures, the columns its other arrays of numbers.
pub(super) struct Zarr {
    root: PathBuf,
    /// First step of each episode, and the number of all steps.
    offsets: Vec<usize>,
    /// By name.
    cameras: Vec<(String, Pictures)>,
    columns: BTreeMap<String, ZarrArray>,
    cache: Cache,
}

impl Zarr {
    /// Whether there is a replay buffer.
    pub(super) fn is_there(root: &Path) -> bool {
        let ends = root.join(ENDS);
        ends.join(".zarray").is_file() || ends.join("zarr.json").is_file()
    }

    /// Opens a replay buffer. Only what is said of the arrays and the ends of the episodes are read.
    ///
    /// # Errors
    /// If they make no sense, or an array is stored in a way that is not read.
    pub(super) fn open(root: &Path) -> Result<Self, DataError> {
        let store = FilesystemStore::new(root).map_err(|error| DataError::format(root, error.to_string()))?;
        let store = Arc::new(store);
        let ends = ZarrArray::open(root, &store, ENDS)?
            .ok_or_else(|| DataError::format(root.join(ENDS), "is missing, or no array of numbers"))?;
        let offsets = offsets(&ends)?;
        let total = offsets.last().copied().unwrap_or(0);
        let data = root.join(DATA);
        let (mut cameras, mut columns) = (Vec::new(), BTreeMap::new());
        for entry in std::fs::read_dir(&data).map_err(|error| DataError::io(&data, error))? {
            let entry = entry.map_err(|error| DataError::io(&data, error))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !entry.path().is_dir() {
                continue;
            }
            let Some(array) = ZarrArray::open(root, &store, &format!("{DATA}/{name}"))? else { continue };
            if array.rows() < total {
                let message = format!("has {} steps, {ENDS} tells of {total}", array.rows());
                return Err(DataError::format(array.dir(), message));
            }
            match Pictures::of(array) {
                Ok(pictures) => cameras.push((name, pictures)),
                Err(array) => drop(columns.insert(name, *array)),
            }
        }
        cameras.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self { root: root.to_owned(), offsets, cameras, columns, cache: Cache::default() })
    }
}

/// First step of each episode, and the number of all steps.
fn offsets(ends: &ZarrArray) -> Result<Vec<usize>, DataError> {
    let bad = |message: String| Err(DataError::format(ends.dir(), message));
    if ends.width() != 1 || ends.rows() == 0 {
        return bad(format!("has the shape {:?}, expected the ends of at least one episode", ends.metadata.shape));
    }
    let mut offsets = vec![0];
    // What is claimed but not there has one value everywhere, and is found at once.
    for block in 0.. {
        if ends.block(block).is_empty() {
            break;
        }
        let mut wrong = None;
        ends.metadata.number.each(&ends.read(block)?, |end| {
            // Up to there floats tell whole numbers apart.
            let last = offsets.last().copied().unwrap_or(0);
            if end.fract() == 0.0 && end > last as f64 && end <= 9_007_199_254_740_992.0 {
                offsets.push(end as usize);
            } else {
                wrong = wrong.or(Some((offsets.len() - 1, last, end)));
            }
        });
        if let Some((episode, last, end)) = wrong {
            return bad(format!("is {end} for episode {episode} behind {last}, expected whole numbers that grow"));
        }
    }
    Ok(offsets)
}

impl EpisodeSource for Zarr {
    fn episodes(&self) -> usize {
        self.offsets.len() - 1
    }

    fn length(&self, episode: usize) -> usize {
        self.offsets[episode + 1] - self.offsets[episode]
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(self.cameras.iter().map(|(name, _)| name.clone()).collect())
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        Ok(self.columns.keys().cloned().collect())
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        let Some(array) = self.columns.get(name) else {
            let there = self.columns()?.join(", ");
            return Err(DataError::format(&self.root, format!("has no column `{name}`; columns here: {there}")));
        };
        let (rows, width) = (self.offsets[self.episodes()], array.width());
        array.check_claim(rows)?;
        let mut data = Vec::with_capacity(rows * width);
        for block in 0.. {
            if array.block(block).start >= rows {
                break;
            }
            let left = rows * width - data.len();
            let numbers = array.read(block)?;
            let numbers = &numbers[..numbers.len().min(left * array.metadata.number.size())];
            array.metadata.number.each(numbers, |value| data.push(value as f32));
        }
        Ok(Array2::new(data, rows, width))
    }

    fn frames_of(&self, _: &str, _: usize) -> EpisodeFrames {
        EpisodeFrames::Own
    }

    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        let found = self.cameras.iter().enumerate().find(|(_, (name, _))| name == camera);
        let Some((number, (_, pictures))) = found else {
            return Err(DataError::format(&self.root, format!("has no camera `{camera}`")));
        };
        let size = pictures.frame_size();
        let mut frames = FrameBuffer { frames: 0, height: pictures.height, width: pictures.width, data: Vec::new() };
        for &moment in indices {
            let step = self.offsets[episode] + moment;
            if step >= self.offsets[episode + 1] {
                let message =
                    format!("episode {episode} has {} frames, frame {moment} was asked for", self.length(episode));
                return Err(DataError::format(&self.root, message));
            }
            let block = pictures.block_of(step);
            let steps = pictures.block(block);
            let kept = self.cache.get((number, block), steps.len() * size, || pictures.read(block))?;
            let start = (step - steps.start) * size;
            frames.data.extend_from_slice(&kept[start..start + size]);
            frames.frames += 1;
        }
        Ok(frames)
    }
}
