//! What every data set offers, built in or not.

use prevision_core::{Clip, Spaces};

use super::order::permutation;
use crate::{ClipRequest, DataError, SkippedFile};

/// What is known of a clip before it is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The video that it will be taken from.
    pub video: usize,
    /// Pixels that have to be decoded for it; 0 where all clips take the same time.
    pub work: u64,
}

/// One side of a data set, from which clips of the same streams and shapes are taken.
pub trait ClipDataset: Send + Sync {
    /// Number of videos or episodes on this side of the split.
    fn videos(&self) -> usize;

    /// Clips taken from each of them in an epoch.
    fn clips_per_video(&self) -> usize;

    /// Number of clips in an epoch.
    fn clips_per_epoch(&self) -> usize {
        self.videos() * self.clips_per_video()
    }

    /// The videos in the order in which an epoch visits them, [`videos`](Self::videos) visits; a pure function of (seed, epoch). By default
    /// each is visited once, in a random order.
    fn order(&self, seed: u64, epoch: u64) -> Vec<usize> {
        permutation(seed, "order", epoch, 0, self.videos())
    }

    /// Reads a clip. The answer is a pure function of the request: with [`Draw::Random`](crate::Draw::Random) a video that cannot be
    /// used is replaced by the next one in a random order of (seed, epoch, slot); with [`Draw::Uniform`](crate::Draw::Uniform) it is
    /// an error.
    ///
    /// # Errors
    /// [`DataError::Skipped`] with [`Draw::Uniform`](crate::Draw::Uniform); [`DataError::TooManyBroken`].
    fn clip(&self, request: &ClipRequest) -> Result<Clip, DataError>;

    /// Reads several clips, each as [`ClipDataset::clip`] does; clips of one video can be cheaper together.
    fn clips(&self, requests: &[ClipRequest]) -> Vec<Result<Clip, DataError>> {
        requests.iter().map(|request| self.clip(request)).collect()
    }

    /// What can be told of a clip without decoding it: requests of one video should be read together.
    fn find(&self, request: &ClipRequest) -> Found {
        Found { video: request.video, work: 0 }
    }

    /// The streams of every clip, its number of frames and its frame step, and what one raw action can be.
    fn spaces(&self) -> &Spaces;

    /// The videos that were found unusable so far, in the order of the data set.
    fn skipped(&self) -> Vec<SkippedFile>;

    /// Frames that decoders have made so far, wanted or not; 0 where nothing is decoded.
    fn decoded_frames(&self) -> u64 {
        0
    }
}
