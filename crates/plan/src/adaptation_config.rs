//! `[plan.adaptation]`: what the model learns while it plans.

use prevision_core::config::Options;
use prevision_core::config::check::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the model learns while it plans: before each new plan its predictor takes a gradient step on what it imagined of the actions
/// since the last one and what was then seen. Every episode begins with the trained weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptationConfig {
    /// The share of the error of a prediction that a step takes away, as far as the predictor is linear in its weights, in [0, 1].
    /// Default 0: nothing is learned.
    pub rate: f64,
}

impl Options for AdaptationConfig {
    fn validate(&self) -> Result<(), String> {
        ensure((0.0..=1.0).contains(&self.rate), "rate", self.rate, "in [0, 1]")
    }
}
