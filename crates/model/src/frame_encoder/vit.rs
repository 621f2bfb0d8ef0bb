//! A vision transformer over the patches of one frame, mean-pooled to one latent.

use crate::Pixels;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrameShape;
use crate::layers::{Activation as Kernel, LayerNorm, NORM_EPSILON, linear};
use crate::video_vit::{PositionKind, VideoVit, VideoVitConfig};
use prevision_core::config::check::positive;

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
    /// Length of a latent vector. Default 256.
    pub dim: usize,
}

impl Default for FrameVitConfig {
    fn default() -> Self {
        Self { patch: 8, width: 192, depth: 6, heads: 3, mlp_ratio: 4.0, positions: PositionKind::SinCos, dim: 256 }
    }
}

impl FrameVitConfig {
    /// Builds the encoder for frames of this shape.
    pub fn init(&self, input: FrameShape, device: &Device) -> FrameVit {
        FrameVit {
            tokens: self.tokens().init(input.channels, device),
            projection: LinearConfig::new(self.width, self.dim).init(device),
            norm: LayerNorm::new(self.dim, NORM_EPSILON, device),
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
        self.tokens().validate().map_err(|message| message.replace("dim", "width"))
    }
}

/// Patch tokens through transformer blocks, mean over tokens, linear, layer norm.
#[derive(Module, Debug)]
pub struct FrameVit {
    tokens: VideoVit,
    projection: Linear,
    /// The norm at the output.
    pub norm: LayerNorm,
}

impl FrameVit {
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - output: `[batch * time, dim]`
    pub fn forward(&self, video: Pixels) -> Tensor<2> {
        let tokens = self.tokens.forward(video.single_frames(), None);
        let pooled: Tensor<2> = tokens.mean_dim(1).squeeze_dim(1);
        self.norm.forward(linear(&self.projection, pooled, Kernel::Identity))
    }
}
