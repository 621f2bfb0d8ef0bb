//! The encoder: tubelets, positions, blocks, norm.

use crate::Pixels;
use burn::module::{Initializer, Module, Param};
use burn::tensor::{Device, Int, Tensor, assert_shape};
use prevision_core::Camera;
use prevision_kernels::{Mask, Rotation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rope;
use super::sin_cos::sin_cos_table;
use super::{AttentionKind, Block, BlockConfig, LearnedPositions, PositionKind, TubeletEmbed};
use crate::initialisation::{TRANSFORMER_EPSILON, TRANSFORMER_STD};
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
    /// Which tokens a token sees. Default `full`.
    pub attention: AttentionKind,
    /// How tokens know their place. Default `rope-tiled`, as V-JEPA 2's released weights.
    pub positions: PositionKind,
    /// Side of the grid of tokens that learned positions are of. Default 16.
    pub position_side: usize,
    /// Whether a learned token that stands for the whole goes before those of the tubelets (ViT's CLS). Default false.
    pub class_token: bool,
    /// Learned tokens between the class token and those of the tubelets (Darcet et al. 2024, "Vision Transformers Need Registers").
    /// Default 0.
    pub registers: usize,
    /// Whether half of an MLP's hidden layer gates the other half (`SwiGLU`). Default false.
    pub gated: bool,
    /// Whether each residual branch is scaled by learned numbers (`LayerScale`). Default false.
    pub layer_scale: bool,
    /// What layer norms add to the variance. Default 1e-6.
    pub epsilon: f64,
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
            attention: AttentionKind::Full,
            positions: PositionKind::RopeTiled,
            position_side: 16,
            class_token: false,
            registers: 0,
            gated: false,
            layer_scale: false,
            epsilon: TRANSFORMER_EPSILON,
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
        let tokens = |count: usize| {
            let initial = Initializer::Normal { mean: 0.0, std: TRANSFORMER_STD };
            (count > 0).then(|| initial.init([count, self.dim], device))
        };
        let learned = self.positions == PositionKind::Learned;
        VideoVit {
            tubelet_embed: TubeletEmbed::new(channels, self.dim, self.tubelet, self.patch, device),
            learned: learned.then(|| {
                let (side, antialias) = (self.position_side, self.registers > 0);
                LearnedPositions::new(side, self.class_token, antialias, self.dim, device)
            }),
            class: tokens(usize::from(self.class_token)),
            registers: tokens(self.registers),
            blocks: (1..=self.depth).map(|layer| self.block().init(layer, device)).collect(),
            norm: LayerNorm::new(self.dim, self.epsilon, device),
            positions: self.positions,
            attention: self.attention,
            head_dim: self.dim / self.heads,
        }
    }

    fn block(&self) -> BlockConfig {
        BlockConfig {
            gated: self.gated,
            layer_scale: self.layer_scale,
            epsilon: self.epsilon,
            ..BlockConfig::plain(self.dim, self.heads, self.mlp_ratio)
        }
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
        ensure(self.epsilon > 0.0 && self.epsilon.is_finite(), "epsilon", self.epsilon, "above 0")?;
        positive("position_side", self.position_side)?;
        let full = self.attention == AttentionKind::Full;
        ensure(full || self.registers == 0, "registers", self.registers, "0 where attention is not \"full\"")?;
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
        PositionKind::Learned => Ok(()),
        PositionKind::SinCos => ensure(dim.is_multiple_of(2), key, dim, "even for sin-cos positions"),
        PositionKind::Rope | PositionKind::RopeTiled | PositionKind::RopeScaled => {
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
    /// Positions that are learned.
    pub learned: Option<LearnedPositions>,
    /// The class token, `[1, dim]`.
    pub class: Option<Param<Tensor<2>>>,
    /// `[registers, dim]`
    pub registers: Option<Param<Tensor<2>>>,
    /// Pre-norm transformer blocks.
    pub blocks: Vec<Block>,
    /// Norm after the last block.
    pub norm: LayerNorm,
    #[module(skip)]
    positions: PositionKind,
    #[module(skip)]
    attention: AttentionKind,
    head_dim: usize,
}

/// What goes into the first block of a [`VideoVit`].
struct Start {
    /// `[batch, n + others, dim]`
    tokens: Tensor<3>,
    /// How many of them are no tubelets': the class token and the registers.
    others: usize,
    /// Whether those are the last ones; else they are the first ones.
    behind: bool,
    mask: Mask,
    rotation: Option<Rotation>,
}

/// What an encoder says of a clip.
#[derive(Clone, Debug)]
pub struct Features {
    /// The class token, if there is one, then the registers, `[batch, class + registers, dim]`; `None` if there are neither.
    pub prefix: Option<Tensor<3>>,
    /// Those of the tubelets, `[batch, n, dim]`.
    pub tokens: Tensor<3>,
}

impl VideoVit {
    /// Encodes the tokens listed in `keep`, or all. Of the others nothing is read or computed.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - keep: `[batch, n]` token ids; ascending where attention is not full
    /// - output: `[batch, n, dim]`, in the order of `keep`; all tokens when `keep` is `None`
    ///
    /// # Panics
    /// If an axis is not a multiple of the tubelet, or an id is outside the grid.
    pub fn forward(&self, video: impl Into<Pixels>, keep: Option<&TokenIds>) -> Tensor<3> {
        self.features(video, keep, &[self.blocks.len()]).remove(0).tokens
    }

    /// As [`forward`](Self::forward), after each of these numbers of blocks, in ascending order. The last norm is applied to all of them, as
    /// V-JEPA 2 and `DINOv2` do.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward), a result for each entry of `layers`.
    ///
    /// # Panics
    /// As [`forward`](Self::forward), or if there are not so many blocks.
    pub fn features(&self, video: impl Into<Pixels>, keep: Option<&TokenIds>, layers: &[usize]) -> Vec<Features> {
        let Start { mut tokens, others, behind, mask, rotation } = self.start(video.into(), keep);
        let count = tokens.dims()[1] - others;
        let (first, other) = if behind { (0, count) } else { (others, 0) };
        let last = layers.last().copied().unwrap_or_default();
        assert!(layers.is_sorted() && last <= self.blocks.len(), "layers {layers:?} of {}", self.blocks.len());
        let mut found = Vec::with_capacity(layers.len());
        for layer in 0..=last {
            for _ in layers.iter().filter(|wanted| **wanted == layer) {
                let normed = self.norm.forward(tokens.clone());
                found.push(Features {
                    prefix: (others > 0).then(|| normed.clone().narrow(1, other, others)),
                    tokens: if others > 0 { normed.narrow(1, first, count) } else { normed },
                });
            }
            if let Some(block) = self.blocks.get(layer).filter(|_| layer < last) {
                tokens = block.forward_masked(tokens, &mask, rotation.as_ref());
            }
        }
        found
    }

    /// The class token of each clip alone, `[batch, dim]`, `None` if there is none: behind the last attention nothing is computed of the
    /// others.
    ///
    /// # Shapes
    /// - video: `[batch, channels, time, height, width]`
    /// - keep: `[batch, n]` token ids, as for [`forward`](Self::forward)
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn class_only(&self, video: impl Into<Pixels>, keep: Option<&TokenIds>) -> Option<Tensor<2>> {
        self.class.as_ref()?;
        let (last, before) = self.blocks.split_last()?;
        let Start { tokens, behind, mask, rotation, .. } = self.start(video.into(), keep);
        let forward = |tokens, block: &Block| block.forward_masked(tokens, &mask, rotation.as_ref());
        let tokens = before.iter().fold(tokens, forward);
        // In front it is the very first token, before registers; behind it is the last, where there are no registers.
        let class = if behind { tokens.dims()[1] - 1 } else { 0 };
        Some(self.norm.forward(last.forward_one(tokens, class, rotation.as_ref())).squeeze_dim(1))
    }

    /// What goes into the first block.
    fn start(&self, video: Pixels, keep: Option<&TokenIds>) -> Start {
        let grid = self.tubelet_embed.grid(video.dims());
        let device = video.device();
        let tokens = self.placed(self.tubelet_embed.forward(video, keep), grid, keep);
        let [batch, count, _] = tokens.dims();
        let others = self.others(batch);
        let other_count = others.as_ref().map_or(0, |others| others.dims()[1]);
        // The class token goes last where only it sees all: every token sees the first ones up to a number.
        let behind = self.attention != AttentionKind::Full;
        let block = grid[1] * grid[2];
        let mask = match (self.attention, keep) {
            (AttentionKind::Full, _) => Mask::Full,
            (AttentionKind::BlockCausal, None) => Mask::BlockCausal(block),
            (kind, keep) => {
                let all = || Tensor::arange(0..(grid[0] * block) as i64, &device).unsqueeze_dim(0);
                let [earlier, end] = bounds_of_tubelets(keep.map_or_else(all, Clone::clone), block);
                let first = if kind == AttentionKind::Tubelet { earlier } else { earlier.zeros_like() };
                let rows = first.dims()[0];
                let sees_all = |bound: usize| Tensor::full([rows, other_count], bound as f32, &device);
                let bounds = [(first, 0), (end, count + other_count)].map(|(kept, bound)| match other_count {
                    0 => kept,
                    _ => Tensor::cat(vec![kept, sees_all(bound)], 1),
                });
                Mask::Between(Tensor::stack(bounds.to_vec(), 2))
            }
        };
        let rotation = rope::for_kind(self.positions, keep, grid, self.head_dim, &device);
        let rotation = match rotation {
            Some(rotation) if other_count > 0 => Some(rope::with_still(rotation, other_count, behind)),
            rotation => rotation,
        };
        let tokens = match others {
            Some(others) => Tensor::cat(if behind { vec![tokens, others] } else { vec![others, tokens] }, 1),
            None => tokens,
        };
        Start { tokens, others: other_count, behind, mask, rotation }
    }

    /// Adds to tokens what is added for their places.
    fn placed(&self, tokens: Tensor<3>, grid: [usize; 3], keep: Option<&TokenIds>) -> Tensor<3> {
        let [batch, _, dim] = tokens.dims();
        if let Some(ids) = keep {
            assert_shape!(ids, [batch, _]);
        }
        let [time, rows, columns] = grid;
        let table = match &self.learned {
            Some(learned) => learned.of_grid([rows, columns]).repeat_dim(0, time),
            None if self.positions == PositionKind::SinCos => sin_cos_table(grid, dim, &tokens.device()),
            None => return tokens,
        };
        tokens
            + match keep {
                Some(ids) => table.select(0, ids.clone().flatten(0, 1)).reshape([batch, ids.dims()[1], dim]),
                None => table.unsqueeze_dim(0),
            }
    }

    /// The tokens that are no tubelets', `[batch, class + registers, dim]`.
    fn others(&self, batch: usize) -> Option<Tensor<3>> {
        let class = self.class.as_ref().map(|class| match self.learned.as_ref().and_then(LearnedPositions::class) {
            Some(position) => class.val() + position,
            None => class.val(),
        });
        let tokens: Vec<Tensor<2>> = class.into_iter().chain(self.registers.as_ref().map(Param::val)).collect();
        let tokens = (!tokens.is_empty()).then(|| Tensor::cat(tokens, 0))?;
        let [count, dim] = tokens.dims();
        Some(tokens.unsqueeze_dim::<3>(0).expand([batch, count, dim]))
    }
}

/// How many of the tokens `ids` are of earlier tubelets than each, and how many of earlier ones or its own. They are in ascending order.
///
/// # Shapes
/// - ids, both outputs: `[batch, n]`
/// - block: tokens of a whole tubelet
fn bounds_of_tubelets(ids: TokenIds, block: usize) -> [Tensor<2>; 2] {
    let [batch, count] = ids.dims();
    let tubelet = ids.div_scalar(block as i64);
    let own: Tensor<3, Int> = tubelet.clone().unsqueeze_dim::<3>(2).expand([batch, count, count]);
    let other: Tensor<3, Int> = tubelet.unsqueeze_dim::<3>(1).expand([batch, count, count]);
    [other.clone().lower(own.clone()), other.lower_equal(own)].map(|of| of.float().sum_dim(2).squeeze_dim(2))
}
