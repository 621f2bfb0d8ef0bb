//! A vision transformer over the patches of one frame, mean-pooled to one latent; or its class token is the latent.

use crate::Pixels;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrameShape;
use crate::initialisation::TRANSFORMER_EPSILON;
use crate::layers::{Activation as Kernel, LayerNorm, NORM_EPSILON, linear};
use crate::projector::Projector;
use crate::video_vit::{PositionKind, VideoVit, VideoVitConfig};
use prevision_core::config::check::{ensure, positive};

/// What a frame is told by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FramePool {
    /// The mean of its tokens.
    #[default]
    Mean,
    /// A learned token that stands for the whole (ViT's CLS).
    Class,
}

/// Configuration of a [`FrameVit`] encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FrameVitConfig {
    /// Side of a patch in pixels; must divide the frame. Default 8.
    pub patch: usize,
    /// Width of a token. Default 192.
    pub width: usize,
    /// Number of blocks. Default 6.
    pub depth: usize,
    /// Attention heads; must divide the width. Default 3.
    pub heads: usize,
    /// Hidden width of a block's MLP over its width. Default 4.
    pub mlp_ratio: f64,
    /// How tokens know their place. Default `sin-cos`.
    pub positions: PositionKind,
    /// Side of the grid of tokens that learned positions are of. Default 16.
    pub position_side: usize,
    /// What layer norms add to the variance. Default 1e-6.
    pub epsilon: f64,
    /// What a frame is told by. Default `mean`.
    pub pool: FramePool,
    /// Hidden units of an MLP with batch norm that makes the latent, as LeWM's. Unset: a linear layer and a layer norm.
    pub projector: Option<usize>,
    /// Length of a latent vector; with a projector it must be `width`. Default 256.
    pub dim: usize,
}

impl Default for FrameVitConfig {
    fn default() -> Self {
        Self {
            patch: 8,
            width: 192,
            depth: 6,
            heads: 3,
            mlp_ratio: 4.0,
            positions: PositionKind::SinCos,
            position_side: 16,
            epsilon: TRANSFORMER_EPSILON,
            pool: FramePool::Mean,
            projector: None,
            dim: 256,
        }
    }
}

impl FrameVitConfig {
    /// Builds the encoder for frames of this shape.
    pub fn init(&self, input: FrameShape, device: &Device) -> FrameVit {
        let plain = self.projector.is_none();
        FrameVit {
            tokens: self.tokens().init(input.channels, device),
            projection: plain.then(|| LinearConfig::new(self.width, self.dim).init(device)),
            norm: plain.then(|| LayerNorm::new(self.dim, NORM_EPSILON, device)),
            projector: self.projector.map(|hidden| Projector::new(self.width, hidden, device)),
        }
    }

    fn tokens(&self) -> VideoVitConfig {
        VideoVitConfig {
            dim: self.width,
            depth: self.depth,
            heads: self.heads,
            mlp_ratio: self.mlp_ratio,
            patch: self.patch,
            tubelet: 1,
            positions: self.positions,
            position_side: self.position_side,
            class_token: self.pool == FramePool::Class,
            epsilon: self.epsilon,
            ..VideoVitConfig::default()
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("dim", self.dim)?;
        positive("width", self.width)?;
        if let Some(hidden) = self.projector {
            positive("projector", hidden)?;
            let allowed = format!("{}, the width, with a projector", self.width);
            ensure(self.dim == self.width, "dim", self.dim, &allowed)?;
        }
        self.tokens().validate().map_err(|message| message.replace("dim", "width"))
    }
}

/// Patch tokens through transformer blocks, mean over tokens or class token, then linear and layer norm, or a projector.
#[derive(Module, Debug)]
pub struct FrameVit {
    /// The transformer.
    pub tokens: VideoVit,
    projection: Option<Linear>,
    /// The norm at the output; `None` with a projector.
    pub norm: Option<LayerNorm>,
    /// What makes the latent instead of projection and norm.
    pub projector: Option<Projector>,
}

impl FrameVit {
    /// Of a transformer with a class token, and a projector behind it.
    pub fn with_projector(tokens: VideoVit, projector: Projector) -> Self {
        Self { tokens, projection: None, norm: None, projector: Some(projector) }
    }

    /// Length of a latent.
    pub fn dim(&self) -> usize {
        match (&self.norm, &self.projector) {
            (Some(norm), _) => norm.gamma.lazy_shape().dims::<1>()[0],
            (None, Some(projector)) => projector.dim(),
            (None, None) => self.tokens.norm.gamma.lazy_shape().dims::<1>()[0],
        }
    }

    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, dim]`
    pub fn forward(&self, video: Pixels) -> Tensor<2> {
        let video = video.single_frames();
        let pooled: Tensor<2> = match self.tokens.class_only(video.clone(), None) {
            Some(class) => class,
            None => self.tokens.forward(video, None).mean_dim(1).squeeze_dim(1),
        };
        let latents = match &self.projection {
            Some(layer) => linear(layer, pooled, Kernel::Identity),
            None => pooled,
        };
        match (&self.norm, &self.projector) {
            (Some(norm), _) => norm.forward(latents),
            (None, Some(projector)) => projector.forward(latents),
            (None, None) => latents,
        }
    }
}
