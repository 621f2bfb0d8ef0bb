//! What is in a recording or in a set of videos.

use prevision_core::frames::Window;
use prevision_core::resample::resample;
use prevision_core::{Array2, FrameBuffer};
use prevision_video::{OpenOptions, Video};
use serde::Serialize;

use crate::{DataError, EpisodeFrames, EpisodeSource};

/// Pictures in a row of a contact sheet.
const ROW: usize = 8;
/// Their side, pixels.
const TILE: usize = 96;

/// What is in a recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataInfo {
    /// Name of the format; none for plain videos.
    pub format: Option<String>,
    /// Episodes, or videos.
    pub episodes: usize,
    /// Moments of all episodes: frames of each camera, rows of each column.
    pub moments: usize,
    /// Moments of the shortest, the middle and the longest episode.
    pub lengths: [usize; 3],
    /// Episodes without any moment: videos that cannot be read, or recorded so.
    pub empty: usize,
    /// The cameras.
    pub cameras: Vec<CameraInfo>,
    /// The columns of numbers.
    pub columns: Vec<ColumnInfo>,
    /// What was to be done, in words, where the recording tells.
    pub tasks: Vec<TaskInfo>,
}

/// What is known of a camera, by its first episode that can be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraInfo {
    /// Its name.
    pub name: String,
    /// Columns of a picture, pixels.
    pub width: usize,
    /// Rows of a picture, pixels.
    pub height: usize,
    /// Frames a second; none where they are in no video and the recording does not tell.
    pub frame_rate: Option<f64>,
    /// Name of the codec; none where frames are in no video.
    pub codec: Option<String>,
}

/// A task of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskInfo {
    /// What was to be done.
    pub task: String,
    /// Moments that are of it.
    pub moments: usize,
}

/// What is known of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Per number of a row.
    pub numbers: Vec<NumberInfo>,
}

/// What the finite values of one number are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct NumberInfo {
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
    /// Their deviation.
    pub std: f64,
    /// How many values are not finite.
    pub not_finite: usize,
}

impl DataInfo {
    /// Looks into a recording: all columns, and the first picture of each camera.
    ///
    /// # Errors
    /// If the recording cannot be listed or a column cannot be read.
    pub fn of(format: Option<String>, source: &dyn EpisodeSource) -> Result<Self, DataError> {
        let mut lengths: Vec<usize> = (0..source.episodes()).map(|episode| source.length(episode)).collect();
        let moments = lengths.iter().sum();
        lengths.sort_unstable();
        let at = |place: usize| lengths.get(place).copied().unwrap_or(0);
        let mut columns = Vec::new();
        for name in source.columns()? {
            let rows = source.column(&name)?;
            let numbers = (0..rows.columns).map(|number| NumberInfo::of_column(&rows, number));
            columns.push(ColumnInfo { name, numbers: numbers.collect() });
        }
        Ok(Self {
            format,
            episodes: lengths.len(),
            moments,
            empty: lengths.iter().filter(|length| **length == 0).count(),
            lengths: [at(0), at(lengths.len() / 2), at(lengths.len().saturating_sub(1))],
            cameras: Self::cameras(source)?,
            tasks: TaskInfo::of(source)?,
            columns,
        })
    }

    /// What is known of the cameras of a recording.
    pub(crate) fn cameras(source: &dyn EpisodeSource) -> Result<Vec<CameraInfo>, DataError> {
        Ok(source.cameras()?.into_iter().map(|name| CameraInfo::of(source, name)).collect())
    }
}

/// The column that says which task a moment is of.
pub(crate) const TASK_INDEX: &str = "task_index";

impl TaskInfo {
    fn of(source: &dyn EpisodeSource) -> Result<Vec<Self>, DataError> {
        let tasks = source.tasks().iter().map(|task| Self { task: task.clone(), moments: 0 });
        let mut tasks: Vec<Self> = tasks.collect();
        if !tasks.is_empty() && source.columns()?.iter().any(|name| name == TASK_INDEX) {
            for index in source.column(TASK_INDEX)?.data {
                if let Some(task) = tasks.get_mut(index as usize) {
                    task.moments += 1;
                }
            }
        }
        Ok(tasks)
    }
}

