//! `[eval]`: what is measured of a frozen model.

use serde::{Deserialize, Serialize};

use super::range::check;

/// Configuration of the evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvalConfig {
    /// Steps ahead at which the rollout error is measured, in actions of the model. Default `[1, 2, 4, 8]`.
    pub horizons: Vec<usize>,
    /// Largest number of validation clips. Default 256.
    pub clips: usize,
    /// Clips encoded at once. Default 32.
    pub batch_size: usize,
    /// Optimiser steps of a probe on frozen latents. Default 2000.
    pub probe_steps: usize,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self { horizons: vec![1, 2, 4, 8], clips: 256, batch_size: 32, probe_steps: 2000 }
    }
}

impl EvalConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        if self.horizons.is_empty() {
            return Err("eval.horizons is empty, but must hold at least one number of steps".to_owned());
        }
        for (index, horizon) in self.horizons.iter().enumerate() {
            check(&format!("eval.horizons[{index}]"), *horizon as f64).at_least(1.0)?;
        }
        check("eval.clips", self.clips as f64).at_least(1.0)?;
        check("eval.batch_size", self.batch_size as f64).at_least(1.0)?;
        check("eval.probe_steps", self.probe_steps as f64).at_least(1.0)?;
        Ok(())
    }
}
