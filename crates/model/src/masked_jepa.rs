//! The masked model (V-JEPA): visible tubelets to latents, and from them the latents of hidden tubelets.

use crate::Pixels;
use burn::module::Module;
use burn::tensor::Tensor;

use crate::masks::{MaskPair, token_ids};
use crate::predictor::MaskedPredictor;
use crate::target_encoder::blend;
use crate::video_vit::VideoVit;

/// Context encoder, momentum target and predictor. Built by [`crate::MaskedJepaConfig::init`].
///
/// Source: Bardes et al. 2024, "Revisiting Feature Prediction for Learning Visual Representations from Video"; Assran et al. 2025,
/// "V-JEPA 2".
#[derive(Module, Debug)]
pub struct MaskedJepa {
    /// Encodes the visible tokens.
    pub encoder: VideoVit,
    /// Encodes the whole clip, off the tape.
    pub target: VideoVit,
    /// Predicts hidden tokens from visible ones.
    pub predictor: MaskedPredictor,
}

impl MaskedJepa {
    /// Encodes the context tokens of one mask with the context encoder.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - mask: `batch` lists of `n` context ids
    /// - output: `[batch, n, dim]`
    pub fn encode_context(&self, video: impl Into<Pixels>, mask: &MaskPair) -> Tensor<3> {
        let video = video.into();
        let ids = token_ids(&mask.context, &video.device());
        self.encoder.forward(video, Some(&ids))
    }

    /// Predicts the target tokens of one mask from its encoded context tokens.
    ///
    /// # Shapes
    /// - context: `[batch, n, dim]`, from [`MaskedJepa::encode_context`]
    /// - mask: `batch` lists of `n` context ids and of `m` target ids
    /// - output: `[batch, m, dim]`
    pub fn predict(&self, context: Tensor<3>, mask: &MaskPair) -> Tensor<3> {
        let device = context.device();
        let context_ids = token_ids(&mask.context, &device);
        let target_ids = token_ids(&mask.target, &device);
        let carried = self.predictor.carried_ids(mask, &device);
        self.predictor.forward(context, &context_ids, &target_ids, carried.as_ref())
    }

    /// Encodes all tokens with the target encoder, off the tape.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, tokens, dim]`
    pub fn targets(&self, video: impl Into<Pixels>) -> Tensor<3> {
        self.target.forward(video.into().without_autodiff(), None).detach()
    }

    /// Encodes all tokens with the context encoder.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch, tokens, dim]`
    pub fn encode(&self, video: impl Into<Pixels>) -> Tensor<3> {
        self.encoder.forward(video, None)
    }

    /// Moves the target encoder: `target = momentum * target + (1 - momentum) * context`.
    #[must_use]
    pub fn update_target(mut self, momentum: f64) -> Self {
        self.target = blend(self.target, &self.encoder, momentum);
        self
    }
}
