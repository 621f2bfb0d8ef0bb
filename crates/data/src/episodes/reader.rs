//! Reading recorded episodes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prevision_video::{FrameBuffer, FrameSource, OpenOptions, Video};

use super::{Episode, LENGTHS, OFFSETS, column_path, video_path};
use crate::{Array2, DataError, npz};

/// A folder of recorded episodes.
#[derive(Clone, Debug)]
pub struct EpisodeReader {
    dir: PathBuf,
    image: String,
    lengths: Vec<usize>,
    offsets: Vec<usize>,
}

impl EpisodeReader {
    /// Opens a folder of the layout that [`EpisodeWriter`](super::EpisodeWriter) and stable-worldmodel write. Only the
    /// lengths are read; columns and films when they are asked for.
    ///
    /// # Errors
    /// If the folder, its `ep_len.npz`, its `ep_offset.npz` or its image column is missing or makes no sense.
    pub fn open(dir: &Path, image: &str) -> Result<Self, DataError> {
        let metadata = std::fs::metadata(dir).map_err(|error| DataError::io(dir, error))?;
        if !metadata.is_dir() {
            return Err(DataError::format(dir, "is not a folder of recorded episodes"));
        }
        if !column_path(dir, LENGTHS).exists() {
            return Err(DataError::format(
                dir,
                "has no ep_len.npz: not a (finished) recording in the layout ep_len.npz, ep_offset.npz, <column>.npz, <image column>/ep_<i>.mp4",
            ));
        }
        let lengths = counts(&column_path(dir, LENGTHS))?;
        let offsets = counts(&column_path(dir, OFFSETS))?;
        if lengths.is_empty() || lengths.len() != offsets.len() {
            return Err(DataError::format(
                dir,
                format!(
                    "ep_len.npz has {} episodes and ep_offset.npz has {}; expected the same number, at least one",
                    lengths.len(),
                    offsets.len()
                ),
            ));
        }
        let reader = Self { dir: dir.into(), image: image.into(), lengths, offsets };
        if !dir.join(image).is_dir() {
            let there = reader.image_columns()?;
            return Err(DataError::format(
                dir,
                format!("has no image column `{image}`; image columns here: {}", or_none(&there)),
            ));
        }
        Ok(reader)
    }

    /// Number of episodes, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "an opened recording is never empty")]
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Rows (= frames) of an episode.
    ///
    /// # Panics
    /// If there is no such episode.
    pub fn length(&self, episode: usize) -> usize {
        self.lengths[episode]
    }

    /// First row of an episode in the columns.
    ///
    /// # Panics
    /// If there is no such episode.
    pub fn offset(&self, episode: usize) -> usize {
        self.offsets[episode]
    }

    /// The film of an episode.
    pub fn video_path(&self, episode: usize) -> PathBuf {
        video_path(&self.dir, &self.image, episode)
    }

    /// Names of the number columns, sorted.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn columns(&self) -> Result<Vec<String>, DataError> {
        let names = entries(&self.dir)?
            .into_iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.strip_suffix(".npz")?.to_owned()));
        Ok(names.filter(|name| name != LENGTHS && name != OFFSETS).collect())
    }

    /// Names of the image columns: the sub-folders that hold films, sorted.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn image_columns(&self) -> Result<Vec<String>, DataError> {
        let mut names = vec![];
        for path in entries(&self.dir)?.into_iter().filter(|path| path.is_dir()) {
            let films = entries(&path)?.iter().any(|file| file.extension().is_some_and(|extension| extension == "mp4"));
            if let (true, Some(name)) = (films, path.file_name().and_then(|name| name.to_str())) {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// A whole column, all episodes back to back, `[rows, numbers a row]`; further axes are flattened.
    ///
    /// # Errors
    /// If there is no such column, or it has fewer rows than the episodes need.
    pub fn column(&self, name: &str) -> Result<Array2, DataError> {
        let path = column_path(&self.dir, name);
        if !path.is_file() {
            return Err(DataError::format(
                &self.dir,
                format!("has no column `{name}`; columns here: {}", or_none(&self.columns()?)),
            ));
        }
        let array = npz::read(&path, |value| value as f32)?;
        let rows = array.shape.first().copied().unwrap_or(0);
        let columns = array.data.len().checked_div(rows).unwrap_or(0);
        for (episode, (&offset, &length)) in self.offsets.iter().zip(&self.lengths).enumerate() {
            if offset + length > rows {
                return Err(DataError::format(
                    path,
                    format!("has {rows} rows; episode {episode} needs rows {offset}..{}", offset + length),
                ));
            }
        }
        Ok(Array2::new(array.data, rows, columns))
    }

    /// Some frames of an episode in the asked order, as stored, `[indices, h, w, 3]`.
    ///
    /// # Errors
    /// If the film is missing or broken, or a frame is not there.
    pub fn frames(&self, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        let mut video = Video::open(&self.video_path(episode), &OpenOptions::default())?;
        let (width, height) = video.size();
        let mut frames = FrameBuffer::new(indices.len(), height, width);
        video.read(indices, &mut frames)?;
        Ok(frames)
    }

    /// A whole episode with all its columns. Reads every column file: for one episode, not for a loop over all.
    ///
    /// # Errors
    /// As [`EpisodeReader::column`] and [`EpisodeReader::frames`].
    pub fn episode(&self, episode: usize) -> Result<Episode, DataError> {
        let (offset, length) = (self.offset(episode), self.length(episode));
        let mut columns = BTreeMap::new();
        for name in self.columns()? {
            let column = self.column(&name)?.slice(offset, length);
            columns.insert(name, column);
        }
        Ok(Episode { frames: self.frames(episode, &(0..length).collect::<Vec<_>>())?, columns })
    }
}

/// An array of non-negative whole numbers.
fn counts(path: &Path) -> Result<Vec<usize>, DataError> {
    let array = npz::read(path, |value| value)?;
    if let Some(value) = array.data.iter().find(|&&value| value < 0.0 || value.fract() != 0.0) {
        return Err(DataError::format(path, format!("holds {value}, expected whole numbers from 0 up")));
    }
    Ok(array.data.into_iter().map(|value| value as usize).collect())
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, DataError> {
    let list = std::fs::read_dir(dir).map_err(|error| DataError::io(dir, error))?;
    let mut paths = list
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| DataError::io(dir, error))?;
    paths.sort();
    Ok(paths)
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
