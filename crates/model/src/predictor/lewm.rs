//! LeWM's predictor (Maes et al. 2026, arXiv 2603.19312; stable-worldmodel, `wm/lewm/module.py`, `Predictor` and `Embedder`): a causal
//! transformer over frames as wide as a latent, conditioned on actions by `AdaLN`-zero, with a second norm in each part of a block.

use burn::module::{Initializer, Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData, assert_shape};
use prevision_core::config::check::positive;
use prevision_kernels::{PreparedLinear, adaptive_layer_norm, gated_residual, parallel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tasks::{ROWS_PER_TASK, in_tasks};
use super::window::{Window, attend, last, slide, together};
use crate::initialisation::TRANSFORMER_EPSILON;
use crate::layers::{Activation, LayerNorm, NORM_EPSILON, prepared};
use crate::projector::Projector;
use crate::video_vit::Attention;

/// Configuration of a [`Lewm`] predictor. The default is the published size, for latents of 192 numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LewmConfig {
    /// Latents in the window. Default 3.
    pub history: usize,
    /// Number of blocks. Default 6.
    pub depth: usize,
    /// Attention heads. Default 16.
    pub heads: usize,
    /// Width of a head. Default 64.
    pub head_width: usize,
    /// Hidden units of a block's MLP. Default 2048.
    pub hidden: usize,
    /// Numbers that an action is brought to first. Default 10.
    pub action_width: usize,
    /// Hidden units of the MLP behind that. Default 768.
    pub action_hidden: usize,
    /// Hidden units of the MLP with batch norm behind the last block. Default 2048.
    pub projector: usize,
}

impl Default for LewmConfig {
    fn default() -> Self {
        Self {
            history: 3,
            depth: 6,
            heads: 16,
            head_width: 64,
            hidden: 2048,
            action_width: 10,
            action_hidden: 768,
            projector: 2048,
        }
    }
}

impl LewmConfig {
    /// Builds the predictor for latents of length `dim` and actions of length `action_dim`.
    pub fn init(&self, dim: usize, action_dim: usize, device: &Device) -> Lewm {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Lewm {
            positions: Initializer::Normal { mean: 0.0, std: 1.0 }.init([self.history, dim], device),
            action: ActionEmbedding {
                smooth: linear(action_dim, self.action_width),
                fc1: linear(self.action_width, self.action_hidden),
                fc2: linear(self.action_hidden, dim),
            },
            blocks: (0..self.depth).map(|_| Block::new(self, dim, device)).collect(),
            norm: LayerNorm::new(dim, NORM_EPSILON, device),
            projector: Projector::new(dim, self.projector, device),
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
        positive("head_width", self.head_width)?;
        positive("hidden", self.hidden)?;
        positive("action_width", self.action_width)?;
        positive("action_hidden", self.action_hidden)?;
        positive("projector", self.projector)
    }
}

/// Predicts from each latent of a window, and the ones before it, the latent that follows.
#[derive(Module, Debug)]
pub struct Lewm {
    /// `[history, dim]`
    pub positions: Param<Tensor<2>>,
    /// What an action becomes before it conditions the blocks.
    pub action: ActionEmbedding,
    blocks: Vec<Block>,
    norm: LayerNorm,
    /// Of what comes out of the blocks.
    pub projector: Projector,
    history: usize,
}

/// Three linear layers; `SiLU` is behind the second one, and behind the third one where it conditions a block.
#[derive(Module, Debug)]
pub struct ActionEmbedding {
    /// From the numbers of an action.
    pub smooth: Linear,
    /// Into the hidden layer.
    pub fc1: Linear,
    /// Out of it.
    pub fc2: Linear,
}

impl Lewm {
    /// Numbers in one action.
    pub fn action_dim(&self) -> usize {
        self.action.smooth.weight.lazy_shape().dims::<2>()[0]
    }

    /// Latents in the window.
    pub fn history(&self) -> usize {
        self.history
    }

