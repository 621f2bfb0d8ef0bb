//! The predictor of hidden tokens (V-JEPA 2, `src/models/predictor.py`).

use burn::module::{Initializer, Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, assert_shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::initialisation::{TRANSFORMER_STD, normal_linear, transformer_norm};
use crate::layers::LayerNorm;
use crate::masks::{MaskPair, TokenIds, gather_tokens};
use crate::video_vit::rope;
use crate::video_vit::sin_cos::sin_cos_table;
use crate::video_vit::{Block, BlockConfig, PositionKind, VideoVitConfig};
use prevision_core::config::check::{ensure, multiple_of, positive};

/// Configuration of a [`MaskedPredictor`]. The default is V-JEPA 2's, the same for all encoder sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MaskedPredictorConfig {
    /// Width of a token. Default 384.
    pub width: usize,
    /// Number of blocks. Default 12.
    pub depth: usize,
    /// Attention heads; must divide `width`. Default 12.
    pub heads: usize,
    /// Hidden width of a block's MLP over `width`. Default 4.
    pub mlp_ratio: f64,
    /// Whether a hidden token's latent is predicted as a change, from the latent of the tubelet at its place that was visible last
    /// before it (or first after it); tokens whose place is hidden throughout are predicted from nothing. The latents of slow
    /// videos hardly differ from tubelet to tubelet: without this, a predictor spends its training on learning to copy. Default
    /// false, as upstream.
    pub residual: bool,
    /// Learned mask vectors. Only the first is trained here; released weights carry 10. Default 10.
    pub mask_tokens: usize,
}

impl Default for MaskedPredictorConfig {
    fn default() -> Self {
        Self { width: 384, depth: 12, heads: 12, mlp_ratio: 4.0, residual: false, mask_tokens: 10 }
    }
}

impl MaskedPredictorConfig {
    /// Builds the predictor for an encoder and its token grid `[time, height, width]`. Positions are of the encoder's kind.
    pub fn init(&self, encoder: &VideoVitConfig, grid: [usize; 3], device: &Device) -> MaskedPredictor {
        let block = BlockConfig::plain(self.width, self.heads, self.mlp_ratio);
        MaskedPredictor {
            embed: normal_linear(encoder.dim, self.width, TRANSFORMER_STD, device),
            mask_tokens: Initializer::Zeros.init([self.mask_tokens, self.width], device),
            blocks: (1..=self.depth).map(|layer| block.init(layer, device)).collect(),
            norm: transformer_norm(self.width, device),
            // A change starts at zero: before training the prediction is the copy.
            proj: normal_linear(self.width, encoder.dim, if self.residual { 0.0 } else { TRANSFORMER_STD }, device),
            carry: self.residual.then(|| transformer_norm(encoder.dim, device)),
            positions: match encoder.positions {
                PositionKind::RopeScaled => PositionKind::Rope,
                positions => positions,
            },
            grid,
            head_dim: self.width / self.heads,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("depth", self.depth)?;
        positive("heads", self.heads)?;
        positive("mask_tokens", self.mask_tokens)?;
        multiple_of("width", self.width, "heads", self.heads)?;
        ensure(self.mlp_ratio > 0.0 && self.mlp_ratio.is_finite(), "mlp_ratio", self.mlp_ratio, "above 0")
    }
}

/// Places a mask vector at every target position among the projected context tokens, mixes all by attention, and reads the latents of
/// the targets.
#[derive(Module, Debug)]
pub struct MaskedPredictor {
    /// Encoder width to predictor width.
    pub embed: Linear,
    /// `[mask_tokens, width]`
    pub mask_tokens: Param<Tensor<2>>,
    /// Pre-norm transformer blocks.
    pub blocks: Vec<Block>,
    /// Norm after the last block.
    pub norm: LayerNorm,
    /// Predictor width to encoder width.
    pub proj: Linear,
    /// Norm of the latents that predictions start from, when they are changes.
    pub carry: Option<LayerNorm>,
    #[module(skip)]
    positions: PositionKind,
    #[module(skip)]
    grid: [usize; 3],
    head_dim: usize,
}

impl MaskedPredictor {
    /// Where the predictions of a mask's target tokens start from, for [`MaskedPredictor::forward`]; `None` if they start from nothing.
    ///
    /// # Shapes
    /// - output: `[batch, m]`
    pub fn carried_ids(&self, mask: &MaskPair, device: &Device) -> Option<TokenIds> {
        self.carry.as_ref().map(|_| mask.carried_ids(self.grid[1] * self.grid[2], device))
    }

