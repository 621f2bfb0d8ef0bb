//! The action-conditioned model: frames to latents, latents and actions to the next latents.

use crate::Pixels;
use burn::module::Module;
use burn::tensor::{Tensor, assert_shape};

use crate::frame_encoder::FrameEncoder;
use crate::heads::Heads;
use crate::predictor::{ActionPredictor, Moments};
use crate::target_encoder::blend;

/// Encoder, optional momentum target, predictor and heads. Built by [`crate::ActionJepaConfig::init`].
///
/// Predictions of the GRU and the transformer pass through the encoder's own output norm (as in `eb_jepa`, where predictor and encoder share that module), so
/// that predictions live where encodings live; the norm's parameters belong to the encoder and are counted once.
#[derive(Module, Debug)]
pub struct ActionJepa {
    /// The context encoder: of what moves, when there is a static encoder; else of everything.
    pub encoder: FrameEncoder,
    /// The encoder of what stays while an episode lasts, as a floor plan does; its latent comes first.
    pub static_encoder: Option<FrameEncoder>,
    /// The momentum copy that makes prediction targets; `None` when weights are shared.
    pub target: Option<FrameEncoder>,
    /// The predictor of the next latent.
    pub predictor: ActionPredictor,
    /// Heads trained beside the predictor.
    pub heads: Heads,
    /// The vector stream that the predictor sees beside the latents, and predicts.
    #[module(skip)]
    pub proprioception: Option<String>,
}

impl ActionJepa {
    /// Encodes every frame with the context encoder.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, time, dim]`
    pub fn encode(&self, video: impl Into<Pixels>) -> Tensor<3> {
        let video = video.into();
        match &self.static_encoder {
            None => self.encoder.forward(video),
            Some(encoder) => Tensor::cat(vec![encoder.forward(video.clone()), self.encoder.forward(video)], 2),
        }
    }

    /// Encodes every frame of clips for training: as [`encode`](Self::encode), but the static part of all frames is that of the
    /// first, which costs less and must do for all.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, time, dim]`
    pub fn encode_clips(&self, video: impl Into<Pixels>) -> Tensor<3> {
        let video = video.into();
        let latents = self.encoder.forward(video.clone());
        self.with_static(video, latents)
    }

    /// Puts the static part of the first frame before the latents of all frames.
    fn with_static(&self, video: Pixels, latents: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = latents.dims();
        match &self.static_encoder {
            None => latents,
            Some(encoder) => {
                let place = encoder.forward(video.frames(0, 1)).expand([batch, time, encoder.dim()]);
                Tensor::cat(vec![place, latents], 2)
            }
        }
    }

    /// Encodes every frame with the target encoder: the momentum copy, off the tape, when there is one; else the context encoder.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, time, dim]`
    pub fn encode_target(&self, video: impl Into<Pixels>) -> Tensor<3> {
        let video = video.into();
        match &self.target {
            Some(target) => {
                let video = video.without_autodiff();
                let latents = target.forward(video.clone());
                self.with_static(video, latents).detach()
            }
            None => self.encode(video),
        }
    }

    /// Predicts `k` latents, each from the ones before and the action between, without proprioception.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`, consecutive latents, the last one is the present
    /// - actions: `[batch, h - 1 + k, action]`; action `i` leaves latent `i`
    /// - output: `[batch, k, dim]`, the latents after the present
    ///
    /// # Panics
    /// If batch sizes differ or there are fewer than `h` actions.
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>) -> Tensor<3> {
        self.rollout_moments(Moments::of_latents(start), actions).latents
    }

    /// Predicts `k` moments, each from the ones before and the action between.
    ///
    /// # Shapes
    /// - start: `h` consecutive moments, the last one is the present
    /// - actions: `[batch, h - 1 + k, action]`; action `i` leaves moment `i`
    /// - output: the `k` moments after the present
    ///
    /// # Panics
    /// If batch sizes differ or there are fewer than `h` actions.
    pub fn rollout_moments(&self, start: Moments, actions: Tensor<3>) -> Moments {
        let [batch, history, width] = start.latents.dims();
        let [_, steps, _] = actions.dims();
        assert_shape!(actions, [batch, _, _]);
        assert!(
            steps >= history,
            "rollout: start {:?} needs at least {history} actions, got {:?}",
            start.latents.dims(),
            actions.dims()
        );
        let fixed = self.static_dim();
        if fixed == 0 {
            return self.predictor.rollout(start, actions, None, self.encoder.norm());
        }
        // The static part of the present stays, and conditions every step.
        let place = start.latents.clone().narrow(1, history - 1, 1).narrow(2, 0, fixed);
        let rows = place.clone().reshape([batch, fixed]);
        let dynamic = Moments { latents: start.latents.narrow(2, fixed, width - fixed), ..start };
        let next = self.predictor.rollout(dynamic, actions, Some(rows), self.encoder.norm());
        let latents = Tensor::cat(vec![place.expand([batch, steps + 1 - history, fixed]), next.latents], 2);
        Moments { latents, ..next }
    }

    /// Predicts what follows each of `t` consecutive moments from it and, with a predictor that has a history, those before: teacher forcing.
    /// The static part of all is that of the first.
    ///
    /// # Shapes
    /// - moments: `t`
    /// - actions: `[batch, t, action]`
    /// - output: `t` moments
    pub fn one_step(&self, moments: &Moments, actions: Tensor<3>) -> Moments {
        let fixed = self.static_dim();
        if fixed == 0 {
            return self.predictor.one_step(moments, actions, None, self.encoder.norm());
        }
        let [batch, time, width] = moments.latents.dims();
        let place = moments.latents.clone().narrow(1, 0, 1).narrow(2, 0, fixed);
        let dynamic = Moments { latents: moments.latents.clone().narrow(2, fixed, width - fixed), ..moments.clone() };
        let rows = place.clone().reshape([batch, fixed]);
        let next = self.predictor.one_step(&dynamic, actions, Some(rows), self.encoder.norm());
        let latents = Tensor::cat(vec![place.expand([batch, time, fixed]), next.latents], 2);
        Moments { latents, ..next }
    }

    /// Length of a latent vector.
    pub fn latent_dim(&self) -> usize {
        self.static_dim() + self.encoder.dim()
    }

    /// How many leading numbers of a latent are its static part; 0 without a static encoder.
    pub fn static_dim(&self) -> usize {
        self.static_encoder.as_ref().map_or(0, FrameEncoder::dim)
    }

    /// Numbers in one action of the predictor; a multiple of the environment's when frames are stepped over.
    pub fn action_dim(&self) -> usize {
        self.predictor.action_dim(self.static_dim())
    }

    /// Whether what it answers for a row depends on the others while it is on the tape, as with batch norm.
    pub(crate) fn has_batch_norm(&self) -> bool {
        self.encoder.has_batch_norm() || self.predictor.has_batch_norm()
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
