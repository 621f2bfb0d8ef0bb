//! A clip: consecutive frames of one video with what belongs to them.

use std::path::PathBuf;

use prevision_video::FrameBuffer;

use crate::Array2;

/// Some frames of one video, as stored (8 bit RGB), with the numbers recorded beside them.
#[derive(Clone)]
pub struct Clip {
    /// RGB frames `[t, h, w, 3]`.
    pub frames: FrameBuffer,
    /// Time of each frame in seconds from the start of its video, `[t]`. Recorded episodes and synthetic video without a
    /// clock count in steps.
    pub times: Vec<f64>,
    /// `[t - 1, a]`: row `i` is the action between frame `i` and frame `i + 1`. With a frame step of `n` a row holds the `n`
    /// actions of the block one after the other. Undefined actions (NaN) are 0.
    pub actions: Option<Array2>,
    /// `[t, s]`: the state at each frame.
    pub state: Option<Array2>,
    /// Class of the video, if it has one.
    pub label: Option<i64>,
    /// Where the clip is from.
    pub source: ClipSource,
}

/// Where a clip was cut out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipSource {
    /// The video file; for synthetic video the file of its digits.
    pub path: PathBuf,
    /// Index of the video or episode in the whole data set, before it was split.
    pub video: usize,
    /// Index of the clip's first frame in its video.
    pub start: usize,
}

/// The shape that all clips of a data set have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipShape {
    /// Frames in a clip.
    pub frames: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Numbers in an action row (frame step times the action's own), if the data set has actions.
    pub action_dim: Option<usize>,
    /// Numbers in a state row, if the data set has states.
    pub state_dim: Option<usize>,
}

impl ClipShape {
    /// Bytes of a clip's frames in memory.
    pub fn bytes(&self) -> usize {
        self.frames * self.height * self.width * 3
    }
}

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
    /// Place in the epoch, `0..clips_per_epoch`.
    pub slot: usize,
    /// Which video, `0..videos`.
    pub video: usize,
    /// Which of the video's clips, `0..clips_per_video`.
    pub clip: usize,
    /// How the rest is chosen.
    pub draw: Draw,
}