    /// The same predictor for clips with another token grid, `[time, height, width]`.
    #[must_use]
    pub fn with_grid(self, grid: [usize; 3]) -> Self {
        Self { grid, ..self }
    }

    /// Predicts the latents at `target_ids` with the first mask vector, the one that training uses.
    ///
    /// # Shapes
    /// - context: `[batch, n, dim]`, encoded context tokens
    /// - `context_ids`: `[batch, n]`
    /// - `target_ids`: `[batch, m]`
    /// - carried: `[batch, m]`, from [`MaskedPredictor::carried_ids`]
    /// - output: `[batch, m, dim]`
    pub fn forward(
        &self,
        context: Tensor<3>,
        context_ids: &TokenIds,
        target_ids: &TokenIds,
        carried: Option<&TokenIds>,
    ) -> Tensor<3> {
        self.forward_with_mask_token(context, context_ids, target_ids, carried, 0)
    }

    /// As [`MaskedPredictor::forward`], with mask vector number `mask_token` (modulo their number).
    ///
    /// # Shapes
    /// As [`MaskedPredictor::forward`].
    pub fn forward_with_mask_token(
        &self,
        context: Tensor<3>,
        context_ids: &TokenIds,
        target_ids: &TokenIds,
        carried: Option<&TokenIds>,
        mask_token: usize,
    ) -> Tensor<3> {
        let [batch, visible, _] = context.dims();
        let [_, hidden] = target_ids.dims();
        assert_shape!(context_ids, [batch, visible]);
        assert_shape!(target_ids, [batch, _]);
        let [vectors, width] = self.mask_tokens.dims();
        let device = context.device();
        let start = self.start(&context, carried);
        let context = self.embed.forward(context);
        let mut mask = self
            .mask_tokens
            .val()
            .narrow(0, mask_token % vectors, 1)
            .unsqueeze_dim::<3>(0)
            .expand([batch, hidden, width]);
        if let Some(start) = &start {
            mask = mask + self.embed.forward(start.clone());
        }
        let ids = Tensor::cat(vec![context_ids.clone(), target_ids.clone()], 1);
        let mut tokens = Tensor::cat(vec![context, mask], 1);
        if self.positions == PositionKind::SinCos {
            let table = sin_cos_table(self.grid, width, &device);
            let places = table.dims()[0];
            tokens = tokens + gather_tokens(table.unsqueeze_dim::<3>(0).expand([batch, places, width]), &ids);
        }
        let rotation = rope::for_kind(self.positions, Some(&ids), self.grid, self.head_dim, &device);
        for block in &self.blocks {
            tokens = block.forward(tokens, rotation.as_ref());
        }
        let targets = tokens.narrow(1, visible, hidden);
        let predicted = self.proj.forward(self.norm.forward(targets));
        match start {
            Some(start) => predicted + start,
            None => predicted,
        }
    }

    /// What each target token is predicted from: the normed latent that is carried over, or zeros.
    fn start(&self, context: &Tensor<3>, carried: Option<&TokenIds>) -> Option<Tensor<3>> {
        let (norm, ids) = (self.carry.as_ref()?, carried?);
        let [batch, _, dim] = context.dims();
        let nothing = Tensor::zeros([batch, 1, dim], &context.device());
        Some(gather_tokens(Tensor::cat(vec![nothing, norm.forward(context.clone())], 1), ids))
    }
}
