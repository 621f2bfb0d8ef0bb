//! `arrow-of-time`: whether a clip is shown forwards or backwards (Wei et al. 2018, "Learning and Using the Arrow of Time").

use super::check_time;
use crate::probing::{ClipShape, ProbeTask, View};

/// Every clip in both directions: what is seen in single frames says nothing.
pub(super) struct ArrowOfTime {
    frames: usize,
}

impl ArrowOfTime {
    pub(super) fn new(shape: ClipShape) -> Result<Self, String> {
        check_time(shape)?;
        Ok(Self { frames: shape.frames })
    }
}

impl ProbeTask for ArrowOfTime {
    fn span(&self) -> usize {
        self.frames
    }

    fn views(&self, _: Option<i64>) -> Vec<View> {
        let forwards: Vec<usize> = (0..self.frames).collect();
        let backwards = forwards.iter().rev().copied().collect();
        vec![View { frames: forwards, class: 0 }, View { frames: backwards, class: 1 }]
    }

    fn class_name(&self, class: i64) -> String {
        if class == 0 { "forwards" } else { "backwards" }.to_owned()
    }
}
