//! One format of recorded episodes into another.

use std::path::Path;

use prevision_core::{Array2, FrameBuffer, whole_file};
use prevision_video::{FrameSource as _, Mp4Options, Mp4Writer, OpenOptions, Quality, Video};

use crate::files::leads_into;
use crate::info::{CameraInfo, DataInfo};
use crate::sources::offsets;
use crate::{DataError, EpisodeFrames, EpisodeSource, Formats};

/// Frames that are held at a time.
const CHUNK: usize = 32;
/// Frames from one key frame to the next in a video that is encoded.
const KEY_FRAMES: usize = 10;
/// Frames a second where none are told.
const RATE: f64 = 25.0;

/// What is written into another format: a recording, what is known of it, and all its columns.
pub struct Recorded<'a> {
    /// The recording.
    pub source: &'a dyn EpisodeSource,
    /// Its cameras, by name.
    pub cameras: Vec<CameraInfo>,
    /// Its columns of numbers, by name, `[moments of all episodes, numbers in a row]`.
    pub columns: Vec<(String, Array2)>,
    /// First row of each episode, and the number of all rows.
    pub offsets: Vec<usize>,
}

impl<'a> Recorded<'a> {
    fn new(source: &'a dyn EpisodeSource) -> Result<Self, DataError> {
        let columns = source.columns()?.into_iter().map(|name| source.column(&name).map(|rows| (name, rows)));
        let columns = columns.collect::<Result<_, _>>()?;
        let cameras = DataInfo::cameras(source)?;
        if let Some(episode) = (0..source.episodes()).find(|&episode| source.length(episode) > 0) {
            // A camera whose size is not known has no frame that can be read: this says why.
            for camera in cameras.iter().filter(|camera| camera.width == 0) {
                source.frames(&camera.name, episode, &[0])?;
            }
        }
        Ok(Self { cameras, columns, offsets: offsets(source), source })
    }

    /// Frames a second of the cameras.
    ///
    /// # Errors
    /// If they differ from each other.
    pub fn frame_rate(&self) -> Result<f64, DataError> {
        let mut rates = self.cameras.iter().filter_map(|camera| camera.frame_rate);
        let first = rates.next().unwrap_or(RATE);
        match rates.find(|rate| (rate / first - 1.0).abs() > 1e-3) {
            Some(other) => Err(DataError::Config(format!(
                "the cameras have {first} and {other} frames a second, expected one rate for all of them"
            ))),
            None => Ok(first),
        }
    }

    /// Writes the frames of a camera in an episode as an mp4 file: a copy of the video as it is where it is one of this episode alone,
    /// encoded without loss elsewhere.
    ///
    /// # Errors
    /// If they cannot be read or written.
    pub fn write_video(&self, camera: &CameraInfo, episode: usize, to: &Path) -> Result<(), DataError> {
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|error| DataError::io(folder, error))?;
        }
        if let EpisodeFrames::Video(from) = self.source.frames_of(&camera.name, episode)
            && from.extension().is_some_and(|extension| extension == "mp4")
            && !prevision_storage::is_address(&from)
        {
            return std::fs::copy(&from, to).map(drop).map_err(|error| DataError::io(from, error));
        }
        let options = Mp4Options {
            width: camera.width,
            height: camera.height,
            frame_rate: camera.frame_rate.unwrap_or(RATE).round() as u32,
            quality: Quality::Lossless,
            keyframe_interval: KEY_FRAMES,
        };
        let mut video = Mp4Writer::create(to, &options)?;
        self.each_frame(camera, episode, |_, samples| Ok(video.write(samples)?))?;
        Ok(video.finish()?)
    }

    /// Goes through the frames of a camera in an episode in their order: the moment, and the samples `[h, w, 3]`.
    ///
    /// # Errors
    /// If they cannot be read or are not of the camera's size, or what is done with one fails.
    pub fn each_frame(
        &self,
        camera: &CameraInfo,
        episode: usize,
        mut of_frame: impl FnMut(usize, &[u8]) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        // A video is opened once, and read on from chunk to chunk.
        let (mut opened, first) = match self.source.frames_of(&camera.name, episode) {
            EpisodeFrames::Own => (None, 0),
            EpisodeFrames::Video(path) => (Some(Video::open(&path, &OpenOptions::default())?), 0),
            EpisodeFrames::Part { path, first } => (Some(Video::open(&path, &OpenOptions::default())?), first),
        };
        let indices: Vec<usize> = (first..first + self.source.length(episode)).collect();
        let mut frames = FrameBuffer::default();
        for chunk in indices.chunks(CHUNK) {
            match &mut opened {
                Some(opened) => opened.read(chunk, &mut frames)?,
                None => frames = self.source.frames(&camera.name, episode, chunk)?,
            }
            if (frames.width, frames.height) != (camera.width, camera.height) {
                return Err(DataError::Config(format!(
                    "camera `{}` has frames of {}x{} in episode {episode}, expected {}x{} as in the first one",
                    camera.name, frames.width, frames.height, camera.width, camera.height
                )));
            }
            for (frame, index) in chunk.iter().enumerate() {
                of_frame(index - first, frames.frame(frame))?;
            }
        }
        Ok(())
    }
}

