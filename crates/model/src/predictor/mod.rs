//! Predictors in latent space: of the next latent given an action, and of hidden tokens given visible ones.

mod gru;
mod masked;
mod residual;
mod tasks;
mod transformer;

use burn::module::Module;
use burn::nn::LayerNorm;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use gru::{Gru, GruConfig};
pub use masked::{MaskedPredictor, MaskedPredictorConfig};
pub use residual::{ResidualMlp, ResidualMlpConfig};
pub use transformer::{ActionTransformer, ActionTransformerConfig, TimePositions};

/// Which action-conditioned predictor; the key `kind` chooses `gru` (default), `residual-mlp` or `transformer`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ActionPredictorConfig {
    /// A gated recurrent unit whose hidden state is the latent.
    Gru(GruConfig),
    /// The latent plus an MLP of latent and action.
    ResidualMlp(ResidualMlpConfig),
    /// A causal transformer over frames, conditioned on actions by adaptive layer norm.
    Transformer(ActionTransformerConfig),
}

impl Default for ActionPredictorConfig {
    fn default() -> Self {
        Self::Gru(GruConfig {})
    }
}

impl ActionPredictorConfig {
    /// Builds the predictor for latents of length `dim` and actions of length `action_dim`.
    pub fn init(&self, dim: usize, action_dim: usize, device: &Device) -> ActionPredictor {
        match self {
            Self::Gru(config) => ActionPredictor::Gru(config.init(dim, action_dim, device)),
            Self::ResidualMlp(config) => ActionPredictor::ResidualMlp(config.init(dim, action_dim, device)),
            Self::Transformer(config) => ActionPredictor::Transformer(config.init(dim, action_dim, device)),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Gru(_) => Ok(()),
            Self::ResidualMlp(config) => config.validate(),
            Self::Transformer(config) => config.validate(),
        }
    }
}

/// A predictor of the next latent.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one value lives for the whole run
pub enum ActionPredictor {
    /// A gated recurrent unit whose hidden state is the latent.
    Gru(Gru),
    /// The latent plus an MLP of latent and action.
    ResidualMlp(ResidualMlp),
    /// A causal transformer over frames.
    Transformer(ActionTransformer),
}

impl ActionPredictor {
    /// Predicts `k` latents one after another. All but the residual step pass each through `norm`, the encoder's output norm,
    /// before it is used again.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`
    /// - actions: `[batch, h - 1 + k, action]`
    /// - output: `[batch, k, dim]`
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>, norm: &LayerNorm) -> Tensor<3> {
        match self {
            Self::Gru(predictor) => predictor.rollout(start, actions, norm),
            Self::ResidualMlp(predictor) => predictor.rollout(start, actions),
            Self::Transformer(predictor) => predictor.rollout(start, actions, norm),
        }
    }

    /// Numbers in one action.
    pub fn action_dim(&self) -> usize {
        match self {
            Self::Gru(predictor) => predictor.weight_input.lazy_shape().dims::<2>()[0],
            Self::ResidualMlp(predictor) => predictor.action_dim(),
            Self::Transformer(predictor) => predictor.action_dim(),
        }
    }

    /// How many past latents the predictor can use.
    pub fn history(&self) -> usize {
        match self {
            Self::Gru(_) | Self::ResidualMlp(_) => 1,
            Self::Transformer(predictor) => predictor.history(),
        }
    }
}
