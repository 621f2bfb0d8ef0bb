//! A causal transformer over frames, one token a frame, conditioned on actions by adaptive layer norm (`jepa-wms`, its `AdaLN` predictor;
//! Peebles and Xie 2023, "Scalable Diffusion Models with Transformers", figure 3).

use burn::module::{Initializer, Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData, assert_shape};
use prevision_kernels::gated_residual;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::initialisation::{TRANSFORMER_STD, normal_linear, transformer_norm};
use crate::layers::{Activation, LayerNorm, linear};
use crate::video_vit::sin_cos::sin_cos_axis;
use crate::video_vit::{Attention, BlockConfig, Mlp};
use prevision_core::config::check::{ensure, multiple_of, positive};

/// How a frame knows its place in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimePositions {
    /// A learned vector per place.
    Learned,
    /// Fixed sines and cosines.
    SinCos,
}

/// Configuration of an [`ActionTransformer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ActionTransformerConfig {
    /// Latents in the window. Default 3.
    pub history: usize,
    /// Width of a token. Default 256.
    pub width: usize,
    /// Number of blocks. Default 4.
    pub depth: usize,
    /// Attention heads; must divide `width`. Default 8.
    pub heads: usize,
    /// Hidden width of a block's MLP over `width`. Default 4.
    pub mlp_ratio: f64,
    /// How a frame knows its place in the window. Default `learned`.
    pub positions: TimePositions,
    /// Standard deviation of the initial conditioning weights over 0.02; 0 starts every block as the identity (`AdaLN`-zero). Default 10.
    pub conditioning_scale: f64,
}

impl Default for ActionTransformerConfig {
    fn default() -> Self {
        Self {
            history: 3,
            width: 256,
            depth: 4,
            heads: 8,
            mlp_ratio: 4.0,
            positions: TimePositions::Learned,
            conditioning_scale: 10.0,
        }
    }
}

impl ActionTransformerConfig {
    /// Builds the predictor for latents of length `dim` and actions of length `action_dim`.
    pub fn init(&self, dim: usize, action_dim: usize, device: &Device) -> ActionTransformer {
        let initializer = match self.positions {
            TimePositions::Learned => Initializer::Normal { mean: 0.0, std: TRANSFORMER_STD },
            TimePositions::SinCos => Initializer::Zeros,
        };
        ActionTransformer {
            input: normal_linear(dim, self.width, TRANSFORMER_STD, device),
            action: LinearConfig::new(action_dim, self.width).init(device),
            learned_positions: (self.positions == TimePositions::Learned)
                .then(|| initializer.init([self.history, self.width], device)),
            blocks: (1..=self.depth).map(|layer| ConditionedBlock::new(self, layer, device)).collect(),
            norm: transformer_norm(self.width, device),
            output: normal_linear(self.width, dim, TRANSFORMER_STD, device),
            history: self.history,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("history", self.history)?;
        positive("depth", self.depth)?;
        positive("heads", self.heads)?;
        multiple_of("width", self.width, "heads", self.heads)?;
        ensure(self.width.is_multiple_of(2), "width", self.width, "even")?;
        ensure(self.mlp_ratio > 0.0 && self.mlp_ratio.is_finite(), "mlp_ratio", self.mlp_ratio, "above 0")?;
        let scale = self.conditioning_scale;
        ensure(scale >= 0.0 && scale.is_finite(), "conditioning_scale", scale, "at least 0")
    }
}

/// Predicts from each latent of a window, and the ones before it, the latent that follows.
#[derive(Module, Debug)]
pub struct ActionTransformer {
    input: Linear,
    action: Linear,
    /// `[history, width]`
    learned_positions: Option<Param<Tensor<2>>>,
    blocks: Vec<ConditionedBlock>,
    norm: LayerNorm,
    output: Linear,
    history: usize,
}

impl ActionTransformer {
    /// Numbers in one action.
    pub fn action_dim(&self) -> usize {
        self.action.weight.lazy_shape().dims::<2>()[0]
    }