    /// The same for actions as they are, where this one is for those less `mean` and over `std`: both become a part of the first layer.
    ///
    /// # Panics
    /// If there are not as many numbers as in an action.
    #[must_use]
    pub fn of_raw_actions(mut self, mean: &[f32], std: &[f32]) -> Self {
        let weight = self.action.smooth.weight.val();
        let ([inputs, _], device) = (weight.dims(), weight.device());
        assert!(
            mean.len() == inputs && std.len() == inputs,
            "{} and {} for actions of {inputs}",
            mean.len(),
            std.len()
        );
        let column = |values: &[f32]| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [inputs, 1]), &device);
        let weight = weight / column(std);
        let shift: Tensor<1> = (weight.clone() * column(mean)).sum_dim(0).squeeze_dim(0);
        self.action.smooth.bias = self.action.smooth.bias.map(|bias| bias.map(|bias| bias - shift));
        self.action.smooth.weight = self.action.smooth.weight.map(|_| weight);
        self
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
        let layers = self.layers(latents.device().is_autodiff());
        let modulations = [layers.modulations(actions)];
        let window = Window { latents, place: 0, moments: 0..time };
        self.predict(&layers, window, &modulations, &mut vec![None; self.blocks.len()], time)
    }

    /// The linear layers, laid out for many calls; `taped`: on the tape, where the projector's norm is that of its rows.
    fn layers(&self, taped: bool) -> Layers {
        Layers {
            action: [&self.action.smooth, &self.action.fc1, &self.action.fc2].map(prepared),
            blocks: parallel::map(self.blocks.clone(), |block: Block| block.layers()),
            projector: (!taped).then(|| self.projector.layers()),
        }
    }

    /// Predicts the latents after the `wanted` last of these. `kept` has of each block the queries, keys and values of the latents before
    /// them, and takes those of these.
    ///
    /// # Shapes
    /// - modulations: `[batch, n, 6 dim]` of each block; or, where fewer latents are wanted, the same of each latent, one after the other
    /// - output: `[batch, wanted, dim]`
    fn predict(
        &self,
        layers: &Layers,
        Window { latents, place, .. }: Window,
        modulations: &[Vec<Tensor<3>>],
        kept: &mut [Option<Tensor<3>>],
        wanted: usize,
    ) -> Tensor<3> {
        let [batch, time, dim] = latents.dims();
        let mut x = latents + self.positions.val().narrow(0, place, time).unsqueeze_dim(0);
        let plain = [Tensor::ones([dim], &x.device()), Tensor::zeros([dim], &x.device())];
        for (index, (block, kept)) in self.blocks.iter().zip(kept).enumerate() {
            // Every latent of the window is attended to; what is not wanted goes no further than that.
            let wanted = if index + 1 == self.blocks.len() { wanted } else { time };
            let modulations: Vec<_> = modulations.iter().map(|blocks| blocks[index].clone()).collect();
            x = block.forward(&layers.blocks[index], &plain, x, modulations, kept, wanted);
        }
        let x = self.norm.forward(x).reshape([batch * wanted, dim]);
        let x = match &layers.projector {
            Some([first, second]) => second.forward(first.forward(x, Activation::Gelu), Activation::Identity),
            None => self.projector.forward(x),
        };
        x.reshape([batch, wanted, dim])
    }

    /// Predicts one latent after another with a sliding window of at most `history` latents.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`
    /// - actions: `[batch, h - 1 + k, action]`
    /// - output: `[batch, k, dim]`
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>) -> Tensor<3> {
        let [batch, first, dim] = start.dims();
        let parts = (self.clone(), self.layers(start.device().is_autodiff()));
        in_tasks(
            &parts,
            ROWS_PER_TASK,
            start.reshape([batch, first * dim]),
            actions,
            |(predictor, layers), start, actions| {
                let [batch, width] = start.dims();
                predictor.rollout_rows(layers, start.reshape([batch, width / dim, dim]), actions)
            },
        )
    }

    /// As [`rollout`](Self::rollout), the latents of each step, `[batch, dim]`.
    fn rollout_rows(&self, layers: &Layers, start: Tensor<3>, actions: Tensor<3>) -> Vec<Tensor<2>> {
        let [_, length, _] = actions.dims();
        // Of each action on its own: what is taken out of a tensor of all would be copied wherever it is used.
        let modulations: Vec<_> =
            (0..length).map(|place| layers.modulations(actions.clone().narrow(1, place, 1))).collect();
        slide(start, length, self.history, self.blocks.len(), |window, kept| {
            let moments = window.moments.clone();
            self.predict(layers, window, &modulations[moments], kept, 1)
        })
    }
}

