//! A causal transformer over frames, one token a frame, conditioned on actions by adaptive layer norm (`jepa-wms`, its `AdaLN` predictor;
//! Peebles and Xie 2023, "Scalable Diffusion Models with Transformers", figure 3).

use burn::module::{Initializer, Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData, assert_shape};
use prevision_kernels::{PreparedLinear, gated_residual, parallel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tasks::{ROWS_PER_TASK, in_tasks};
use super::window::{Window, attend, last, slide, together};
use crate::initialisation::{TRANSFORMER_STD, normal_linear, transformer_norm};
use crate::layers::{Activation, LayerNorm, prepared};
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
    /// Attention heads; must divide `width` unless `head_width` is given. Default 8.
    pub heads: usize,
    /// Width of a head. Unset: `width` over `heads`.
    pub head_width: Option<usize>,
    /// Hidden width of a block's MLP over `width`. Default 4.
    pub mlp_ratio: f64,
    /// Hidden units of an MLP behind the last block, before the linear layer to the latent, as LeWM's projector. Unset: none.
    pub projector: Option<usize>,
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
            head_width: None,
            mlp_ratio: 4.0,
            projector: None,
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
            projector: self.projector.map(|hidden| Mlp::new(self.width, hidden, false, TRANSFORMER_STD, device)),
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
        match self.head_width {
            Some(width) => positive("head_width", width)?,
            None => multiple_of("width", self.width, "heads", self.heads)?,
        }
        self.projector.map_or(Ok(()), |hidden| positive("projector", hidden))?;
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
    projector: Option<Mlp>,
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
        let layers = self.layers();
        let modulations = [layers.modulations(actions)];
        self.predict(&layers, latents, 0, &modulations, &mut vec![None; self.blocks.len()], time)
    }

    /// The linear layers, laid out for many calls.
    fn layers(&self) -> Layers {
        Layers {
            input: prepared(&self.input),
            action: prepared(&self.action),
            blocks: parallel::map(self.blocks.clone(), |block: ConditionedBlock| block.layers()),
            projector: self.projector.as_ref().map(mlp_layers),
            output: prepared(&self.output),
        }
    }

    /// Predicts the latents after the `wanted` last of these, which stand in the window from `place` on. `kept` has of each block the
    /// queries, keys and values of the latents before them, and takes those of these.
    ///
    /// # Shapes
    /// - latents: `[batch, n, dim]`
    /// - modulations: `[batch, n, 6 width]` of each block; or, where fewer latents are wanted, the same of each latent, one after the other
    /// - output: `[batch, wanted, dim]`
    fn predict(
        &self,
        layers: &Layers,
        latents: Tensor<3>,
        place: usize,
        modulations: &[Vec<Tensor<3>>],
        kept: &mut [Option<Tensor<3>>],
        wanted: usize,
    ) -> Tensor<3> {
        let [_, time, _] = latents.dims();
        let positions = self.positions(place + time).narrow(0, place, time);
        let mut x = layers.input.forward(latents, Activation::Identity) + positions.unsqueeze_dim(0);
        let last = self.blocks.len() - 1;
        for (index, (block, kept)) in self.blocks.iter().zip(kept).enumerate() {
            // Every latent of the window is attended to; what is not wanted goes no further than that.
            let wanted = if index == last { wanted } else { time };
            let modulations: Vec<_> = modulations.iter().map(|blocks| blocks[index].clone()).collect();
            x = block.forward(&layers.blocks[index], x, modulations, kept, wanted);
        }
        let x = self.norm.forward(x);
        let x = match &layers.projector {
            Some(projector) => through(projector, x),
            None => x,
        };
        layers.output.forward(x, Activation::Identity)
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
        let [batch, first, dim] = start.dims();
        let parts = (self.clone(), self.layers(), norm.clone());
        in_tasks(
            &parts,
            ROWS_PER_TASK,
            start.reshape([batch, first * dim]),
            actions,
            |(predictor, layers, norm), start, actions| {
                let [batch, width] = start.dims();
                predictor.rollout_rows(layers, start.reshape([batch, width / dim, dim]), actions, norm)
            },
        )
    }

    /// As [`rollout`](Self::rollout), the latents of each step, `[batch, dim]`.
    fn rollout_rows(&self, layers: &Layers, start: Tensor<3>, actions: Tensor<3>, norm: &LayerNorm) -> Vec<Tensor<2>> {
        let [_, length, _] = actions.dims();
        // Of each action on its own: what is taken out of a tensor of all would be copied wherever it is used.
        let modulations: Vec<_> =
            (0..length).map(|place| layers.modulations(actions.clone().narrow(1, place, 1))).collect();
        slide(start, length, self.history, self.blocks.len(), |Window { latents, place, moments }, kept| {
            norm.forward(self.predict(layers, latents, place, &modulations[moments], kept, 1))
        })
    }
}

