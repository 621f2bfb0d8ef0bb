//! Predictors in latent space: of the next latent given an action, and of hidden tokens given visible ones.

mod gru;
mod lewm;
mod masked;
mod residual;
mod residual_conv;
mod tasks;
mod transformer;
mod window;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::frame_encoder::FrameEncoder;
use crate::layers::LayerNorm;

pub use gru::{Gru, GruConfig};
pub use lewm::{ActionEmbedding, Lewm, LewmConfig};
pub use masked::{MaskedPredictor, MaskedPredictorConfig};
pub use residual::{ResidualMlp, ResidualMlpConfig};
pub use residual_conv::{ResidualConv, ResidualConvConfig};
pub use transformer::{ActionTransformer, ActionTransformerConfig, TimePositions};

/// Which action-conditioned predictor; the key `kind` chooses `gru` (default), `residual-mlp`, `residual-conv`,
/// `transformer` or `lewm`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ActionPredictorConfig {
    /// A gated recurrent unit whose hidden state is the latent.
    Gru(GruConfig),
    /// The latent plus an MLP of latent and action.
    ResidualMlp(ResidualMlpConfig),
    /// A grid of tokens plus an MLP of every neighbourhood and the action.
    ResidualConv(ResidualConvConfig),
    /// A causal transformer over frames, conditioned on actions by adaptive layer norm.
    Transformer(ActionTransformerConfig),
    /// LeWM's transformer: as wide as a latent, with a norm more in each part of a block and a projector of its own.
    Lewm(LewmConfig),
}

impl Default for ActionPredictorConfig {
    fn default() -> Self {
        Self::Gru(GruConfig {})
    }
}

impl ActionPredictorConfig {
    /// Builds the predictor of the latents of `encoder`, beside static latents of `static_dim` numbers on the same grid, for actions
    /// of length `action_dim`.
    pub fn init(
        &self,
        encoder: &FrameEncoder,
        static_dim: usize,
        action_dim: usize,
        device: &Device,
    ) -> ActionPredictor {
        // All but the convolution see the static latent as a part of the action.
        let (dim, inputs) = (encoder.dim(), action_dim + static_dim);
        match self {
            Self::Gru(config) => ActionPredictor::Gru(config.init(dim, inputs, device)),
            Self::ResidualMlp(config) => ActionPredictor::ResidualMlp(config.init(dim, inputs, device)),
            Self::ResidualConv(config) => {
                ActionPredictor::ResidualConv(config.init(encoder.grid(), dim, static_dim, action_dim, device))
            }
            Self::Transformer(config) => ActionPredictor::Transformer(config.init(dim, inputs, device)),
            Self::Lewm(config) => ActionPredictor::Lewm(config.init(dim, inputs, device)),
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
            Self::ResidualConv(config) => config.validate(),
            Self::Transformer(config) => config.validate(),
            Self::Lewm(config) => config.validate(),
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
    /// A grid of tokens plus an MLP of every neighbourhood and the action.
    ResidualConv(ResidualConv),
    /// A causal transformer over frames.
    Transformer(ActionTransformer),
    /// LeWM's transformer.
    Lewm(Lewm),
}

impl ActionPredictor {
    /// Predicts `k` latents one after another. The GRU and the transformer pass each through `norm`, the encoder's output norm,
    /// before it is used again.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`
    /// - actions: `[batch, h - 1 + k, action]`
    /// - place: `[batch, static_dim]`, the static latent, if there is one
    /// - output: `[batch, k, dim]`
    ///
    /// # Panics
    /// If the predictor needs a norm and there is none: `ActionJepaConfig::validate` refuses such a model.
    pub fn rollout(
        &self,
        start: Tensor<3>,
        actions: Tensor<3>,
        place: Option<Tensor<2>>,
        norm: Option<&LayerNorm>,
    ) -> Tensor<3> {
        let norm = || norm.expect("this predictor needs an encoder that ends in a norm");
        match self {
            Self::Gru(predictor) => predictor.rollout(start, beside(actions, place), norm()),
            Self::ResidualMlp(predictor) => predictor.rollout(start, beside(actions, place)),
            Self::ResidualConv(predictor) => predictor.rollout(start, actions, place),
            Self::Transformer(predictor) => predictor.rollout(start, beside(actions, place), norm()),
            Self::Lewm(predictor) => predictor.rollout(start, beside(actions, place)),
        }
    }

    /// Numbers in one action, of a predictor that was built for static latents of `static_dim` numbers.
    pub fn action_dim(&self, static_dim: usize) -> usize {
        match self {
            Self::Gru(predictor) => predictor.weight_input.lazy_shape().dims::<2>()[0] - static_dim,
            Self::ResidualMlp(predictor) => predictor.action_dim() - static_dim,
            Self::ResidualConv(predictor) => predictor.action_dim(),
            Self::Transformer(predictor) => predictor.action_dim() - static_dim,
            Self::Lewm(predictor) => predictor.action_dim() - static_dim,
        }
    }

    /// Whether what it answers for a row depends on the others while it is on the tape.
    pub(crate) fn has_batch_norm(&self) -> bool {
        matches!(self, Self::Lewm(_))
    }

    /// How many past latents the predictor can use.
    pub fn history(&self) -> usize {
        match self {
            Self::Gru(_) | Self::ResidualMlp(_) | Self::ResidualConv(_) => 1,
            Self::Transformer(predictor) => predictor.history(),
            Self::Lewm(predictor) => predictor.history(),
        }
    }
}

/// Every action with the static latent behind it.
///
/// # Shapes
/// - actions: `[batch, steps, action]`
/// - place: `[batch, static_dim]`
/// - output: `[batch, steps, action + static_dim]`
fn beside(actions: Tensor<3>, place: Option<Tensor<2>>) -> Tensor<3> {
    let Some(place) = place else { return actions };
    let ([batch, steps, _], [_, dim]) = (actions.dims(), place.dims());
    Tensor::cat(vec![actions, place.reshape([batch, 1, dim]).expand([batch, steps, dim])], 2)
}
