//! `labels`: the class of a video, as a manifest says.

use crate::probing::{ProbeTask, View};

/// The clip as it is, and its video's label.
pub(super) struct Labels {
    pub(super) frames: usize,
}

impl ProbeTask for Labels {
    fn span(&self) -> usize {
        self.frames
    }

    fn views(&self, label: Option<i64>) -> Vec<View> {
        label.map(|class| View { frames: (0..self.frames).collect(), class }).into_iter().collect()
    }

    fn needs_labels(&self) -> bool {
        true
    }
}
