//! A clip: consecutive moments of one episode or video, with what belongs to them.

use std::path::PathBuf;

use crate::{Array2, Observations};

/// Some moments of one episode or video, as stored, with the numbers recorded beside them.
#[derive(Clone, Debug)]
pub struct Clip {
    /// What the cameras and sensors saw, `t` moments.
    pub observations: Observations,
    /// Time of each moment in seconds from the start of its video, `[t]`. Recorded episodes and synthetic video without a
    /// clock count in steps.
    pub times: Vec<f64>,
    /// `[t - 1, a]`: row `i` is the action between moment `i` and moment `i + 1`, in a model's form
    /// ([`Space::width`](crate::Space::width)). With a frame step of `n` a row holds the `n` actions of the block one after the
    /// other. Undefined actions (NaN) are 0.
    pub actions: Option<Array2>,
    /// `[t, s]`: the state at each moment.
    pub state: Option<Array2>,
    /// Class of the video, if it has one.
    pub label: Option<i64>,
    /// Where the clip is from.
    pub source: ClipSource,
}

/// Where a clip was cut out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClipSource {
    /// The video file, or the file that holds the episode; for synthetic video the file of its digits.
    pub path: PathBuf,
    /// Index of the video or episode in the whole data set, before it was split.
    pub video: usize,
    /// Index of the clip's first frame in its video.
    pub start: usize,
}

/// Clips of one shape, in memory as decoded.
pub struct HostBatch {
    /// The clips. Several clips of one video follow each other.
    pub clips: Vec<Clip>,
    /// Number of the batch since the start of training, over all epochs.
    pub number: u64,
    /// Place of the first clip in the whole batch of this number, of which one process may have a part.
    pub first: usize,
}
