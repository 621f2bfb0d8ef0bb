//! Clips out of video files.

use std::borrow::Cow;

use prevision_video::FrameSource;

use crate::dataset::{Films, side};
use crate::manifest::{VideoEntry, find_videos};
use crate::sampling::{Spacing, indices, last_start, start};
use crate::{
    Clip, ClipDataset, ClipRequest, ClipShape, ClipSource, DataConfig, DataError, SkipReason, SkippedFile, Split,
};

/// The video files of one side of a split.
pub(crate) struct VideoClips {
    /// Index in the whole data set, and the file.
    entries: Vec<(usize, VideoEntry)>,
    films: Films,
    frames: usize,
    spacing: Spacing,
    clips_per_video: usize,
}

impl VideoClips {
    pub(crate) fn open(config: &DataConfig, split: Split, seed: u64) -> Result<Self, DataError> {
        let all = find_videos(config.source.path())?;
        let side = side(config, all.len(), split, seed)?;
        let films = Films::new(config, split, side.len(), all.iter().map(|entry| Cow::Borrowed(entry.path.as_path())))?;
        Ok(Self {
            entries: side.into_iter().map(|video| (video, all[video].clone())).collect(),
            films,
            frames: config.frames,
            spacing: config.frames_per_second.map_or(Spacing::Step(config.frame_step), Spacing::Rate),
            clips_per_video: config.clips_per_video,
        })
    }

    fn attempt(&self, video: usize, request: &ClipRequest) -> Result<Clip, SkippedFile> {
        let (index, entry) = &self.entries[video];
        let clip = self.films.with_decoder(video, &entry.path, request, |decoder| {
            let times = decoder.timestamps();
            let last = last_start(times, self.frames, self.spacing).ok_or_else(|| self.too_short(times))?;
            let start = start(request, self.clips_per_video, last);
            let indices = indices(times, start, self.frames, self.spacing);
            let times = indices.iter().map(|&frame| times[frame]).collect();
            let frames = self.films.pictures.read(decoder, &indices, request, self.films.size)?;
            Ok((start, times, frames))
        });
        match clip {
            Ok((start, times, frames)) => {
                let source = ClipSource { path: entry.path.clone(), video: *index, start };
                Ok(Clip { frames, times, actions: None, state: None, label: entry.label, source })
            }
            Err(reason) => Err(SkippedFile { path: entry.path.clone(), reason }),
        }
    }

    fn too_short(&self, times: &[f64]) -> SkipReason {
        match self.spacing {
            Spacing::Step(step) => SkipReason::TooShort {
                has: format!("{} frames", times.len()),
                needs: format!("{}", self.frames * step),
            },
            Spacing::Rate(rate) => SkipReason::TooShort {
                has: format!("{:.2} seconds", times.last().copied().unwrap_or(0.0)),
                needs: format!("{:.2}", (self.frames - 1) as f64 / rate),
            },
        }
    }
}

impl ClipDataset for VideoClips {
    fn videos(&self) -> usize {
        self.entries.len()
    }

    fn clips_per_video(&self) -> usize {
        self.clips_per_video
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        self.films.draw(request, |video| self.attempt(video, request))
    }

    fn shape(&self) -> ClipShape {
        let (width, height) = self.films.size;
        ClipShape { frames: self.frames, height, width, action_dim: None, state_dim: None }
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        self.films.skipped()
    }
}
