//! The encoder: tubelets, positions, blocks, norm.

use crate::Pixels;
use burn::module::Module;
use burn::tensor::{Device, Tensor, assert_shape};
use prevision_core::Camera;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rope;
use super::sin_cos::sin_cos_table;
use super::{Block, BlockConfig, PositionKind, TubeletEmbed};
use crate::initialisation::transformer_norm;
use crate::layers::LayerNorm;
use crate::masks::TokenIds;
use prevision_core::config::check::{ensure, multiple_of, positive};

/// Configuration of a [`VideoVit`]. The default is small; [`VideoVitConfig::base`] and its like give the published sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VideoVitConfig {
    /// Width of a token. Default 192.
    pub dim: usize,
    /// Number of blocks. Default 12.
    pub depth: usize,
    /// Attention heads; must divide `dim`. Default 3.
    pub heads: usize,
    /// Hidden width of a block's MLP over `dim`. Default 4.
    pub mlp_ratio: f64,
    /// Side of a patch in pixels. Default 16.
    pub patch: usize,
    /// Frames in a tubelet. Default 2.
    pub tubelet: usize,
    /// How tokens know their place. Default `rope-tiled`, as V-JEPA 2's released weights.
    pub positions: PositionKind,
}

impl Default for VideoVitConfig {
    fn default() -> Self {
        Self {
            dim: 192,
            depth: 12,
            heads: 3,
            mlp_ratio: 4.0,
            patch: 16,
            tubelet: 2,
            positions: PositionKind::RopeTiled,
        }
    }
}

impl VideoVitConfig {
    fn sized(dim: usize, depth: usize, heads: usize, mlp_ratio: f64) -> Self {
        Self { dim, depth, heads, mlp_ratio, ..Self::default() }
    }

    /// ViT-B/16: 86,236,416 parameters.
    pub fn base() -> Self {
        Self::sized(768, 12, 12, 4.0)
    }

    /// ViT-L/16: 303,885,312 parameters.
    pub fn large() -> Self {
        Self::sized(1024, 24, 16, 4.0)
    }

    /// ViT-H/16: 631,648,000 parameters.
    pub fn huge() -> Self {
        Self::sized(1280, 32, 16, 4.0)
    }

    /// ViT-g/16 as released (`vit_giant_xformers`): 1,012,173,952 parameters.
    pub fn giant() -> Self {
        Self::sized(1408, 40, 22, 48.0 / 11.0)
    }

    /// Builds the encoder for clips with this many channels. Parameters are drawn at first use.
    pub fn init(&self, channels: usize, device: &Device) -> VideoVit {
        VideoVit {
            tubelet_embed: TubeletEmbed::new(channels, self.dim, self.tubelet, self.patch, device),
            blocks: (1..=self.depth).map(|layer| self.block().init(layer, device)).collect(),
            norm: transformer_norm(self.dim, device),
            positions: self.positions,
            head_dim: self.dim / self.heads,
        }
    }

    fn block(&self) -> BlockConfig {
        BlockConfig { dim: self.dim, heads: self.heads, mlp_ratio: self.mlp_ratio }
    }

    /// The token grid `[time, height, width]` of clips of so many frames of this camera.
    pub fn grid(&self, frames: usize, camera: Camera) -> [usize; 3] {
        [frames / self.tubelet, camera.height / self.patch, camera.width / self.patch]
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("heads", self.heads)?;
        positive("depth", self.depth)?;
        positive("patch", self.patch)?;
        positive("tubelet", self.tubelet)?;
        multiple_of("dim", self.dim, "heads", self.heads)?;
        ensure(self.mlp_ratio > 0.0 && self.mlp_ratio.is_finite(), "mlp_ratio", self.mlp_ratio, "above 0")?;
        check_positions("dim", self.positions, self.dim, self.heads)
    }

    /// Checks that clips of this shape split into whole tubelets.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate_input(&self, frames: usize, camera: Camera) -> Result<(), String> {
        multiple_of("frames of a clip", frames, "model.encoder.tubelet", self.tubelet)?;
        multiple_of("frame height", camera.height, "model.encoder.patch", self.patch)?;
        multiple_of("frame width", camera.width, "model.encoder.patch", self.patch)
    }
}

/// Rotary positions need room for one pair per axis in each head, and whole pairs.
pub(crate) fn check_positions(key: &str, positions: PositionKind, dim: usize, heads: usize) -> Result<(), String> {
    match positions {
        PositionKind::SinCos => ensure(dim.is_multiple_of(2), key, dim, "even for sin-cos positions"),
        PositionKind::Rope | PositionKind::RopeTiled => {
            let head_dim = dim / heads;
            let allowed = format!("such that {key} / heads ({head_dim}) is even and at least 6 for rotary positions");
            ensure(head_dim >= 6 && head_dim.is_multiple_of(2), key, dim, &allowed)
        }
    }
}

/// A transformer over tubelets. Tokens are in (time, height, width) order, width fastest.
#[derive(Module, Debug)]
pub struct VideoVit {
    /// Splits and projects the clip.
    pub tubelet_embed: TubeletEmbed,
    /// Pre-norm transformer blocks.
    pub blocks: Vec<Block>,
    /// Norm after the last block.
    pub norm: LayerNorm,
    #[module(skip)]
    positions: PositionKind,
    head_dim: usize,
}

impl VideoVit {
    /// Encodes the tokens listed in `keep`, or all. Of the others nothing is read or computed.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - keep: `[batch, n]` token ids
    /// - output: `[batch, n, dim]`, in the order of `keep`; all tokens when `keep` is `None`
    ///
    /// # Panics
    /// If an axis is not a multiple of the tubelet, or an id is outside the grid.
    pub fn forward(&self, video: impl Into<Pixels>, keep: Option<&TokenIds>) -> Tensor<3> {
        let video = video.into();
        let grid = self.tubelet_embed.grid(video.dims());
        let device = video.device();
        let mut tokens = self.tubelet_embed.forward(video, keep);
        let [batch, _, dim] = tokens.dims();
        if let Some(ids) = keep {
            assert_shape!(ids, [batch, _]);
        }
        if self.positions == PositionKind::SinCos {
            let table = sin_cos_table(grid, dim, &device);
            tokens = tokens
                + match keep {
                    Some(ids) => table.select(0, ids.clone().flatten(0, 1)).reshape([batch, ids.dims()[1], dim]),
                    None => table.unsqueeze_dim(0),
                };
        }
        let rotation = rope::for_kind(self.positions, keep, grid, self.head_dim, &device);
        for block in &self.blocks {
            tokens = block.forward(tokens, rotation.as_ref());
        }
        self.norm.forward(tokens)
    }
}