/// The linear layers of an [`ActionTransformer`], laid out for many calls.
#[derive(Clone)]
struct Layers {
    input: PreparedLinear,
    action: PreparedLinear,
    blocks: Vec<BlockLayers>,
    projector: Option<[PreparedLinear; 2]>,
    output: PreparedLinear,
}

impl Layers {
    /// How the actions shift, scale and gate each block, `[batch, t, 6 width]` of each.
    fn modulations(&self, actions: Tensor<3>) -> Vec<Tensor<3>> {
        let condition = self.action.forward(actions, Activation::Silu);
        self.blocks.iter().map(|block| block.modulation.forward(condition.clone(), Activation::Identity)).collect()
    }
}

/// The linear layers of a [`ConditionedBlock`].
#[derive(Clone)]
struct BlockLayers {
    qkv: PreparedLinear,
    projection: PreparedLinear,
    mlp: [PreparedLinear; 2],
    modulation: PreparedLinear,
}

fn mlp_layers(mlp: &Mlp) -> [PreparedLinear; 2] {
    [prepared(&mlp.fc1), prepared(&mlp.fc2)]
}

/// An MLP of these layers.
fn through([first, second]: &[PreparedLinear; 2], x: Tensor<3>) -> Tensor<3> {
    second.forward(first.forward(x, Activation::Gelu), Activation::Identity)
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
        let sizes = BlockConfig::plain(width, config.heads, config.mlp_ratio);
        let output_std = BlockConfig::output_std(layer);
        Self {
            norm1: transformer_norm(width, device),
            attn: Attention::with_head_width(width, config.heads, config.head_width, output_std, device),
            norm2: transformer_norm(width, device),
            mlp: Mlp::new(width, sizes.hidden(), false, output_std, device),
            modulation: normal_linear(width, 6 * width, TRANSFORMER_STD * config.conditioning_scale, device),
        }
    }

    fn layers(&self) -> BlockLayers {
        BlockLayers {
            qkv: prepared(&self.attn.qkv),
            projection: prepared(&self.attn.proj),
            mlp: mlp_layers(&self.mlp),
            modulation: prepared(&self.modulation),
        }
    }

    /// `kept` has queries, keys and values of the frames before these, and takes those of these.
    ///
    /// # Shapes
    /// - x: `[batch, time, width]`
    /// - modulations: `[batch, time, 6 width]`; or, where fewer frames are wanted, of each frame, one after the other
    /// - output: `[batch, wanted, width]`, of the last frames
    fn forward(
        &self,
        layers: &BlockLayers,
        x: Tensor<3>,
        mut modulations: Vec<Tensor<3>>,
        kept: &mut Option<Tensor<3>>,
        wanted: usize,
    ) -> Tensor<3> {
        let time = x.dims()[1];
        let modulation = together(modulations.clone());
        let attended = self.norm1.forward_adaptive(x.clone(), modulation.clone(), [1, 0]);
        let new = layers.qkv.forward(attended, Activation::Identity);
        let mixed = last(attend(&self.attn, new, kept), wanted);
        let (x, modulation) = match time - wanted {
            0 => (x, modulation),
            unwanted => (last(x, wanted), together(modulations.split_off(unwanted))),
        };
        let mixed = layers.projection.forward(mixed, Activation::Identity);
        let x = gated_residual(mixed, x, modulation.clone(), 2);
        let mixed = self.norm2.forward_adaptive(x.clone(), modulation.clone(), [4, 3]);
        gated_residual(through(&layers.mlp, mixed), x, modulation, 5)
    }
}