    /// Latents in the window.
    pub fn history(&self) -> usize {
        self.history
    }

    /// Predicts the latent after each of `t` consecutive latents; prediction `i` depends on latents and actions `0..=i` alone.
    ///
    /// # Shapes
    /// - latents: `[batch, t, dim]`, `t` at most the history
    /// - actions: `[batch, t, action]`
    /// - output: `[batch, t, dim]`
    pub fn forward(&self, latents: Tensor<3>, actions: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = latents.dims();
        assert_shape!(actions, [batch, time, _]);
        assert!(time <= self.history, "window of {time} latents, built for at most {}", self.history);
        let condition = linear(&self.action, actions, Activation::Silu);
        let mut x = linear(&self.input, latents, Activation::Identity) + self.positions(time).unsqueeze_dim(0);
        for block in &self.blocks {
            x = block.forward(x, condition.clone());
        }
        linear(&self.output, self.norm.forward(x), Activation::Identity)
    }

    /// `[time, width]`
    fn positions(&self, time: usize) -> Tensor<2> {
        if let Some(table) = &self.learned_positions {
            return table.val().narrow(0, 0, time);
        }
        let [_, width] = self.input.weight.dims();
        let values: Vec<f32> = (0..time).flat_map(|position| sin_cos_axis(position, width)).collect();
        Tensor::from_data(TensorData::new(values, [time, width]), &self.input.weight.device())
    }

    /// Predicts one latent after another with a sliding window of at most `history` latents.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`
    /// - actions: `[batch, h - 1 + k, action]`
    /// - output: `[batch, k, dim]`
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>, norm: &LayerNorm) -> Tensor<3> {
        let [_, first, _] = start.dims();
        let [_, length, _] = actions.dims();
        let mut latents = start;
        for present in first..=length {
            let begin = present.saturating_sub(self.history);
            let window = latents.clone().narrow(1, begin, present - begin);
            let predicted = self.forward(window, actions.clone().narrow(1, begin, present - begin));
            let next = norm.forward(predicted.narrow(1, present - begin - 1, 1));
            latents = Tensor::cat(vec![latents, next], 1);
        }
        latents.narrow(1, first, length + 1 - first)
    }
}

/// A pre-norm block whose norms are shifted, scaled and gated by the action of each frame.
#[derive(Module, Debug)]
struct ConditionedBlock {
    norm1: LayerNorm,
    attn: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
    /// `[width, 6 width]`: shift, scale, gate of attention, then of the MLP.
    modulation: Linear,
}

impl ConditionedBlock {
    fn new(config: &ActionTransformerConfig, layer: usize, device: &Device) -> Self {
        let width = config.width;
        let sizes = BlockConfig { dim: width, heads: config.heads, mlp_ratio: config.mlp_ratio };
        let output_std = BlockConfig::output_std(layer);
        Self {
            norm1: transformer_norm(width, device),
            attn: Attention::new(width, config.heads, output_std, device),
            norm2: transformer_norm(width, device),
            mlp: Mlp::new(width, sizes.hidden(), output_std, device),
            modulation: normal_linear(width, 6 * width, TRANSFORMER_STD * config.conditioning_scale, device),
        }
    }

    /// # Shapes
    /// - x: `[batch, time, width]`
    /// - condition: `[batch, time, width]`, already through `SiLU`
    /// - output: `[batch, time, width]`
    fn forward(&self, x: Tensor<3>, condition: Tensor<3>) -> Tensor<3> {
        let modulation = linear(&self.modulation, condition, Activation::Identity);
        let attended = self.norm1.forward_adaptive(x.clone(), modulation.clone(), [1, 0]);
        let x = gated_residual(self.attn.forward(attended, None, true), x, modulation.clone(), 2);
        let mixed = self.norm2.forward_adaptive(x.clone(), modulation.clone(), [4, 3]);
        gated_residual(self.mlp.forward(mixed), x, modulation, 5)
    }
}
