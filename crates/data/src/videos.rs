//! Clips out of video files.

use std::borrow::Cow;

use prevision_video::{FrameBuffer, VideoIndex};

use crate::dataset::side;
use crate::films::{FilmPlan, FilmSource, Films};
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

impl FilmSource for VideoClips {
    fn fits(&self, index: &VideoIndex) -> bool {
        last_start(index.timestamps(), self.frames, self.spacing).is_some()
    }

    fn plan(&self, video: usize, request: &ClipRequest) -> Result<FilmPlan, SkippedFile> {
        let path = &self.entries[video].1.path;
        let skip = |reason| SkippedFile { path: path.clone(), reason };
        let index = self.films.index(video, path).map_err(skip)?;
        let times = index.timestamps();
        let last = last_start(times, self.frames, self.spacing).ok_or_else(|| skip(self.too_short(times)))?;
        let start = start(request, self.clips_per_video, last);
        let indices = indices(times, start, self.frames, self.spacing);
        Ok(FilmPlan { path: path.clone(), index, indices, start })
    }

    fn finish(&self, video: usize, plan: FilmPlan, frames: FrameBuffer) -> Clip {
        let (video, entry) = &self.entries[video];
        let times = plan.indices.iter().map(|&frame| plan.index.timestamps()[frame]).collect();
        let source = ClipSource { path: plan.path, video: *video, start: plan.start };
        Clip { frames, times, actions: None, state: None, label: entry.label, source }
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
        self.films.clip(self, request)
    }

    fn clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        self.films.clips(self, requests)
    }

    fn known_video(&self, request: &ClipRequest) -> usize {
        self.films.known_video(self, request)
    }

    fn shape(&self) -> ClipShape {
        let (width, height) = self.films.size;
        ClipShape { frames: self.frames, height, width, action_dim: None, state_dim: None }
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        self.films.skipped()
    }

    fn decoded_frames(&self) -> u64 {
        self.films.decoded_frames()
    }
}
