//! Clips out of raw prepared videos.

use super::format::{Entry, PreparedSet};
use super::raw::Shards;
use crate::dataset::side;
use crate::draws::Draws;
use crate::pictures::Pictures;
use crate::sampling::{Spacing, indices, last_start, start};
use crate::{
    Clip, ClipDataset, ClipRequest, ClipShape, ClipSource, DataConfig, DataError, SkipReason, SkippedFile, Split,
};

/// One side of a prepared set of raw frames.
pub(crate) struct RawClips {
    /// Indices in the whole set.
    videos: Vec<usize>,
    entries: Vec<Entry>,
    shards: Shards,
    pictures: Pictures,
    draws: Draws,
    size: (usize, usize),
    frames: usize,
    spacing: Spacing,
    clips_per_video: usize,
}

impl RawClips {
    pub(crate) fn open(config: &DataConfig, set: PreparedSet, split: Split, seed: u64) -> Result<Self, DataError> {
        let videos = side(config, set.entries.len(), split, seed)?;
        let pictures = Pictures::new(config, split);
        let size = pictures.fixed_size().or_else(|| set.entries.first().map(|entry| entry.size));
        Ok(Self {
            shards: Shards::open(&set.folder, &set.entries)?,
            draws: Draws::new(config, videos.len()),
            videos,
            entries: set.entries,
            pictures,
            size: size.unwrap_or_default(),
            frames: config.frames,
            spacing: Spacing::of(config),
            clips_per_video: config.clips_per_video,
        })
    }

    fn attempt(&self, video: usize, request: &ClipRequest) -> Result<Clip, SkippedFile> {
        let entry = &self.entries[self.videos[video]];
        let skip = |reason| SkippedFile { path: entry.source.clone(), reason };
        let last = last_start(&entry.times, self.frames, self.spacing)
            .ok_or_else(|| skip(SkipReason::too_short(&entry.times, self.frames, self.spacing)))?;
        let start = start(request, self.clips_per_video, last);
        let indices = indices(&entry.times, start, self.frames, self.spacing);
        let mut read = self.pictures.clip_read(entry.size, entry.size, &indices, request, self.size).map_err(skip)?;
        self.shards.read(entry, &mut read);
        Ok(Clip {
            frames: read.out,
            times: indices.iter().map(|&frame| entry.times[frame]).collect(),
            actions: None,
            state: None,
            label: entry.label,
            source: ClipSource { path: entry.source.clone(), video: self.videos[video], start },
        })
    }
}

impl ClipDataset for RawClips {
    fn videos(&self) -> usize {
        self.videos.len()
    }

    fn clips_per_video(&self) -> usize {
        self.clips_per_video
    }

    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError> {
        self.draws.first_usable(request, |video| self.attempt(video, request))
    }

    fn shape(&self) -> ClipShape {
        let (width, height) = self.size;
        ClipShape { frames: self.frames, height, width, action_dim: None, state_dim: None }
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        self.draws.skipped()
    }
}
