//! `[schedule]`: how the learning rate and the target encoder's momentum change over training.

use serde::{Deserialize, Serialize};

use super::range::check;

/// Configuration of everything that changes over training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// The learning rate, relative to the peak `optimizer.lr`. Default warm-up and cosine.
    pub learning_rate: LearningRateConfig,
    /// Momentum of the target encoder (used only by models that have one).
    pub momentum: MomentumConfig,
}

/// The shape of the learning rate over training, `[schedule.learning_rate]`. Fractions are of the whole training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LearningRateConfig {
    /// Linear from 0 to the peak, then half a cosine down to `final_lr`.
    WarmupCosine {
        /// How long the learning rate rises. Default a fraction of 0.1.
        #[serde(default)]
        warmup: Warmup,
        /// Learning rate at the end. Default 1e-5.
        #[serde(default = "final_lr")]
        final_lr: f64,
    },
    /// Linear from 0 to the peak, constant, then linear down to `final_lr` ("WSD", V-JEPA 2).
    WarmupStableDecay {
        /// How long the learning rate rises. Default a fraction of 0.1.
        #[serde(default)]
        warmup: Warmup,
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

fn decay_fraction() -> f64 {
    0.2
}

/// Length of the warm-up: `warmup = { fraction = 0.1 }` of the training, or `warmup = { steps = 500 }`,
/// which needs `train.steps`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warmup {
    /// Fraction of the training.
    Fraction(f64),
    /// Optimiser steps.
    Steps(u64),
}

impl Default for Warmup {
    fn default() -> Self {
        Self::Fraction(0.1)
    }
}

impl Warmup {
    /// As a fraction of a training of `steps` steps.
    pub(crate) fn fraction(self, steps: Option<u64>) -> f64 {
        match (self, steps) {
            (Self::Fraction(fraction), _) => fraction,
            (Self::Steps(warmup), Some(steps)) => warmup as f64 / steps.max(1) as f64,
            (Self::Steps(_), None) => 0.0,
        }
    }
}

impl Default for LearningRateConfig {
    fn default() -> Self {
        Self::WarmupCosine { warmup: Warmup::default(), final_lr: final_lr() }
    }
}

/// Momentum of the target encoder, linear over training. V-JEPA 2 holds it at 0.99925; V-JEPA goes from 0.998 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MomentumConfig {
    /// At the first step. Default 0.99.
    pub start: f64,
    /// At the last step. Default 0.999.
    pub end: f64,
}

impl Default for MomentumConfig {
    fn default() -> Self {
        Self { start: 0.99, end: 0.999 }
    }
}

impl ScheduleConfig {
    /// Checks the ranges; `steps` is `train.steps`, `peak` is `optimizer.lr`.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self, steps: Option<u64>, peak: f64) -> Result<(), String> {
        let key = "schedule.learning_rate";
        let warmup_in_range = |warmup: Warmup| match (warmup, steps) {
            (Warmup::Steps(given), None) => Err(format!(
                "{key}.warmup.steps is {given}, but needs train.steps; with train.minutes alone give {key}.warmup.fraction"
            )),
            _ => check(&format!("{key}.warmup"), warmup.fraction(steps)).within(0.0, 1.0).map(|_| ()),
        };
        let falls = |final_lr: f64| {
            check(&format!("{key}.final_lr"), final_lr).at_least(0.0)?.at_most(peak, "optimizer.lr").map(|_| ())
        };
        match self.learning_rate {
            LearningRateConfig::WarmupCosine { warmup, final_lr } => {
                warmup_in_range(warmup)?;
                falls(final_lr)?;
            }
            LearningRateConfig::WarmupStableDecay { warmup, decay_fraction, final_lr } => {
                warmup_in_range(warmup)?;
                falls(final_lr)?;
                check(&format!("{key}.decay_fraction"), decay_fraction).within(0.0, 1.0 - warmup.fraction(steps))?;
            }
            LearningRateConfig::Constant {} => {}
        }
        check("schedule.momentum.start", self.momentum.start).within(0.0, 1.0)?;
        check("schedule.momentum.end", self.momentum.end).within(0.0, 1.0)?;
        Ok(())
    }
}
