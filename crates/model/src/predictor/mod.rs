//! Predictors in latent space: of the next latent given an action, and of hidden tokens given visible ones.

mod block_causal;
mod gru;
mod lewm;
mod masked;
mod moments;
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

pub use block_causal::{BlockCausal, BlockCausalConfig, BlockCausalInput, Conditioning};
pub use gru::{Gru, GruConfig};
pub use lewm::{ActionEmbedding, Lewm, LewmConfig};
pub use masked::{MaskedPredictor, MaskedPredictorConfig};
pub use moments::Moments;
pub use residual::{ResidualMlp, ResidualMlpConfig};
pub use residual_conv::{ResidualConv, ResidualConvConfig};
pub use transformer::{ActionTransformer, ActionTransformerConfig, TimePositions};

/// Which action-conditioned predictor; the key `kind` chooses `gru` (default), `residual-mlp`, `residual-conv`,
/// `transformer`, `block-causal` or `lewm`.
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
    /// A transformer over the tokens of frames, each of which sees its frame and those before it.
    BlockCausal(BlockCausalConfig),
    /// LeWM's transformer: as wide as a latent, with a norm more in each part of a block and a projector of its own.
    Lewm(LewmConfig),
}

impl Default for ActionPredictorConfig {
    fn default() -> Self {
        Self::Gru(GruConfig {})
    }
}

impl ActionPredictorConfig {
    /// Builds the predictor of the latents of `encoder`, beside static latents of `static_dim` numbers on the same grid and so many numbers
    /// of proprioception, for actions of length `action_dim`.
    pub fn init(
        &self,
        encoder: &FrameEncoder,
        static_dim: usize,
        proprioception: usize,
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
            Self::BlockCausal(config) => {
                let (grid, normalise) = (encoder.grid(), encoder.normalises());
                let input = BlockCausalInput { grid, dim, action: action_dim, proprioception, normalise };
                ActionPredictor::BlockCausal(config.init(input, device))
            }
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
            Self::BlockCausal(config) => config.validate(),
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
    /// A transformer over the tokens of frames.
    BlockCausal(BlockCausal),
    /// LeWM's transformer.
    Lewm(Lewm),
}

impl ActionPredictor {
    /// Predicts `k` moments one after another. The GRU and the transformer over frames pass each latent through `norm`, the encoder's output
    /// norm, before it is used again. Proprioception is predicted by those that were built for it.
    ///
    /// # Shapes
    /// - start: `h` moments
    /// - actions: `[batch, h - 1 + k, action]`
    /// - place: `[batch, static_dim]`, the static latent, if there is one
    /// - output: `k` moments
    ///
    /// # Panics
    /// If the predictor needs a norm and there is none: `ActionJepaConfig::validate` refuses such a model.
    pub fn rollout(
        &self,
        start: Moments,
        actions: Tensor<3>,
        place: Option<Tensor<2>>,
        norm: Option<&LayerNorm>,
    ) -> Moments {
        let norm = || norm.expect(NEEDS_NORM);
        let Moments { latents, .. } = start.clone();
        Moments::of_latents(match self {
            Self::Gru(predictor) => predictor.rollout(latents, beside(actions, place), norm()),
            Self::ResidualMlp(predictor) => predictor.rollout(latents, beside(actions, place)),
            Self::ResidualConv(predictor) => predictor.rollout(latents, actions, place),
            Self::Transformer(predictor) => predictor.rollout(latents, beside(actions, place), norm()),
            Self::Lewm(predictor) => predictor.rollout(latents, beside(actions, place)),
            Self::BlockCausal(predictor) => return predictor.rollout(start, actions),
        })
    }

    /// Predicts what follows each of `t` consecutive moments: teacher forcing. A predictor with a history sees those before it too, in windows
    /// of that length, one behind the other.
    ///
    /// # Shapes
    /// - moments: `t`
    /// - actions: `[batch, t, action]`
    /// - place: `[batch, static_dim]`, the static latent, if there is one
    /// - output: `t` moments
    ///
    /// # Panics
    /// As [`rollout`](Self::rollout).
    pub fn one_step(
        &self,
        moments: &Moments,
        actions: Tensor<3>,
        place: Option<Tensor<2>>,
        norm: Option<&LayerNorm>,
    ) -> Moments {
        let [batch, time, dim] = moments.latents.dims();
        let in_windows = |actions: Tensor<3>, forward: &dyn Fn(Moments, Tensor<3>) -> Moments| {
            let windows = (0..time).step_by(self.history()).map(|first| {
                let count = self.history().min(time - first);
                forward(moments.narrow(first, count), actions.clone().narrow(1, first, count))
            });
            windows.reduce(Moments::then).expect("a moment at least")
        };
        match self {
            Self::Transformer(predictor) => in_windows(beside(actions, place), &|window, actions| {
                let next = predictor.forward(window.latents, actions);
                Moments::of_latents(norm.expect(NEEDS_NORM).forward(next))
            }),
            Self::Lewm(predictor) => in_windows(beside(actions, place), &|window, actions| {
                Moments::of_latents(predictor.forward(window.latents, actions))
            }),
            Self::BlockCausal(predictor) => in_windows(actions, &|window, actions| predictor.forward(&window, actions)),
            Self::Gru(_) | Self::ResidualMlp(_) | Self::ResidualConv(_) => {
                let [_, _, width] = actions.dims();
                let place = place.map(|place| {
                    let [_, fixed] = place.dims();
                    place.reshape([batch, 1, fixed]).expand([batch, time, fixed]).reshape([batch * time, fixed])
                });
                let each = Moments::of_latents(moments.latents.clone().reshape([batch * time, 1, dim]));
                let next = self.rollout(each, actions.reshape([batch * time, 1, width]), place, norm);
                Moments::of_latents(next.latents.reshape([batch, time, dim]))
            }
        }
    }

    /// Numbers in one action, of a predictor that was built for static latents of `static_dim` numbers.
    pub fn action_dim(&self, static_dim: usize) -> usize {
        match self {
            Self::Gru(predictor) => predictor.weight_input.lazy_shape().dims::<2>()[0] - static_dim,
            Self::ResidualMlp(predictor) => predictor.action_dim() - static_dim,
            Self::ResidualConv(predictor) => predictor.action_dim(),
            Self::Transformer(predictor) => predictor.action_dim() - static_dim,
            Self::BlockCausal(predictor) => predictor.action_dim(),
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
            Self::BlockCausal(predictor) => predictor.history(),
            Self::Lewm(predictor) => predictor.history(),
        }
    }
}

const NEEDS_NORM: &str = "this predictor needs an encoder that ends in a norm";

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
