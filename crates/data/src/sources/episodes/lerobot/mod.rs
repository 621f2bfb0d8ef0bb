//! `LeRobot` data sets, versions 2.0 to 3.0 (`huggingface/lerobot`, `datasets/`).

mod info;
mod list;
mod tasks;
mod write;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use prevision_core::{Array2, FrameBuffer};

use self::info::{Feature, INFO, Info, Version};
use self::list::{EpisodeRecord, list_three, list_two};
use self::tasks::tasks;
pub(super) use self::write::LeRobotSink;
use super::{EpisodeFrames, EpisodeSource};
use crate::DataError;
use crate::files::content;
use crate::pixels::decode_picture;
use crate::sources::episodes::format::read_frames;
use crate::sources::episodes::pictures::pictures;
use crate::tables::ParquetTable;

/// An open data set. A moment is a row of its files of columns; the cameras are its features of type `video` and `image`, the columns those of
/// numbers, by the names that the data set gives them (`observation.images.top`, `observation.state`, `action`).
pub(super) struct LeRobot {
    root: PathBuf,
    info: Info,
    episodes: Vec<EpisodeRecord>,
    /// Files of columns in the order in which the list names them, with the rows that the episodes in each have together.
    files: Vec<(PathBuf, usize)>,
    tasks: Vec<String>,
}

impl LeRobot {
    /// Whether there is a data set.
    pub(super) fn is_there(root: &Path) -> bool {
        content::is_there(&root.join(INFO)).unwrap_or(false)
    }

    /// Opens a data set. Only what is in `meta` is read.
    ///
    /// # Errors
    /// If it cannot be read or makes no sense.
    pub(super) fn open(root: &Path) -> Result<Self, DataError> {
        let info = Info::read(root)?;
        let version = info.version().unwrap_or(Version::Three);
        let mut episodes = match version {
            Version::Two => list_two(root, &info)?,
            Version::Three => list_three(root, &info)?,
        };
        if episodes.is_empty() {
            return Err(DataError::Empty { path: root.to_owned(), message: "has no episodes".to_owned() });
        }
        // In a file the episodes follow each other as they do in the list.
        let mut rows: HashMap<PathBuf, usize> = HashMap::new();
        for episode in &mut episodes {
            let next = rows.entry(episode.data.clone()).or_insert(0);
            (episode.row, *next) = (*next, next.saturating_add(episode.length));
        }
        let (mut files, mut places): (Vec<(PathBuf, usize)>, HashMap<&Path, usize>) = (Vec::new(), HashMap::new());
        for episode in &episodes {
            let place = *places.entry(&episode.data).or_insert_with(|| {
                files.push((root.join(&episode.data), 0));
                files.len() - 1
            });
            files[place].1 = files[place].1.saturating_add(episode.length);
        }
        Ok(Self { root: root.to_owned(), tasks: tasks(root, version)?, info, episodes, files })
    }

    /// The rows of all files, as they lie there, and the first row of each file.
    fn stored(&self, name: &str) -> Result<(Array2, HashMap<&Path, usize>), DataError> {
        let (mut data, mut width, mut firsts) = (Vec::new(), None, HashMap::new());
        for (path, rows) in &self.files {
            let numbers = ParquetTable::open(path)?.at_most(self.info.numbers(name, *rows)).numbers(name)?;
            let found = numbers.values.len().checked_div(numbers.width).unwrap_or(0);
            if found != *rows {
                let message = format!("column `{name}` has {found} rows, its episodes have {rows}");
                return Err(DataError::format(path, message));
            }
            let expected = *width.get_or_insert(numbers.width);
            if numbers.width != expected {
                let message = format!("column `{name}` has {} numbers in a row, {expected} before", numbers.width);
                return Err(DataError::format(path, message));
            }
            firsts.insert(path.as_path(), data.len().checked_div(expected).unwrap_or(0));
            data.extend(numbers.values.into_iter().map(|value| value as f32));
        }
        let width = width.unwrap_or(0);
        let rows = data.len().checked_div(width).unwrap_or(0);
        Ok((Array2::new(data, rows, width), firsts))
    }
}

impl EpisodeSource for LeRobot {
    fn episodes(&self) -> usize {
        self.episodes.len()
    }

    fn length(&self, episode: usize) -> usize {
        self.episodes[episode].length
    }

    fn cameras(&self) -> Result<Vec<String>, DataError> {
        Ok(self.info.names(|feature| feature.is_video() || feature.is_image()))
    }

    fn columns(&self) -> Result<Vec<String>, DataError> {
        Ok(self.info.names(Feature::is_numeric))
    }

    fn column(&self, name: &str) -> Result<Array2, DataError> {
        if !self.info.features.get(name).is_some_and(Feature::is_numeric) {
            let there = self.columns()?.join(", ");
            return Err(DataError::format(&self.root, format!("has no column `{name}`; columns here: {there}")));
        }
        let (stored, firsts) = self.stored(name)?;
        // In a file the episodes follow each other as they do in the list.
        let mut next: HashMap<&Path, usize> = HashMap::new();
        let mut rows = Array2::zeros(0, stored.columns);
        for episode in &self.episodes {
            let path = self.root.join(&episode.data);
            let (file, first) =
                firsts.get_key_value(path.as_path()).map_or((Path::new(""), 0), |(path, first)| (*path, *first));
            let within = next.entry(file).or_insert(0);
            let (start, end) = (first + *within, first + *within + episode.length);
            *within += episode.length;
            rows.data.extend_from_slice(&stored.data[start * stored.columns..end * stored.columns]);
            rows.rows += episode.length;
        }
        Ok(rows)
    }

    fn frames_of(&self, camera: &str, episode: usize) -> EpisodeFrames {
        let record = &self.episodes[episode];
        match record.videos.get(camera) {
            Some((path, None)) => EpisodeFrames::Video(self.root.join(path)),
            Some((path, Some(first))) => EpisodeFrames::Part { path: self.root.join(path), first: *first },
            None => EpisodeFrames::Own,
        }
    }

    fn frames(&self, camera: &str, episode: usize, indices: &[usize]) -> Result<FrameBuffer, DataError> {
        let frames = self.frames_of(camera, episode);
        if frames != EpisodeFrames::Own || !self.info.features.get(camera).is_some_and(Feature::is_image) {
            return read_frames(camera, frames, indices);
        }
        let record = &self.episodes[episode];
        let path = self.root.join(&record.data);
        if let Some(index) = indices.iter().find(|index| **index >= record.length) {
            let message = format!("episode {episode} has {} moments, moment {index} is asked for", record.length);
            return Err(DataError::format(path, message));
        }
        let rows: Vec<usize> = indices.iter().map(|index| record.row + index).collect();
        pictures(&rows, |sorted, place| {
            ParquetTable::open(&path)?.pictures(camera, sorted, |bytes| decode_picture(bytes).and_then(&mut *place))
        })
    }

    fn frame_rate(&self) -> Option<f64> {
        Some(self.info.fps)
    }

    fn tasks(&self) -> &[String] {
        &self.tasks
    }
}
