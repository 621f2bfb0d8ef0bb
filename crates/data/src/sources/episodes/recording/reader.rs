//! Reading recorded episodes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prevision_core::{Array2, FrameBuffer, Observations, Spaces};
use prevision_video::{FrameSource as _, OpenOptions, Video};

use super::layout::{LENGTHS, OFFSETS, column_path, entries, spaces_path, video_path};
use super::npz;
use crate::DataError;
use crate::sources::episodes::{Episode, EpisodeFrames, EpisodeSource};
use crate::tables::Numbers;

/// Episodes of the largest recording that is believed.
const MOST_EPISODES: usize = 1 << 26;

/// A folder of recorded episodes in the layout that [`EpisodeWriter`](crate::EpisodeWriter) and stable-worldmodel write.
#[derive(Clone, Debug)]
pub struct EpisodeReader {
    dir: PathBuf,
    lengths: Vec<usize>,
    /// First row of each episode in the files of the columns.
    stored_offsets: Vec<usize>,
    spaces: Option<Spaces>,
}

impl EpisodeReader {
    /// Opens a recording. Only the lengths and the spaces are read; columns and videos when they are asked for.
    ///
    /// # Errors
    /// If the folder, its `ep_len.npz` or its `ep_offset.npz` is missing or makes no sense, or its `spaces.json` makes none.
    pub fn open(dir: &Path) -> Result<Self, DataError> {
        let metadata = std::fs::metadata(dir).map_err(|error| DataError::io(dir, error))?;
        if !metadata.is_dir() {
            return Err(DataError::format(dir, "is not a folder of recorded episodes"));
        }
        if !column_path(dir, LENGTHS).exists() {
            return Err(DataError::format(
                dir,
                "has no ep_len.npz: not a (finished) recording in the layout ep_len.npz, ep_offset.npz, <column>.npz, <camera>/ep_<i>.mp4",
            ));
        }
        let lengths = counts(&column_path(dir, LENGTHS))?;
        let stored_offsets = counts(&column_path(dir, OFFSETS))?;
        if lengths.is_empty() || lengths.len() != stored_offsets.len() {
            return Err(DataError::format(
                dir,
                format!(
                    "ep_len.npz has {} episodes and ep_offset.npz has {}; expected the same number, at least one",
                    lengths.len(),
                    stored_offsets.len()
                ),
            ));
        }
        if lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length)).is_none() {
            return Err(DataError::format(column_path(dir, LENGTHS), "its lengths add up to more than can be counted"));
        }
        let mut reader = Self { dir: dir.into(), lengths, stored_offsets, spaces: None };
        reader.spaces = reader.read_spaces()?;
        Ok(reader)
    }

    /// First row of an episode in a [`column`](EpisodeSource::column).
    ///
    /// # Panics
    /// If there is no such episode.
    pub fn offset(&self, episode: usize) -> usize {
        self.lengths[..episode].iter().sum()
    }

    /// A whole episode with all its cameras and columns; columns that `spaces.json` calls vector streams are among the observations.
    /// Reads every column file: for one episode, not for a loop over all.
    ///
    /// # Errors
    /// As [`EpisodeSource::column`] and [`EpisodeSource::frames`].
    ///
    /// # Panics
    /// If there is no such episode.
    pub fn episode(&self, episode: usize) -> Result<Episode, DataError> {
        let (offset, length) = (self.offset(episode), self.length(episode));
        let (mut observations, mut columns) = (Observations::default(), BTreeMap::new());
        for camera in self.cameras()? {
            let path = video_path(&self.dir, &camera, episode);
            let mut video = Video::open(&path, &OpenOptions::default())?;
            if video.len() != length {
                let message = format!("has {} frames, ep_len.npz says {length}", video.len());
                return Err(DataError::format(path, message));
            }
            let mut frames = FrameBuffer::default();
            video.read(&(0..length).collect::<Vec<_>>(), &mut frames)?;
            observations.cameras.insert(camera, frames);
        }
        let is_vector = |name: &str| self.spaces.as_ref().is_some_and(|spaces| spaces.vectors.contains_key(name));
        for name in self.columns()? {
            let rows = self.column(&name)?.slice(offset, length);
            let into = if is_vector(&name) { &mut observations.vectors } else { &mut columns };
            into.insert(name, rows);
        }
        Ok(Episode { observations, columns })
    }

    /// How many rows of an array of `rows` are needed, if the episodes are all in it and none shares a row with another one.
    fn needed_rows(&self, rows: usize) -> Result<usize, String> {
        // Counts are at most 2^53 each (see `counts`).
        let ends = || self.stored_offsets.iter().zip(&self.lengths).map(|(offset, length)| offset + length);
        if let Some((episode, end)) = ends().enumerate().find(|(_, end)| *end > rows) {
            let start = self.stored_offsets[episode];
            return Err(format!("has {rows} rows; episode {episode} needs rows {start}..{end}"));
        }
        let starts = self.stored_offsets.iter().copied();
        let mut spans: Vec<(usize, usize, usize)> =
            starts.zip(ends()).enumerate().map(|(episode, (start, end))| (start, end, episode)).collect();
        spans.retain(|(start, end, _)| start < end);
        spans.sort_unstable();
        if let Some([(_, _, one), (_, _, other)]) = spans.array_windows().find(|[(_, end, _), (next, ..)]| next < end) {
            return Err(format!("has rows that episodes {one} and {other} share, by ep_offset.npz"));
        }
        Ok(ends().max().unwrap_or(0))
    }

    fn read_spaces(&self) -> Result<Option<Spaces>, DataError> {
        let cameras = self.cameras()?;
        let mut places = cameras.iter().map(|camera| Some(camera.as_str())).chain([None]);
        let Some(path) = places.find_map(|camera| Some(spaces_path(&self.dir, camera)).filter(|path| path.is_file()))
        else {
            return Ok(None);
        };
        let text = std::fs::read(&path).map_err(|error| DataError::io(&path, error))?;
        serde_json::from_slice(&text).map(Some).map_err(|error| DataError::format(path, error.to_string()))
    }

    /// The rows of all episodes back to back, from those of a file, which may leave some out or keep another order.
    fn in_order(&self, stored: Array2) -> Array2 {
        let total = self.offset(self.lengths.len());
        let mut next = 0;
        let as_stored = self.stored_offsets.iter().zip(&self.lengths).all(|(&offset, &length)| {
            let fits = offset == next;
            next += length;
            fits
        });
        if as_stored && stored.rows == total {
            return stored;
        }
        let mut data = Vec::with_capacity(total * stored.columns);
        for (&offset, &length) in self.stored_offsets.iter().zip(&self.lengths) {
            data.extend_from_slice(&stored.data[offset * stored.columns..(offset + length) * stored.columns]);
        }
        Array2::new(data, total, stored.columns)
    }
}

