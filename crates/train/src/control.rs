//! What a caller sees of a running training, and how it ends one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How far a training is; given to [`Control::on_progress`] after every step.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Optimiser steps done.
    pub step: u64,
    /// The budget in steps, if there is one.
    pub steps: Option<u64>,
    /// Share of the budget that is used, 0 to 1.
    pub done: f64,
    /// The total loss and the unweighted terms, means over the steps of the last line of metrics; empty before the first.
    pub loss: Vec<(String, f64)>,
    /// Clips per second since the last line of metrics.
    pub clips_per_second: f64,
    /// Estimated seconds to the end.
    pub seconds_left: f64,
}

/// A caller's hold on a training.
pub struct Control<'a> {
    /// Called after every step.
    pub on_progress: Box<dyn FnMut(&Progress) + 'a>,
    /// Set it (from a signal handler, say) and the training finishes its step, writes a checkpoint and returns.
    pub stop: Arc<AtomicBool>,
}

impl Control<'_> {
    pub(crate) fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Default for Control<'_> {
    /// Reports to nobody and runs to the end.
    fn default() -> Self {
        Self { on_progress: Box::new(|_| ()), stop: Arc::default() }
    }
}
