//! Clips out of raw prepared videos.

use std::path::Path;

use prevision_core::{Clip, ClipSource, Observations, Spaces};

use super::format::{Entry, PreparedSet};
use super::raw::Shards;
use crate::clips::sampling::{Spacing, indices, last_start, start};
use crate::clips::{Sampler, originals, side};
use crate::pixels::Transform;
use crate::sources::one_camera::{self, PIXELS};
use crate::{ClipDataset, ClipRequest, DataConfig, DataError, SkippedFile, Split};

/// One side of a prepared set of raw frames.
pub(crate) struct RawClips {
    /// Indices in the whole set.
    videos: Vec<usize>,
    entries: Vec<Entry>,
    shards: Shards,
    transform: Transform,
    sampler: Sampler,
    spaces: Spaces,
    /// Width and height.
    size: (usize, usize),
    spacing: Spacing,
    clips_per_video: usize,
}

impl RawClips {
    pub(crate) fn open(
        config: &DataConfig,
        path: &Path,
        set: PreparedSet,
        split: Split,
        seed: u64,
    ) -> Result<Self, DataError> {
        let spacing = Spacing::of(config);
        let known = set.entries.iter().map(|entry| (entry.source.as_path(), entry.times.as_slice()));
        let (long, short) = spacing.long_enough(known, config.frames);
        let originals = originals(set.entries.iter().map(|entry| entry.source.as_path()));
        let videos = side(config, path, (&long, &originals), &short, split, seed)?;
        let transform = Transform::new(config, split);
        let size = transform.fixed_size().or_else(|| set.entries.first().map(|entry| entry.size)).unwrap_or_default();
        Ok(Self {
            shards: Shards::open(&set.folder, &set.entries)?,
            sampler: Sampler::new(config, videos.len(), short),
            videos,
            entries: set.entries,
            transform,
            spaces: one_camera::spaces(config, size),
            size,
            spacing,
            clips_per_video: config.clips_per_video,
        })
    }

    fn attempt(&self, video: usize, request: &ClipRequest) -> Result<Clip, SkippedFile> {
        let entry = &self.entries[self.videos[video]];
        let skip = |reason| SkippedFile { path: entry.source.clone(), reason };
        let frames = self.spaces.frames;
        let last = last_start(&entry.times, frames, self.spacing)
            .ok_or_else(|| skip(self.spacing.too_short(&entry.times, frames)))?;
        let start = start(request, last);
        let indices = indices(&entry.times, start, frames, self.spacing);
        let mut read = self.transform.clip_read(entry.size, entry.size, &indices, request, self.size).map_err(skip)?;
        self.shards.read(entry, &mut read).map_err(skip)?;
        Ok(Clip {
            observations: Observations::of_camera(PIXELS, read.out),
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
        self.sampler.first_usable(request, |video| self.attempt(video, request))
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        self.sampler.skipped()
    }
}
