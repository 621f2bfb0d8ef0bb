//! Films of episodes: where the agent is, where it has been, and what the model imagines it will do.

use std::path::{Path, PathBuf};

use prevision_env::{Environment, Overlay};
use prevision_video::{FrameBuffer, Mp4Options, Mp4Writer, Quality, VideoError, write_gif};

use crate::error::PlanError;

/// Pixels of the film per pixel of the observation; even, as mp4 needs it.
const SCALE: usize = 6;
/// Steps shown in a second.
const FRAME_RATE: u32 = 20;
/// A GIF shows every n-th step, at the same speed.
const GIF_STRIDE: usize = 2;

/// The film of one episode, `episode-<number>.mp4`, and a GIF of it if wanted.
pub(crate) struct Film {
    path: PathBuf,
    writer: Mp4Writer,
    gif: Option<FrameBuffer>,
    frames: usize,
}

impl Film {
    /// Begins a film in this folder with the world as it is.
    pub(crate) fn create(
        folder: &Path,
        episode: usize,
        with_gif: bool,
        world: &dyn Environment,
    ) -> Result<Self, PlanError> {
        let path = folder.join(format!("episode-{episode:03}.mp4"));
        let spec = world.spec();
        let (width, height) = (spec.width * SCALE, spec.height * SCALE);
        let options =
            Mp4Options { width, height, frame_rate: FRAME_RATE, quality: Quality::Crf(18), keyframe_interval: 50 };
        let writer =
            Mp4Writer::create(&path, &options).map_err(|source| PlanError::Film { path: path.clone(), source })?;
        let gif = with_gif.then(|| FrameBuffer { data: Vec::new(), frames: 0, height, width });
        Ok(Self { path, writer, gif, frames: 0 })
    }

    /// Adds the world as it is now, with the way so far and the way imagined.
    pub(crate) fn add(
        &mut self,
        world: &dyn Environment,
        trail: &[[f32; 2]],
        imagined: &[[f32; 2]],
    ) -> Result<(), PlanError> {
        let frame = world.render(&Overlay { trail, imagined }, SCALE);
        self.writer.write(&frame.data).map_err(|source| self.error(source))?;
        if let Some(gif) = self.gif.as_mut().filter(|_| self.frames.is_multiple_of(GIF_STRIDE)) {
            gif.data.extend_from_slice(&frame.data);
            gif.frames += 1;
        }
        self.frames += 1;
        Ok(())
    }

    /// Puts the files in place.
    pub(crate) fn finish(self) -> Result<(), PlanError> {
        let path = self.path;
        self.writer.finish().map_err(|source| PlanError::Film { path: path.clone(), source })?;
        if let Some(gif) = self.gif {
            let path = path.with_extension("gif");
            write_gif(&path, &gif, FRAME_RATE / GIF_STRIDE as u32)
                .map_err(|source| PlanError::Film { path, source })?;
        }
        Ok(())
    }

    fn error(&self, source: VideoError) -> PlanError {
        PlanError::Film { path: self.path.clone(), source }
    }
}
