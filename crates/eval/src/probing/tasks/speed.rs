//! `speed`: how fast a clip is shown (Benaim et al. 2020, "`SpeedNet`").

use prevision_core::config::Options;
use prevision_core::config::check::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check_time;
use crate::probing::{ClipShape, ProbeTask, View};

/// Keys of `task.speed`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SpeedKeys {
    /// The speeds: every so many frames of the clip are shown. Default `[1, 2, 3]`.
    steps: Vec<usize>,
}

impl Default for SpeedKeys {
    fn default() -> Self {
        Self { steps: vec![1, 2, 3] }
    }
}

impl Options for SpeedKeys {
    fn validate(&self) -> Result<(), String> {
        let valid = self.steps.len() > 1 && self.steps[0] > 0 && self.steps.is_sorted_by(|a, b| a < b);
        ensure(valid, "steps", format!("{:?}", self.steps), "two or more, ascending from 1 on")
    }
}

/// The same moment at each speed, from the same first frame on.
pub(super) struct Speed {
    frames: usize,
    steps: Vec<usize>,
}

impl Speed {
    pub(super) fn new(keys: SpeedKeys, shape: ClipShape) -> Result<Self, String> {
        check_time(shape)?;
        Ok(Self { frames: shape.frames, steps: keys.steps })
    }
}

impl ProbeTask for Speed {
    fn span(&self) -> usize {
        let fastest = self.steps.last().copied().unwrap_or(1);
        (self.frames - 1) * fastest + 1
    }

    fn views(&self, _: Option<i64>) -> Vec<View> {
        let view =
            |step: &usize| View { frames: (0..self.frames).map(|frame| frame * step).collect(), class: *step as i64 };
        self.steps.iter().map(view).collect()
    }

    fn class_name(&self, class: i64) -> String {
        format!("{class}x")
    }
}
