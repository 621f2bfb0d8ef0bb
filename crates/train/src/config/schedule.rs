//! `[schedule]`: how the learning rate and the target encoder's momentum change over training.

use prevision_core::config::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of everything that changes over training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// The learning rate, relative to the peak `optimizer.lr`. Default warm-up and cosine.
    pub learning_rate: LearningRateConfig,
    /// Momentum of the target encoder at the last step; it starts at the model's own momentum and changes linearly, as in
    /// V-JEPA (0.998 to 1). Unset: constant, as in V-JEPA 2. Only for models with a momentum target.
    pub final_momentum: Option<f64>,
}

/// The shape of the learning rate over training, `[schedule.learning_rate]`. Fractions are of the whole training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LearningRateConfig {
    /// Linear from 0 to the peak, then half a cosine down to `final_lr`.
    WarmupCosine {
        /// Fraction of training over which the learning rate rises. Default 0.1.
        #[serde(default = "warmup_fraction")]
        warmup_fraction: f64,
        /// The same in optimiser steps, instead of the fraction; needs `train.steps`.
        #[serde(default)]
        warmup_steps: Option<u64>,
        /// Learning rate at the end. Default 1e-5.
        #[serde(default = "final_lr")]
        final_lr: f64,
    },
    /// Linear from 0 to the peak, constant, then linear down to `final_lr` ("WSD", V-JEPA 2).
    WarmupStableDecay {
        /// Fraction of training over which the learning rate rises. Default 0.1.
        #[serde(default = "warmup_fraction")]
        warmup_fraction: f64,
        /// The same in optimiser steps, instead of the fraction; needs `train.steps`.
        #[serde(default)]
        warmup_steps: Option<u64>,
        /// Fraction of training over which the learning rate falls at the end. Default 0.2.
        #[serde(default = "decay_fraction")]
        decay_fraction: f64,
        /// Learning rate at the end. Default 1e-5.
        #[serde(default = "final_lr")]
        final_lr: f64,
    },
    /// The peak throughout.
    Constant {},
}

fn final_lr() -> f64 {
    1e-5
}

fn warmup_fraction() -> f64 {
    0.1
}

fn decay_fraction() -> f64 {
    0.2
}

/// The warm-up as a fraction of the training; `warmup_steps` counts only with a budget in steps.
pub(crate) fn warmup_share(fraction: f64, warmup_steps: Option<u64>, steps: Option<u64>) -> f64 {
    match (warmup_steps, steps) {
        (Some(warmup), Some(steps)) => warmup as f64 / steps.max(1) as f64,
        _ => fraction,
    }
}

impl Default for LearningRateConfig {
    fn default() -> Self {
        Self::WarmupCosine { warmup_fraction: warmup_fraction(), warmup_steps: None, final_lr: final_lr() }
    }
}

impl ScheduleConfig {
    /// Checks the ranges; `steps` is `train.steps`, `peak` is `optimizer.lr`.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self, steps: Option<u64>, peak: f64) -> Result<(), String> {
        let key = "schedule.learning_rate";
        let warmup = |fraction: f64, warmup_steps: Option<u64>| match (warmup_steps, steps) {
            (Some(given), None) => Err(format!(
                "{key}.warmup_steps is {given}, but needs train.steps; with train.minutes alone give {key}.warmup_fraction"
            )),
            (Some(given), Some(steps)) => {
                check(&format!("{key}.warmup_steps"), given as f64).at_most(steps as f64, "train.steps").map(|_| ())
            }
            (None, _) => check(&format!("{key}.warmup_fraction"), fraction).within(0.0, 1.0).map(|_| ()),
        };
        let falls = |final_lr: f64| {
            check(&format!("{key}.final_lr"), final_lr).at_least(0.0)?.at_most(peak, "optimizer.lr").map(|_| ())
        };
        match self.learning_rate {
            LearningRateConfig::WarmupCosine { warmup_fraction, warmup_steps, final_lr } => {
                warmup(warmup_fraction, warmup_steps)?;
                falls(final_lr)?;
            }
            LearningRateConfig::WarmupStableDecay { warmup_fraction, warmup_steps, decay_fraction, final_lr } => {
                warmup(warmup_fraction, warmup_steps)?;
                falls(final_lr)?;
                let rest = 1.0 - warmup_share(warmup_fraction, warmup_steps, steps);
                check(&format!("{key}.decay_fraction"), decay_fraction).within(0.0, rest)?;
            }
            LearningRateConfig::Constant {} => {}
        }
        if let Some(momentum) = self.final_momentum {
            check("schedule.final_momentum", momentum).within(0.0, 1.0)?;
        }
        Ok(())
    }
}
