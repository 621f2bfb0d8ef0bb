//! Clips out of video files.

use std::borrow::Cow;

use prevision_video::FrameBuffer;

use crate::dataset::side;
use crate::films::{FilmPlan, FilmSource, Films};
use crate::manifest::{VideoEntry, find_videos};
use crate::prepared::PreparedSet;
use crate::sampling::{Spacing, indices, last_start, start};
use crate::{
    Clip, ClipDataset, ClipRequest, ClipShape, ClipSource, DataConfig, DataError, Found, SkipReason, SkippedFile, Split,
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
        Self::of_files(config, find_videos(config.source.path())?, split, seed)
    }

    /// The videos of a prepared set that have a file each.
    pub(crate) fn prepared(config: &DataConfig, set: PreparedSet, split: Split, seed: u64) -> Result<Self, DataError> {
        let (files, mut known): (Vec<_>, Vec<_>) =
            set.into_files().into_iter().map(|(file, index)| (file, Some(index))).unzip();
        let clips = Self::of_files(config, files, split, seed)?;
        for (video, (whole, _)) in clips.entries.iter().enumerate() {
            if let Some(index) = known[*whole].take() {
                clips.films.preset(video, index);
            }
        }
        Ok(clips)
    }

    fn of_files(config: &DataConfig, all: Vec<VideoEntry>, split: Split, seed: u64) -> Result<Self, DataError> {
        let side = side(config, all.len(), split, seed)?;
        let films = Films::new(config, split, side.len(), all.iter().map(|entry| Cow::Borrowed(entry.path.as_path())))?;
        Ok(Self {
            entries: side.into_iter().map(|video| (video, all[video].clone())).collect(),
            films,
            frames: config.frames,
            spacing: Spacing::of(config),
            clips_per_video: config.clips_per_video,
        })
    }
}

impl FilmSource for VideoClips {
    fn plan(&self, video: usize, request: &ClipRequest) -> Result<FilmPlan, SkippedFile> {
        let path = &self.entries[video].1.path;
        let skip = |reason| SkippedFile { path: path.clone(), reason };
        let index = self.films.index(video, path).map_err(skip)?;
        let times = index.timestamps();
        let last = last_start(times, self.frames, self.spacing)
            .ok_or_else(|| skip(SkipReason::too_short(times, self.frames, self.spacing)))?;
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

    fn find(&self, request: &ClipRequest) -> Found {
        self.films.find(self, request)
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