/// A recording that is being written. What is unfinished is no recording for any reader.
pub trait EpisodeSink {
    /// Appends the next episode.
    ///
    /// # Errors
    /// If it cannot be read or written.
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError>;

    /// Finishes the recording, which can be read from then on.
    ///
    /// # Errors
    /// If it cannot be written.
    fn finish(self: Box<Self>, recorded: &Recorded) -> Result<(), DataError>;
}

/// Writes a recording into a new folder in the format of this name. `progress` is told the episodes that are written, and all; it says
/// whether to go on. The folder appears when it is whole. Gives whether it does.
///
/// # Errors
/// If there is no such format or it is not written, the folder is there and not empty, or anything cannot be read or written. Then, and
/// where `progress` does not go on, what was written is removed.
pub fn convert(
    source: &dyn EpisodeSource,
    format: &str,
    formats: &Formats,
    out: &Path,
    mut progress: impl FnMut(usize, usize) -> bool,
) -> Result<bool, DataError> {
    let format = formats.named(out, format)?;
    check_new(out)?;
    // In a folder of its own, so that the recording has its own name already: beside a new folder, within one that is there.
    let name = out.file_name().unwrap_or_default();
    let is_there = out.is_dir();
    let aside = if is_there { whole_file::partial(&out.join(name)) } else { whole_file::partial(out) };
    let partial = aside.join(name);
    let mut work = || {
        std::fs::create_dir_all(&partial).map_err(|error| DataError::io(out, error))?;
        let recorded = Recorded::new(source)?;
        let mut sink = format.create(&partial, &recorded)?;
        for episode in 0..source.episodes() {
            sink.write(&recorded, episode)?;
            if !progress(episode + 1, source.episodes()) {
                return Ok(false);
            }
        }
        sink.finish(&recorded)?;
        // Another program may have written there in the meantime.
        check_new(out)?;
        let moved = if is_there { move_into(&partial, out) } else { std::fs::rename(&partial, out) };
        moved.map(|()| true).map_err(|error| DataError::io(out, error))
    };
    let done = work().map_err(|error| error.renamed(&partial, out));
    // What was done is the thing to tell.
    let _ = std::fs::remove_dir_all(&aside);
    done
}

/// Moves all that is in a folder into another one.
fn move_into(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        std::fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Checks that a new folder would not lie in that of the source, where it would be taken for a part of it.
///
/// # Errors
/// If it would, or that cannot be found out.
pub fn check_apart(source: &Path, out: &Path) -> Result<(), DataError> {
    if prevision_storage::is_address(source) || !leads_into(out, source)? {
        return Ok(());
    }
    let (out, source) = (out.display(), source.display());
    Err(DataError::Config(format!("{out}: lies in the source folder {source}; choose another place")))
}

/// Checks that nothing is in a folder, or no such folder there.
fn check_new(out: &Path) -> Result<(), DataError> {
    if out.file_name().is_none() {
        return Err(DataError::Config(format!(
            "{}: has no name of its own; choose a new or empty folder",
            out.display()
        )));
    }
    // What a program that was ended has left is no content.
    let is_content =
        |entry: std::io::Result<std::fs::DirEntry>| entry.map_or(true, |entry| !whole_file::is_partial(&entry.path()));
    match std::fs::read_dir(out).map(|mut entries| entries.any(is_content)) {
        Ok(false) => Ok(()),
        Ok(true) => Err(DataError::Config(format!("{}: is not empty; choose a new or empty folder", out.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(DataError::io(out, error)),
    }
}
