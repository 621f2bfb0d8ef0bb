//! Writing recorded episodes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use prevision_core::{Array2, FrameBuffer, Spaces, whole_file};
use prevision_video::{Mp4Options, Mp4Writer, Quality};

use super::layout::{LENGTHS, OFFSETS, column_path, spaces_path, video_path};
use super::schema::Schema;
use crate::npz;
use crate::{DataError, Episode};

/// How episodes are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpisodeOptions {
    /// Compression of the frames. Default lossless.
    pub quality: Quality,
    /// Frames per second at which a player shows them. Default 25.
    pub frame_rate: u32,
    /// Frames from one keyframe to the next: with fewer, less of a video is decoded for a clip in its middle. Default 10.
    pub keyframe_interval: usize,
}

impl Default for EpisodeOptions {
    fn default() -> Self {
        Self { quality: Quality::Lossless, frame_rate: 25, keyframe_interval: 10 }
    }
}

/// Writes episodes into a folder, one after the other: for every camera an mp4 file an episode, for every vector stream and column a
/// numpy archive, and the [`Spaces`] of the recorded world as `spaces.json`.
///
/// The videos are written as they come; the columns and, last of all, the episodes' lengths in [`EpisodeWriter::finish`]. A
/// folder without `ep_len.npz` is an unfinished recording, which no reader opens and a new writer overwrites.
pub struct EpisodeWriter {
    dir: PathBuf,
    options: EpisodeOptions,
    schema: Schema,
    lengths: Vec<i32>,
    offsets: Vec<i64>,
    columns: BTreeMap<String, Array2>,
}

impl EpisodeWriter {
    /// Starts a recording in a new folder, or in one that holds no finished recording.
    ///
    /// # Errors
    /// If the folder cannot be made or already holds episodes, or a stream's name cannot be a file's.
    pub fn create(dir: &Path, spaces: &Spaces, options: &EpisodeOptions) -> Result<Self, DataError> {
        if column_path(dir, LENGTHS).exists() {
            return Err(DataError::format(
                dir,
                "already holds recorded episodes (ep_len.npz); choose another folder or remove it",
            ));
        }
        let schema = Schema::new(spaces).map_err(|message| DataError::format(dir, message))?;
        for folder in spaces.cameras.keys().map(|camera| dir.join(camera)).chain([dir.to_owned()]) {
            std::fs::create_dir_all(&folder).map_err(|error| DataError::io(folder, error))?;
        }
        let path = spaces_path(dir, spaces.cameras.keys().next().map(String::as_str));
        let text = serde_json::to_vec_pretty(spaces).map_err(|error| DataError::format(&path, error.to_string()))?;
        whole_file::write(&path, text).map_err(|error| DataError::io(path, error))?;
        Ok(Self {
            dir: dir.into(),
            options: options.clone(),
            schema,
            lengths: vec![],
            offsets: vec![],
            columns: BTreeMap::new(),
        })
    }

    /// Appends an episode.
    ///
    /// # Errors
    /// If it is empty, its streams are not those of the recording, its columns differ from those of the episodes before in name or
    /// width, a stream or column has not one row for each moment, or a video cannot be written.
    pub fn write(&mut self, episode: &Episode) -> Result<(), DataError> {
        self.write_many(std::slice::from_ref(episode), 1)
    }

    /// Appends episodes in their order, their videos encoded by up to `threads` threads at once. The files are the same
    /// whatever the number of threads.
    ///
    /// # Errors
    /// As [`EpisodeWriter::write`]. Episodes before the first one at fault are not appended either.
    pub fn write_many(&mut self, episodes: &[Episode], threads: usize) -> Result<(), DataError> {
        let first = self.lengths.len();
        let mut schema = self.schema.clone();
        for (number, episode) in (first..).zip(episodes) {
            schema
                .accept(episode)
                .map_err(|message| DataError::format(&self.dir, format!("episode {number}: {message}")))?;
        }
        let videos: Vec<(usize, &String, &FrameBuffer)> = (first..)
            .zip(episodes)
            .flat_map(|(number, episode)| {
                episode.observations.cameras.iter().map(move |(camera, frames)| (number, camera, frames))
            })
            .collect();
        let next = AtomicUsize::new(0);
        let encode = || -> Result<(), DataError> {
            while let Some((number, camera, frames)) = videos.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.write_video(*number, camera, frames)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads.min(videos.len())).map(|_| scope.spawn(encode)).collect();
            let mut result = encode();
            for helper in helpers {
                let outcome = helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                result = result.and(outcome);
            }
            result
        })?;
        self.schema = schema;
        for episode in episodes {
            self.append(episode);
        }
        Ok(())
    }

    fn write_video(&self, number: usize, camera: &str, frames: &FrameBuffer) -> Result<(), DataError> {
        let options = Mp4Options {
            width: frames.width,
            height: frames.height,
            frame_rate: self.options.frame_rate,
            quality: self.options.quality,
            keyframe_interval: self.options.keyframe_interval,
        };
        let mut video = Mp4Writer::create(&video_path(&self.dir, camera, number), &options)?;
        for frame in 0..frames.frames {
            video.write(frames.frame(frame))?;
        }
        Ok(video.finish()?)
    }

    fn append(&mut self, episode: &Episode) {
        self.offsets.push(self.lengths.iter().copied().map(i64::from).sum());
        self.lengths.push(episode.observations.moments() as i32);
        for (name, column) in episode.observations.vectors.iter().chain(&episode.columns) {
            let all = self.columns.entry(name.clone()).or_insert_with(|| Array2::zeros(0, column.columns));
            all.data.extend_from_slice(&column.data);
            all.rows += column.rows;
        }
    }

    /// Writes the columns and lengths; the recording can be read from then on.
    ///
    /// # Errors
    /// If nothing was recorded or a file cannot be written.
    pub fn finish(self) -> Result<(), DataError> {
        if self.lengths.is_empty() {
            return Err(DataError::Empty { path: self.dir, message: "no episode was recorded".into() });
        }
        for (name, column) in &self.columns {
            npz::write(&column_path(&self.dir, name), &[column.rows, column.columns], &column.data)?;
        }
        npz::write(&column_path(&self.dir, OFFSETS), &[self.offsets.len()], &self.offsets)?;
        npz::write(&column_path(&self.dir, LENGTHS), &[self.lengths.len()], &self.lengths)
    }
}
