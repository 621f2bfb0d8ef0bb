//! Clips out of video files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prevision_core::config::Options;
use prevision_core::{Clip, ClipSource, Observations, Spaces};
use prevision_video::VideoIndex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::one_camera::{self, PIXELS};
use super::planned::PlannedClips;
use super::prepared::{PreparedSet, RawClips, Seal};
use super::source::{Source, check_path};
use super::video_files::{FileFrames, VideoFiles};
use crate::clips::sampling::{Spacing, indices, last_start, start};
use crate::clips::{Sampler, originals, side};
use crate::files::{VideoEntry, find_videos};
use crate::pixels::Transform;
use crate::{ClipDataset, ClipRequest, DataConfig, DataError, Found, SkippedFile, Split};

/// Video files, `kind = "videos"`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct VideosOptions {
    /// A folder, searched with its sub-folders in sorted order; or a manifest: a text file with a path and, optionally, an integer
    /// label on each line; or a folder that `prevision data prepare` made. Also by address (`s3://bucket/prefix`), with the cargo
    /// feature `object-store`. No default.
    path: PathBuf,
}

impl Options for VideosOptions {}

impl Source for VideosOptions {
    fn path(&self) -> &Path {
        &self.path
    }

    fn validate(&self, _config: &DataConfig) -> Result<(), String> {
        check_path(&self.path)
    }

    fn open(&self, config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
        Ok(match PreparedSet::open_if_prepared(&self.path)? {
            Some(set) if set.is_raw() => Arc::new(RawClips::open(config, &self.path, set, split, seed)?),
            Some(set) => Arc::new(VideoClips::prepared(config, &self.path, set, split, seed)?),
            None => {
                let all = find_videos(&self.path)?;
                let every = (0..all.len()).collect();
                Arc::new(VideoClips::new(config, &self.path, all, (every, vec![]), (split, seed))?)
            }
        })
    }
}

/// The video files of one side of a split.
struct VideoClips {
    /// Index in the whole data set, and the file.
    entries: Vec<(usize, VideoEntry)>,
    /// Checksums of the files of a prepared set, by index in the whole data set.
    seals: Vec<Seal>,
    files: VideoFiles,
    transform: Transform,
    sampler: Sampler,
    spaces: Spaces,
    /// Width and height.
    size: (usize, usize),
    spacing: Spacing,
    clips_per_video: usize,
}

impl VideoClips {
    /// The videos of a prepared set that have a file each.
    fn prepared(
        config: &DataConfig,
        path: &Path,
        set: PreparedSet,
        split: Split,
        seed: u64,
    ) -> Result<Self, DataError> {
        let (mut files, mut known, mut seals) = (vec![], vec![], vec![]);
        for (file, index, seal) in set.into_files() {
            files.push(file);
            known.push(Some(index));
            seals.push(seal);
        }
        let times = files
            .iter()
            .zip(&known)
            .map(|(file, index)| (file.path.as_path(), index.as_ref().map_or(&[][..], VideoIndex::timestamps)));
        let (long, short) = Spacing::of(config).long_enough(times, config.frames);
        let clips = Self { seals, ..Self::new(config, path, files, (long, short), (split, seed))? };
        for (video, (whole, _)) in clips.entries.iter().enumerate() {
            if let Some(index) = known[*whole].take() {
                clips.files.preset(video, index);
            }
        }
        Ok(clips)
    }

    /// One side of all files, of which some may be known to be long enough for a clip and the others to be too short.
    fn new(
        config: &DataConfig,
        path: &Path,
        all: Vec<VideoEntry>,
        (long, short): (Vec<usize>, Vec<SkippedFile>),
        (split, seed): (Split, u64),
    ) -> Result<Self, DataError> {
        let originals = originals(all.iter().map(|entry| entry.path.as_path()));
        let side = side(config, path, (&long, &originals), &short, split, seed)?;
        let (files, transform) = (VideoFiles::new(config), Transform::new(config, split));
        let size = match transform.fixed_size() {
            Some(size) => size,
            None => files.first_size(all.iter().map(|entry| Cow::Borrowed(entry.path.as_path())))?,
        };
        Ok(Self {
            sampler: Sampler::new(config, side.len(), short),
            seals: vec![],
            entries: side.into_iter().map(|video| (video, all[video].clone())).collect(),
            files,
            transform,
            spaces: one_camera::spaces(config, size),
            size,
            spacing: Spacing::of(config),
            clips_per_video: config.clips_per_video,
        })
    }
}

/// The frames of a clip, and the first of them.
struct VideoPlan {
    frames: FileFrames,
    start: usize,
}

impl PlannedClips for VideoClips {
    type Plan = VideoPlan;

    fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    fn plan(&self, video: usize, request: &ClipRequest) -> Result<VideoPlan, SkippedFile> {
        let (whole, VideoEntry { path, .. }) = &self.entries[video];
        if let Some(seal) = self.seals.get(*whole) {
            seal.check(path).map_err(|reason| SkippedFile { path: path.clone(), reason })?;
        }
        let index = self.files.index(video, path)?;
        let (times, frames) = (index.timestamps(), self.spaces.frames);
        let last = last_start(times, frames, self.spacing)
            .ok_or_else(|| SkippedFile { path: path.clone(), reason: self.spacing.too_short(times, frames) })?;
        let start = start(request, last);
        let indices = indices(times, start, frames, self.spacing);
        Ok(VideoPlan { frames: FileFrames { file: video, path: path.clone(), index, indices }, start })
    }

    fn work(&self, plan: &VideoPlan) -> u64 {
        plan.frames.work()
    }

    fn read(&self, video: usize, plans: Vec<(VideoPlan, &ClipRequest)>) -> Result<Vec<Clip>, SkippedFile> {
        let wanted: Vec<_> = plans.iter().map(|(plan, request)| (&plan.frames, *request)).collect();
        let read = self.files.read(&self.transform, self.size, &wanted)?;
        let (video, entry) = &self.entries[video];
        let clip = |(VideoPlan { frames: wanted, start }, _), frames| {
            let FileFrames { path, index, indices, .. }: FileFrames = wanted;
            Clip {
                observations: Observations::of_camera(PIXELS, frames),
                times: indices.iter().map(|&frame| index.timestamps()[frame]).collect(),
                actions: None,
                state: None,
                label: entry.label,
                source: ClipSource { path, video: *video, start },
            }
        };
        Ok(plans.into_iter().zip(read).map(|(plan, frames)| clip(plan, frames)).collect())
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
        self.planned_clip(request)
    }

    fn clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        self.planned_clips(requests)
    }

    fn find(&self, request: &ClipRequest) -> Found {
        self.planned_find(request)
    }

    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn skipped(&self) -> Vec<SkippedFile> {
        self.sampler.skipped()
    }

    fn decoded_frames(&self) -> u64 {
        self.files.decoded_frames()
    }
}
