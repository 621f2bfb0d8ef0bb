//! The result of a training.

use std::collections::BTreeMap;

use prevision_data::SkippedFile;
use serde::Serialize;

use crate::Stages;

/// The result of a training; `summary.json` in the run folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainSummary {
    /// Frames seen, over all parts of the run.
    pub frames: u64,
    /// Optimiser steps done, over all parts of the run.
    pub steps: u64,
    /// Seconds of training, over all parts of the run: loading, steps, logging and checkpoints.
    pub seconds: f64,
    /// Frames per second.
    pub frames_per_second: f64,
    /// Share of this part of the run in which the training waited for the next batch, 0 to 1.
    pub waiting_for_data: f64,
    /// What the time of this part of the run went to, in seconds.
    pub stages: Stages,
    /// The most memory the process ever held, in bytes; absent where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
    /// The total loss and every unweighted term, means over the last steps (up to `train.log_every`).
    pub final_loss: BTreeMap<String, f64>,
    /// Files that could not be used.
    pub skipped_files: Vec<SkippedFile>,
    /// Whether the training was stopped before its budget was used.
    pub interrupted: bool,
}

/// The process' largest resident set so far in bytes, from `/proc/self/status`; `None` where there is no such file.
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
