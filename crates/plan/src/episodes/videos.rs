//! Videos of episodes: where the agent is, where it has been, and what the policy imagines it will do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use prevision_core::FrameBuffer;
use prevision_env::{Mark, Worlds};
use prevision_video::{Mp4Options, Mp4Writer, Quality, VideoError, write_gif};

use super::{Moment, Watch, WatchError};

/// Pixels of a video per pixel of an observation; even, as mp4 needs it.
const SCALE: usize = 6;
/// Steps shown in a second.
const FRAME_RATE: u32 = 20;
/// A GIF shows every n-th step, at the same speed.
const GIF_STRIDE: usize = 2;

/// Writes `episode-NNN.mp4` of every watched episode into a folder, and a GIF of the first one too. A world that is not drawn has no
/// videos.
pub struct EpisodeVideos {
    folder: PathBuf,
    /// The videos that are being written, by the number of the episode.
    open: BTreeMap<usize, EpisodeVideo>,
}

/// What can fail when a video of an episode is written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EpisodeVideosError {
    /// The folder could not be made.
    #[error("folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A video could not be written.
    #[error("episode video {}: {source}", path.display())]
    Video {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: VideoError,
    },
}

impl EpisodeVideos {
    /// Videos in this folder, which is made with the first of them.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: BTreeMap::new() }
    }

    fn add(&mut self, frame: &FrameBuffer, moment: &Moment<'_>) -> Result<(), EpisodeVideosError> {
        let video = match self.open.remove(&moment.episode) {
            Some(video) => video,
            None => EpisodeVideo::create(&self.folder, moment, frame)?,
        };
        let video = video.with(frame)?;
        if moment.decision.is_none() {
            return video.finish();
        }
        self.open.insert(moment.episode, video);
        Ok(())
    }
}

impl Watch for EpisodeVideos {
    fn moment(&mut self, worlds: &dyn Worlds, moment: &Moment<'_>) -> Result<(), WatchError> {
        let imagined = moment.decision.map_or(&[][..], |decision| &decision.imagined);
        let marks = [Mark::trail(moment.trail), Mark::imagined(imagined)];
        match worlds.render(moment.row, &marks, SCALE) {
            Some(frame) => Ok(self.add(&frame, moment)?),
            None => Ok(()),
        }
    }
}

/// The video of one episode.
struct EpisodeVideo {
    path: PathBuf,
    writer: Mp4Writer,
    gif: Option<FrameBuffer>,
    frames: usize,
}

impl EpisodeVideo {
    fn create(folder: &Path, moment: &Moment<'_>, frame: &FrameBuffer) -> Result<Self, EpisodeVideosError> {
        let folder_error = |source| EpisodeVideosError::Folder { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(folder_error)?;
        let path = folder.join(format!("episode-{:03}.mp4", moment.episode));
        let FrameBuffer { width, height, .. } = *frame;
        let options =
            Mp4Options { width, height, frame_rate: FRAME_RATE, quality: Quality::Crf(18), keyframe_interval: 50 };
        let writer = Mp4Writer::create(&path, &options).map_err(|source| error(&path, source))?;
        let gif = (moment.watched == 0).then(|| FrameBuffer { data: Vec::new(), frames: 0, height, width });
        Ok(Self { path, writer, gif, frames: 0 })
    }

    fn with(mut self, frame: &FrameBuffer) -> Result<Self, EpisodeVideosError> {
        self.writer.write(&frame.data).map_err(|source| error(&self.path, source))?;
        if let Some(gif) = self.gif.as_mut().filter(|_| self.frames.is_multiple_of(GIF_STRIDE)) {
            gif.data.extend_from_slice(&frame.data);
            gif.frames += 1;
        }
        self.frames += 1;
        Ok(self)
    }

    /// Puts the files in place.
    fn finish(self) -> Result<(), EpisodeVideosError> {
        self.writer.finish().map_err(|source| error(&self.path, source))?;
        let Some(gif) = self.gif else { return Ok(()) };
        let path = self.path.with_extension("gif");
        write_gif(&path, &gif, FRAME_RATE / GIF_STRIDE as u32).map_err(|source| error(&path, source))
    }
}

fn error(path: &Path, source: VideoError) -> EpisodeVideosError {
    EpisodeVideosError::Video { path: path.to_owned(), source }
}
