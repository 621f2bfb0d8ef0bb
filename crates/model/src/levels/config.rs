//! `[[model.levels]]`: how a slower model is built.

use burn::nn::LinearConfig;
use burn::tensor::Device;
use prevision_core::config::Options;
use prevision_core::config::check::{check, positive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Level;
use crate::frame_encoder::FrameEncoder;
use crate::predictor::{ActionPredictor, ResidualConvConfig, ResidualMlpConfig};

/// Configuration of a [`Level`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LevelConfig {
    /// Steps of the model that one of its steps takes. Default 8.
    pub stride: usize,
    /// Numbers in a macro-action, to which the actions of a stride are encoded. Default 8.
    pub action: usize,
    /// Units of the hidden layers of its predictor. Default 64.
    pub hidden: usize,
    /// How often the predictor is applied in a step; on a grid of tokens nothing moves farther than a token each time. Default 4.
    pub rounds: usize,
}

impl Default for LevelConfig {
    fn default() -> Self {
        Self { stride: 8, action: 8, hidden: 64, rounds: 4 }
    }
}

impl LevelConfig {
    /// Builds the slower model over the latents of `encoder`, behind those of a static encoder if there is one, for actions of
    /// `action_dim` numbers. Its predictor is a residual one: [on the grid of tokens](crate::predictor::ResidualConv) where there is one,
    /// else [on vectors](crate::predictor::ResidualMlp).
    pub fn init(
        &self,
        encoder: &FrameEncoder,
        static_encoder: Option<&FrameEncoder>,
        action_dim: usize,
        device: &Device,
    ) -> Level {
        let (grid, dim) = (encoder.grid(), encoder.dim());
        let static_dim = static_encoder.map_or(0, FrameEncoder::dim);
        let linear = |inputs: usize, outputs: usize| LinearConfig::new(inputs, outputs).init(device);
        let on_grid = grid != [1, 1] && static_encoder.is_none_or(|encoder| encoder.grid() == grid);
        let predictor = if on_grid {
            let config = ResidualConvConfig { hidden: self.hidden };
            ActionPredictor::ResidualConv(config.init(grid, dim, static_dim, self.action, device))
        } else {
            let config = ResidualMlpConfig { hidden: self.hidden };
            ActionPredictor::ResidualMlp(config.init(dim, self.action + static_dim, device))
        };
        Level {
            first: linear(self.stride * action_dim, self.hidden),
            second: linear(self.hidden, self.action),
            predictor,
            stride: self.stride,
            rounds: self.rounds,
            static_dim,
        }
    }
}

impl Options for LevelConfig {
    fn validate(&self) -> Result<(), String> {
        check("stride", self.stride as f64).at_least(2.0)?.done()?;
        positive("action", self.action)?;
        positive("hidden", self.hidden)?;
        positive("rounds", self.rounds)
    }
}