impl EpisodeSource for EpisodeReader {
    fn episodes(&self) -> usize {
        self.lengths.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.lengths[episode]
    }

    /// The sub-folders that hold mp4 files.
    fn cameras(&self) -> Result<Vec<String>, DataError> {
        let mut names = vec![];
        for path in entries(&self.dir)?.into_iter().filter(|path| path.is_dir()) {
            let videos =
                entries(&path)?.iter().any(|file| file.extension().is_some_and(|extension| extension == "mp4"));
            if let (true, Some(name)) = (videos, path.file_name().and_then(|name| name.to_str())) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        let names = entries(&self.dir)?
            .into_iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".npz")?.to_owned()));
        Ok(names.filter(|name| name != LENGTHS && name != OFFSETS).collect())
    }

    /// Axes behind the second are flattened.
    fn column(&self, name: &str) -> Result<Array2, DataError> {
        let path = column_path(&self.dir, name);
        if !path.is_file() {
            let there = self.columns()?;
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(DataError::format(&self.dir, format!("has no column `{name}`; columns here: {there}")));
        }
        let needed = |shape: &[usize]| self.needed_rows(shape.first().copied().unwrap_or(0));
        let array = npz::read(&path, needed, |value| value as f32)?;
        let rows = array.shape.first().copied().unwrap_or(0);
        let columns = array.data.len().checked_div(rows).unwrap_or(0);
        Ok(self.in_order(Array2::new(array.data, rows, columns)))
    }

    fn spaces(&self) -> Option<&Spaces> {
        self.spaces.as_ref()
    }

    fn frames_of(&self, camera: &str, episode: usize) -> EpisodeFrames {
        EpisodeFrames::Video(video_path(&self.dir, camera, episode))
    }
}

/// An array of non-negative whole numbers.
fn counts(path: &Path) -> Result<Vec<usize>, DataError> {
    let one_each = |shape: &[usize]| match shape {
        [] => Err("is one number, expected one for each episode".to_owned()),
        [count, ..] if *count > MOST_EPISODES => Err(format!("has {count} episodes, expected at most {MOST_EPISODES}")),
        [count, ..] => Ok(*count),
    };
    let values = npz::read(path, one_each, |value| value)?.data;
    Numbers { width: 1, values }.counts().map_err(|message| DataError::format(path, message))
}
