//! Where prediction targets come from: the encoder itself, or a slowly moving copy of it.

mod momentum;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use momentum::{blend, target_copy};

use prevision_core::config::check::ensure;

/// Which target encoder; the key `kind` chooses `shared` (default) or `momentum`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TargetConfig {
    /// The context encoder makes the targets as well; collapse must be prevented by a regulariser.
    #[default]
    Shared,
    /// An exponential moving average of the context encoder, off the tape.
    Momentum(MomentumConfig),
}

/// Configuration of a momentum target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MomentumConfig {
    /// Share of the old target that stays at each step, in [0, 1]. Default 0.99925 (V-JEPA 2).
    pub momentum: f64,
}

impl Default for MomentumConfig {
    fn default() -> Self {
        Self { momentum: 0.99925 }
    }
}

impl TargetConfig {
    /// The momentum; `None` when weights are shared.
    pub fn momentum(&self) -> Option<f64> {
        match self {
            Self::Shared => None,
            Self::Momentum(config) => Some(config.momentum),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        match self.momentum() {
            Some(momentum) => ensure((0.0..=1.0).contains(&momentum), "momentum", momentum, "in [0, 1]"),
            None => Ok(()),
        }
    }
}
