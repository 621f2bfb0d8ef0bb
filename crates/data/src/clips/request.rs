//! What is asked of a data set.

/// How a clip's place in its video, its crop and its flip are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// At random, as a function of (seed, epoch, slot). A video that cannot be used is replaced by another one.
    Random,
    /// Evenly spaced over the video, without augmentation. A video that cannot be used is an error
    /// ([`DataError::Skipped`](crate::DataError::Skipped)), so that nothing is counted twice.
    Uniform,
}

/// Asks a data set for one clip. The answer is a pure function of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipRequest {
    /// Seed of the run.
    pub seed: u64,
    /// Pass over the data set.
    pub epoch: u64,
    /// Place in the epoch, `0..videos * clips`.
    pub slot: usize,
    /// Which video, `0..videos`.
    pub video: usize,
    /// Which of the video's clips, `0..clips`.
    pub clip: usize,
    /// Number of clips that are taken from each video, at least 1: over so many parts of the video [`Draw::Uniform`] spreads them.
    pub clips: usize,
    /// How the rest is chosen.
    pub draw: Draw,
}
