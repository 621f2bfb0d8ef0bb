//! Writing recorded episodes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use prevision_video::{FrameBuffer, Mp4Options, Mp4Writer, Quality};

use super::{Episode, LENGTHS, OFFSETS, column_path, video_path};
use crate::{Array2, DataError, npz};

/// How episodes are written.
#[derive(Clone, Debug)]
pub struct EpisodeOptions {
    /// Name of the image column, which is the folder of the mp4 files. Default `pixels`.
    pub image: String,
    /// Compression of the frames. Default lossless.
    pub quality: Quality,
    /// Frames per second at which a player shows them. Default 25.
    pub frame_rate: u32,
    /// Frames from one keyframe to the next: fewer make a smaller part of the film decode for a clip in its middle. Default 10.
    pub keyframe_interval: usize,
}

impl Default for EpisodeOptions {
    fn default() -> Self {
        Self { image: "pixels".into(), quality: Quality::Lossless, frame_rate: 25, keyframe_interval: 10 }
    }
}

/// Writes episodes into a folder, one after the other.
///
/// The films are written as they come; the columns and, last of all, the episodes' lengths in [`EpisodeWriter::finish`]. A
/// folder without `ep_len.npz` is an unfinished recording, which no reader opens and a new writer overwrites.
pub struct EpisodeWriter {
    dir: PathBuf,
    options: EpisodeOptions,
    schema: Option<Schema>,
    lengths: Vec<i32>,
    offsets: Vec<i64>,
    columns: BTreeMap<String, Array2>,
}

impl EpisodeWriter {
    /// Starts a recording in a new folder, or in one that holds no finished recording.
    ///
    /// # Errors
    /// If the folder cannot be made or already holds episodes, or the image column's name cannot be a folder's.
    pub fn create(dir: &Path, options: &EpisodeOptions) -> Result<Self, DataError> {
        let lengths = column_path(dir, LENGTHS);
        if lengths.exists() {
            return Err(DataError::format(
                dir,
                "already holds recorded episodes (ep_len.npz); choose another folder or remove it",
            ));
        }
        if !is_file_name(&options.image) {
            return Err(DataError::format(
                dir,
                format!("the image column cannot be called `{}`: its name becomes a folder's", options.image),
            ));
        }
        let images = dir.join(&options.image);
        std::fs::create_dir_all(&images).map_err(|error| DataError::io(images, error))?;
        Ok(Self {
            dir: dir.into(),
            options: options.clone(),
            schema: None,
            lengths: vec![],
            offsets: vec![],
            columns: BTreeMap::new(),
        })
    }

    /// Appends an episode.
    ///
    /// # Errors
    /// If it is empty, its columns differ from those of the episodes before in name or width, a column has not one row per
    /// frame, the frame size changes, or the film cannot be written.
    pub fn write(&mut self, episode: &Episode) -> Result<(), DataError> {
        self.write_many(std::slice::from_ref(episode), 1)
    }

    /// Appends episodes in their order, their films encoded by up to `threads` threads at once. The files are the same
    /// whatever the number of threads.
    ///
    /// # Errors
    /// As [`EpisodeWriter::write`]. Episodes before the first one at fault are not appended either.
    pub fn write_many(&mut self, episodes: &[Episode], threads: usize) -> Result<(), DataError> {
        let first = self.lengths.len();
        let mut schema = self.schema.clone();
        for (number, episode) in (first..).zip(episodes) {
            let message = match &schema {
                Some(schema) => schema.accepts(episode),
                None => Schema::new(episode).accepts(episode),
            };
            message
                .and_then(|()| self.check_names(episode))
                .map_err(|message| DataError::format(&self.dir, format!("episode {number}: {message}")))?;
            schema.get_or_insert_with(|| Schema::new(episode));
        }
        let next = AtomicUsize::new(0);
        let encode = || -> Result<(), DataError> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(episode) = episodes.get(index) else {
                    return Ok(());
                };
                self.film(first + index, &episode.frames)?;
            }
        };
        std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..threads.min(episodes.len())).map(|_| scope.spawn(encode)).collect();
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

    fn film(&self, number: usize, frames: &FrameBuffer) -> Result<(), DataError> {
        let options = Mp4Options {
            width: frames.width,
            height: frames.height,
            frame_rate: self.options.frame_rate,
            quality: self.options.quality,
            keyframe_interval: self.options.keyframe_interval,
        };
        let mut film = Mp4Writer::create(&video_path(&self.dir, &self.options.image, number), &options)?;
        for frame in 0..frames.frames {
            film.write(frames.frame(frame))?;
        }
        Ok(film.finish()?)
    }

    fn append(&mut self, episode: &Episode) {
        self.offsets.push(self.lengths.iter().copied().map(i64::from).sum());
        self.lengths.push(episode.frames.frames as i32);
        for (name, column) in &episode.columns {
            let all = self.columns.entry(name.clone()).or_insert_with(|| Array2::zeros(0, column.columns));
            all.data.extend_from_slice(&column.data);
            all.rows += column.rows;
        }
    }

    fn check_names(&self, episode: &Episode) -> Result<(), String> {
        for name in episode.columns.keys() {
            if !is_file_name(name) || [&self.options.image, LENGTHS, OFFSETS].contains(&name.as_str()) {
                return Err(format!("a column cannot be called `{name}`"));
            }
        }
        Ok(())
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

/// What all episodes of a recording have in common.
#[derive(Clone)]
struct Schema {
    size: (usize, usize),
    columns: Vec<(String, usize)>,
}

impl Schema {
    fn new(episode: &Episode) -> Self {
        let columns = episode.columns.iter().map(|(name, column)| (name.clone(), column.columns)).collect();
        Self { size: (episode.frames.width, episode.frames.height), columns }
    }

    fn accepts(&self, episode: &Episode) -> Result<(), String> {
        let frames = episode.frames.frames;
        if frames == 0 {
            return Err("has no frame".into());
        }
        if let Some((name, column)) = episode.columns.iter().find(|(_, column)| column.rows != frames) {
            return Err(format!("column `{name}` has {} rows for {frames} frames", column.rows));
        }
        let own = Self::new(episode);
        if own.size != self.size {
            return Err(format!(
                "is {}x{}, the episodes before it are {}x{}",
                own.size.0, own.size.1, self.size.0, self.size.1
            ));
        }
        if own.columns != self.columns {
            return Err(format!("has the columns {}, the episodes before it have {}", own.describe(), self.describe()));
        }
        Ok(())
    }

    /// `action[2], state[4]`
    fn describe(&self) -> String {
        self.columns.iter().map(|(name, width)| format!("{name}[{width}]")).collect::<Vec<_>>().join(", ")
    }
}

/// Columns become files and folders.
fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0'])
}
