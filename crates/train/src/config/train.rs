//! `[train]`: how long, and what is written how often.

use prevision_core::config::check;
use prevision_kernels::Precision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the training loop. The budget is `steps`, or `minutes` of wall time, or whichever ends first;
/// the schedules follow the larger used fraction of the two.
///
/// A run with a budget in steps resumes bit for bit on the CPU device. With a budget in minutes the learning rate
/// depends on the clock, so two runs differ in their last bits, resumed or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Optimiser steps of the whole training.
    pub steps: Option<u64>,
    /// Wall time of the whole training in minutes, earlier parts of a resumed run included.
    pub minutes: Option<f64>,
    /// Batches whose gradients are averaged for one optimiser step. Default 1.
    pub accumulate: usize,
    /// What the products of the model multiply in a training step, forward and backward: `float32`, or `bf16` (operands rounded to
    /// bfloat16, sums in float32). Weights, losses, norms and the optimiser are in float32 either way, and so is everything outside
    /// of training. Default `float32`.
    #[schemars(with = "String", extend("enum" = ["float32", "bf16"]))]
    pub precision: Precision,
    /// Steps between two lines of metrics; losses are read from the device only then. Default 10.
    pub log_every: u64,
    /// Steps between two checkpoints; one is always written at the end. Default 1000.
    pub checkpoint_every: u64,
    /// How many checkpoints are kept, the newest first. Default 2.
    pub keep_checkpoints: usize,
    /// Steps between two sets of histograms in `TensorBoard` (latents, gradients, parameters). 0 = none. Default 500.
    pub histogram_every: u64,
    /// Steps between two pictures of a clip in `TensorBoard`. 0 = none. Default 500.
    pub image_every: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            steps: None,
            minutes: None,
            accumulate: 1,
            precision: Precision::Float32,
            log_every: 10,
            checkpoint_every: 1000,
            keep_checkpoints: 2,
            histogram_every: 500,
            image_every: 500,
        }
    }
}

impl TrainConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        if self.steps.is_none() && self.minutes.is_none() {
            return Err("train.steps and train.minutes are both unset: give one as the budget, or both".to_owned());
        }
        if let Some(steps) = self.steps {
            check("train.steps", steps as f64).at_least(1.0)?;
        }
        if let Some(minutes) = self.minutes {
            check("train.minutes", minutes).above(0.0)?;
        }
        check("train.accumulate", self.accumulate as f64).at_least(1.0)?;
        check("train.log_every", self.log_every as f64).at_least(1.0)?;
        check("train.checkpoint_every", self.checkpoint_every as f64).at_least(1.0)?;
        check("train.keep_checkpoints", self.keep_checkpoints as f64).at_least(1.0)?.done()
    }
}
