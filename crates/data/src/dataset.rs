//! What every source of clips has in common.

use std::sync::Arc;

use crate::episodes::dataset::EpisodeClips;
use crate::moving_mnist::MovingMnist;
use crate::prepared::{PreparedSet, RawClips};
use crate::videos::VideoClips;
use crate::{Clip, ClipRequest, ClipShape, DataConfig, DataError, SkippedFile, SourceConfig, Split};

/// What is known of a clip before it is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The video that it will be drawn from.
    pub video: usize,
    /// Pixels that have to be decoded for it; 0 where all clips take the same time.
    pub work: u64,
}

/// One side of a data set, from which clips of one shape are drawn.
pub trait ClipDataset: Send + Sync {
    /// Number of videos or episodes on this side of the split.
    fn videos(&self) -> usize;

    /// Clips drawn from each of them in an epoch.
    fn clips_per_video(&self) -> usize;

    /// Number of clips in an epoch.
    fn clips_per_epoch(&self) -> usize {
        self.videos() * self.clips_per_video()
    }

    /// Draws a clip. The answer is a pure function of the request: with [`Draw::Random`](crate::Draw::Random) a video that cannot be used is
    /// replaced by the next one in a random order of (seed, epoch, slot); with [`Draw::Uniform`](crate::Draw::Uniform) it is an error.
    ///
    /// # Errors
    /// [`DataError::Skipped`] with [`Draw::Uniform`](crate::Draw::Uniform); [`DataError::TooManyBroken`].
    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError>;

    /// Draws several clips, each as [`ClipDataset::clip`] does; clips of one video can be cheaper together.
    fn clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        requests.iter().map(|request| self.clip(request)).collect()
    }

    /// What can be told of a clip without decoding it: requests of one video should be drawn together.
    fn find(&self, request: &ClipRequest) -> Found {
        Found { video: request.video, work: 0 }
    }

    /// The shape of every clip.
    fn shape(&self) -> ClipShape;

    /// The videos that were found unusable so far, in the order of the data set.
    fn skipped(&self) -> Vec<SkippedFile>;

    /// Frames that decoders have made so far, wanted or not; 0 where nothing is decoded.
    fn decoded_frames(&self) -> u64 {
        0
    }
}

/// Opens one side of a data set. Only lists are read: a video is opened when a clip is drawn from it, except that without
/// `size` the first one that opens tells the size.
///
/// # Errors
/// If the configuration is wrong, the source is missing or empty, or this side of the split has no video.
pub fn open(config: &DataConfig, split: Split, seed: u64) -> Result<Arc<dyn ClipDataset>, DataError> {
    config.validate().map_err(DataError::Config)?;
    let dataset: Arc<dyn ClipDataset> = match &config.source {
        SourceConfig::Videos { path } => match PreparedSet::open_if_prepared(path)? {
            Some(set) if set.is_raw() => Arc::new(RawClips::open(config, set, split, seed)?),
            Some(set) => Arc::new(VideoClips::prepared(config, set, split, seed)?),
            None => Arc::new(VideoClips::open(config, split, seed)?),
        },
        SourceConfig::Episodes { .. } => Arc::new(EpisodeClips::open(config, split, seed)?),
        SourceConfig::MovingMnist { .. } => Arc::new(MovingMnist::open(config, split, seed)?),
    };
    Ok(dataset)
}

/// The videos of a side; an error if there is none.
pub(crate) fn side(config: &DataConfig, videos: usize, split: Split, seed: u64) -> Result<Vec<usize>, DataError> {
    let side = crate::split::split(seed, videos, config.validation_fraction, split);
    if side.is_empty() {
        let name = if split == Split::Train { "training" } else { "validation" };
        let message = format!(
            "no video is left for {name}: {videos} in all, data.validation_fraction is {}",
            config.validation_fraction
        );
        return Err(DataError::Empty { path: config.source.path().clone(), message });
    }
    Ok(side)
}
