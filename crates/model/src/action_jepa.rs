//! The action-conditioned model: frames to latents, latents and actions to the next latents.

use burn::module::Module;
use burn::tensor::{Tensor, assert_shape};

use crate::frame_encoder::FrameEncoder;
use crate::heads::Heads;
use crate::predictor::ActionPredictor;
use crate::target::blend;

/// Encoder, optional momentum target, predictor and heads. Built by [`crate::ActionJepaConfig::init`].
///
/// Predictions of the GRU and the transformer pass through the encoder's own output norm (as in `eb_jepa`, where predictor and encoder share that module), so
/// that predictions live where encodings live; the norm's parameters belong to the encoder and are counted once.
#[derive(Module, Debug)]
pub struct ActionJepa {
    /// The context encoder.
    pub encoder: FrameEncoder,
    /// The momentum copy that makes prediction targets; `None` when weights are shared.
    pub target: Option<FrameEncoder>,
    /// The predictor of the next latent.
    pub predictor: ActionPredictor,
    /// Heads trained beside the predictor.
    pub heads: Heads,
}

impl ActionJepa {
    /// Encodes every frame with the context encoder.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, time, dim]`
    pub fn encode(&self, video: Tensor<5>) -> Tensor<3> {
        self.encoder.forward(video)
    }

    /// Encodes every frame with the target encoder: the momentum copy, off the tape, when there is one; else the context encoder.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, time, dim]`
    pub fn encode_target(&self, video: Tensor<5>) -> Tensor<3> {
        match &self.target {
            Some(target) => target.forward(video.without_autodiff()).detach(),
            None => self.encode(video),
        }
    }

    /// Predicts `k` latents, each from the ones before and the action between.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`, consecutive latents, the last one is the present
    /// - actions: `[batch, h - 1 + k, action]`; action `i` leaves latent `i`
    /// - output: `[batch, k, dim]`, the latents after the present
    ///
    /// # Panics
    /// If batch sizes differ or there are fewer than `h` actions.
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>) -> Tensor<3> {
        let [batch, history, _] = start.dims();
        let [_, steps, _] = actions.dims();
        assert_shape!(actions, [batch, _, _]);
        assert!(
            steps >= history,
            "rollout: start {:?} needs at least {history} actions, got {:?}",
            start.dims(),
            actions.dims()
        );
        self.predictor.rollout(start, actions, self.encoder.norm())
    }

    /// Length of a latent vector.
    pub fn latent_dim(&self) -> usize {
        self.encoder.dim()
    }

    /// Numbers in one action of the predictor; a multiple of the environment's when frames are stepped over.
    pub fn action_dim(&self) -> usize {
        self.predictor.action_dim()
    }

    /// How many past latents the predictor can use.
    pub fn history(&self) -> usize {
        self.predictor.history()
    }

    /// Moves the target encoder: `target = momentum * target + (1 - momentum) * context`. Nothing happens when weights are shared.
    #[must_use]
    pub fn update_target(mut self, momentum: f64) -> Self {
        self.target = self.target.map(|target| blend(target, &self.encoder, momentum));
        self
    }
}
