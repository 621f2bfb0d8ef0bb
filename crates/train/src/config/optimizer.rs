//! `[optimizer]`: `AdamW` and gradient clipping.

use prevision_core::config::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the optimiser: `AdamW` (Loshchilov and Hutter, 2019, <https://arxiv.org/abs/1711.05101>),
/// with `PyTorch`'s defaults where upstream has no other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Peak learning rate; the schedule scales it. Default 1e-3.
    pub lr: f64,
    /// Decoupled weight decay of parameters with two or more axes; biases and norms are never decayed. Default 1e-5.
    pub weight_decay: f64,
    /// Decay rates of the first and second moment. Default `[0.9, 0.999]`.
    pub betas: [f64; 2],
    /// Added to the root of the second moment. Default 1e-8.
    pub epsilon: f64,
    /// Largest Euclidean norm of all gradients together; larger ones are scaled down to it. 0 = off. Default 2.
    pub clip_norm: f64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self { lr: 1e-3, weight_decay: 1e-5, betas: [0.9, 0.999], epsilon: 1e-8, clip_norm: 2.0 }
    }
}

impl OptimizerConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// A sentence with the key, what was given and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        check("optimizer.lr", self.lr).above(0.0)?;
        check("optimizer.weight_decay", self.weight_decay).at_least(0.0)?;
        for (index, beta) in self.betas.into_iter().enumerate() {
            check(&format!("optimizer.betas[{index}]"), beta).within(0.0, 1.0)?.below(1.0)?;
        }
        check("optimizer.epsilon", self.epsilon).above(0.0)?;
        check("optimizer.clip_norm", self.clip_norm).at_least(0.0)?.done()
    }
}