/// The linear layers of a [`Lewm`], laid out for many calls.
#[derive(Clone)]
struct Layers {
    action: [PreparedLinear; 3],
    blocks: Vec<BlockLayers>,
    /// `None` on the tape.
    projector: Option<[PreparedLinear; 2]>,
}

impl Layers {
    /// How the actions shift, scale and gate each block, `[batch, t, 6 dim]` of each.
    fn modulations(&self, actions: Tensor<3>) -> Vec<Tensor<3>> {
        let [smooth, first, second] = &self.action;
        let hidden = first.forward(smooth.forward(actions, Activation::Identity), Activation::Silu);
        let condition = second.forward(hidden, Activation::Silu);
        self.blocks.iter().map(|block| block.modulation.forward(condition.clone(), Activation::Identity)).collect()
    }
}

/// The linear layers of a [`Block`].
#[derive(Clone)]
struct BlockLayers {
    qkv: PreparedLinear,
    projection: PreparedLinear,
    mlp: [PreparedLinear; 2],
    modulation: PreparedLinear,
}

/// `x += gate1 * attention(norm1(adaptive(x)))`, `x += gate2 * mlp(norm2(adaptive(x)))`; the adaptive norms have no parameters of their own.
#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    /// Without a bias of queries, keys and values.
    attn: Attention,
    norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    /// `[dim, 6 dim]`: shift, scale, gate of attention, then of the MLP.
    modulation: Linear,
}

impl Block {
    fn new(config: &LewmConfig, dim: usize, device: &Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs);
        let inner = config.heads * config.head_width;
        let qkv = linear(dim, 3 * inner).with_bias(false).init(device);
        let zeros = linear(dim, 6 * dim).with_initializer(Initializer::Zeros);
        Self {
            norm1: LayerNorm::new(dim, NORM_EPSILON, device),
            attn: Attention::of_layers(qkv, linear(inner, dim).init(device), config.heads),
            norm2: LayerNorm::new(dim, NORM_EPSILON, device),
            fc1: linear(dim, config.hidden).init(device),
            fc2: linear(config.hidden, dim).init(device),
            modulation: zeros.init(device),
        }
    }

    fn layers(&self) -> BlockLayers {
        BlockLayers {
            qkv: prepared(&self.attn.qkv),
            projection: prepared(&self.attn.proj),
            mlp: [prepared(&self.fc1), prepared(&self.fc2)],
            modulation: prepared(&self.modulation),
        }
    }

    /// `kept` has queries, keys and values of the frames before these, and takes those of these. `plain` are the ones and zeros of a norm
    /// without parameters.
    ///
    /// # Shapes
    /// - x: `[batch, time, dim]`
    /// - modulations: `[batch, time, 6 dim]`; or, where fewer frames are wanted, of each frame, one after the other
    /// - output: `[batch, wanted, dim]`, of the last frames
    fn forward(
        &self,
        layers: &BlockLayers,
        [ones, zeros]: &[Tensor<1>; 2],
        x: Tensor<3>,
        mut modulations: Vec<Tensor<3>>,
        kept: &mut Option<Tensor<3>>,
        wanted: usize,
    ) -> Tensor<3> {
        let adaptive = |x: &Tensor<3>, packed: &Tensor<3>, parts| {
            let (x, packed) = (x.clone(), packed.clone());
            adaptive_layer_norm(x, ones.clone(), zeros.clone(), packed, parts, TRANSFORMER_EPSILON)
        };
        let time = x.dims()[1];
        let modulation = together(modulations.clone());
        let attended = self.norm1.forward(adaptive(&x, &modulation, [1, 0]));
        let new = layers.qkv.forward(attended, Activation::Identity);
        let mixed = last(attend(&self.attn, new, kept), wanted);
        let (x, modulation) = match time - wanted {
            0 => (x, modulation),
            unwanted => (last(x, wanted), together(modulations.split_off(unwanted))),
        };
        let mixed = layers.projection.forward(mixed, Activation::Identity);
        let x = gated_residual(mixed, x, modulation.clone(), 2);
        let hidden = layers.mlp[0].forward(self.norm2.forward(adaptive(&x, &modulation, [4, 3])), Activation::Gelu);
        gated_residual(layers.mlp[1].forward(hidden, Activation::Identity), x, modulation, 5)
    }
}