impl NumberInfo {
    /// Of one number in each row of a column.
    pub(crate) fn of_column(column: &Array2, number: usize) -> Self {
        Self::of((0..column.rows).map(|row| f64::from(column.data[row * column.columns + number])))
    }

    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut min, mut max, mut count, mut not_finite) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0);
        let (mut mean, mut squares) = (0.0, 0.0);
        for value in values {
            if !value.is_finite() {
                not_finite += 1;
                continue;
            }
            count += 1.0;
            (min, max) = (value.min(min), value.max(max));
            // Welford's recurrence: no small difference of large sums.
            let before = value - mean;
            mean += before / count;
            squares += before * (value - mean);
        }
        let std = if count > 0.0 { f64::sqrt(squares / count) } else { 0.0 };
        Self { min, max, mean, std, not_finite }
    }
}

impl CameraInfo {
    fn of(source: &dyn EpisodeSource, name: String) -> Self {
        let unknown = Self { name, width: 0, height: 0, frame_rate: None, codec: None };
        for episode in (0..source.episodes()).filter(|&episode| source.length(episode) > 0) {
            match source.frames_of(&unknown.name, episode) {
                EpisodeFrames::Own => {
                    if let Ok(frames) = source.frames(&unknown.name, episode, &[0]) {
                        let (width, height) = (frames.width, frames.height);
                        return Self { width, height, frame_rate: source.frame_rate(), ..unknown };
                    }
                }
                EpisodeFrames::Video(path) | EpisodeFrames::Part { path, .. } => {
                    if let Ok(video) = Video::open(&path, &OpenOptions::default()) {
                        let info = video.info();
                        let codec = Some(info.codec.clone());
                        let (width, height) = (info.width, info.height);
                        return Self { width, height, frame_rate: info.frame_rate, codec, ..unknown };
                    }
                }
            }
        }
        unknown
    }
}

/// A picture of pictures: up to eight episodes, evenly chosen, each in a row of eight moments; one frame `[1, h, w, 3]`. What cannot be
/// read stays gray.
///
/// # Errors
/// If there is no episode.
pub fn contact_sheet(source: &dyn EpisodeSource, camera: &str) -> Result<FrameBuffer, DataError> {
    let usable: Vec<usize> = (0..source.episodes()).filter(|&episode| source.length(episode) > 0).collect();
    let rows = usable.len().min(ROW);
    if rows == 0 {
        return Err(DataError::Config("there is no episode to show".to_owned()));
    }
    let mut sheet = FrameBuffer::new(1, rows * (TILE + 2) + 2, ROW * (TILE + 2) + 2);
    sheet.data.fill(40);
    for row in 0..rows {
        let episode = usable[row * usable.len() / rows];
        let length = source.length(episode);
        let moments: Vec<usize> = (0..ROW).map(|column| column * length.saturating_sub(1) / (ROW - 1)).collect();
        let Ok(frames) = source.frames(camera, episode, &moments) else { continue };
        for column in 0..ROW {
            paste(&mut sheet, frames.frame(column), (frames.width, frames.height), (row, column));
        }
    }
    Ok(sheet)
}

/// Puts a picture into its tile, the whole of it, in the middle.
fn paste(sheet: &mut FrameBuffer, picture: &[u8], (width, height): (usize, usize), (row, column): (usize, usize)) {
    let scale = TILE as f64 / width.max(height) as f64;
    let side = |length: usize| ((length as f64 * scale).round() as usize).clamp(1, TILE);
    let (wide, high) = (side(width), side(height));
    let mut small = FrameBuffer::new(0, high, wide);
    resample(std::iter::once(picture), (width, height), &Window::whole(width, height), false, &mut small);
    let (left, top) = (column * (TILE + 2) + 2 + (TILE - wide) / 2, row * (TILE + 2) + 2 + (TILE - high) / 2);
    for y in 0..high {
        let to = ((top + y) * sheet.width + left) * 3;
        sheet.data[to..to + wide * 3].copy_from_slice(&small.data[y * wide * 3..(y + 1) * wide * 3]);
    }
}

#[cfg(test)]
mod tests {
    use super::NumberInfo;

    #[test]
    fn numbers() {
        let info = NumberInfo::of([1.0, 3.0, f64::NAN, 5.0].into_iter());
        assert_eq!((info.min, info.max, info.mean, info.not_finite), (1.0, 5.0, 3.0, 1));
        assert!((info.std - 1.632_993_161_855_452).abs() < 1e-12);
    }
}
