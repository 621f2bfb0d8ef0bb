//! A transformer over the tokens of frames: a token sees all tokens of its frame and of the frames before it (V-JEPA 2-AC,
//! `src/models/ac_predictor.py`; DINO-WM, `models/vit.py`).

use burn::module::{Initializer, Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData, assert_shape};
use prevision_kernels::{Mask, Rotation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Moments;
use crate::initialisation::{TRANSFORMER_STD, normal_linear, transformer_norm};
use crate::layers::{Activation, LayerNorm, linear};
use crate::masks::TokenIds;
use crate::normalise_latents;
use crate::video_vit::sin_cos::sin_cos_table;
use crate::video_vit::{Block, BlockConfig, PositionKind, check_positions, rope};
use prevision_core::config::check::{ensure, multiple_of, positive};

/// How the tokens of a frame know the action that leaves it, and the proprioception.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// By a token of each before those of the frame (V-JEPA 2-AC).
    #[default]
    Tokens,
    /// By what is added to every token of the frame; the same as channels beside those of the tokens, before a linear layer (DINO-WM).
    Channels,
}

/// Configuration of a [`BlockCausal`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BlockCausalConfig {
    /// Frames in the window. Default 3.
    pub history: usize,
    /// Width of a token. Default 192.
    pub width: usize,
    /// Number of blocks. Default 4.
    pub depth: usize,
    /// Attention heads; must divide `width`. Default 6.
    pub heads: usize,
    /// Hidden width of a block's MLP over `width`. Default 4.
    pub mlp_ratio: f64,
    /// How tokens know their place. Default `rope-tiled`, as V-JEPA 2-AC; `learned` is DINO-WM's.
    pub positions: PositionKind,
    /// How tokens know action and proprioception. Default `tokens`.
    pub conditioning: Conditioning,
    /// Whether the change of a token is predicted instead of the token. Default false, as upstream.
    pub residual: bool,
}

impl Default for BlockCausalConfig {
    fn default() -> Self {
        Self {
            history: 3,
            width: 192,
            depth: 4,
            heads: 6,
            mlp_ratio: 4.0,
            positions: PositionKind::RopeTiled,
            conditioning: Conditioning::default(),
            residual: false,
        }
    }
}

/// What a [`BlockCausal`] is built for.
#[derive(Clone, Copy, Debug)]
pub struct BlockCausalInput {
    /// Rows and columns of the tokens of a frame.
    pub grid: [usize; 2],
    /// Numbers in all tokens of a frame.
    pub dim: usize,
    /// Numbers in an action.
    pub action: usize,
    /// Numbers of the proprioception; 0 without.
    pub proprioception: usize,
    /// Whether predicted tokens are normalised without affine parameters.
    pub normalise: bool,
}

impl BlockCausalConfig {
    /// Builds the predictor.
    pub fn init(&self, input: BlockCausalInput, device: &Device) -> BlockCausal {
        let [rows, columns] = input.grid;
        let places = rows * columns;
        let (channels, width) = (input.dim / places, self.width);
        let layer = |inputs, outputs, std| normal_linear(inputs, outputs, std, device);
        let of_state = |inputs, outputs, std| (input.proprioception > 0).then(|| layer(inputs, outputs, std));
        // A change starts at zero: before training the prediction is the copy.
        let output_std = if self.residual { 0.0 } else { TRANSFORMER_STD };
        let block = BlockConfig::plain(width, self.heads, self.mlp_ratio);
        BlockCausal {
            latent: layer(channels, width, TRANSFORMER_STD),
            action: layer(input.action, width, TRANSFORMER_STD),
            state: of_state(input.proprioception, width, TRANSFORMER_STD),
            learned_positions: (self.positions == PositionKind::Learned).then(|| {
                let initial = Initializer::Normal { mean: 0.0, std: TRANSFORMER_STD };
                initial.init([self.history * places, width], device)
            }),
            blocks: (1..=self.depth).map(|number| block.init(number, device)).collect(),
            norm: transformer_norm(width, device),
            output: layer(width, channels, output_std),
            next_state: of_state(width, input.proprioception, 0.0),
            positions: self.positions,
            conditioning: self.conditioning,
            grid: [self.history, rows, columns],
            head_dim: width / self.heads,
            residual: self.residual,
            normalise: input.normalise,
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
        ensure(self.mlp_ratio > 0.0 && self.mlp_ratio.is_finite(), "mlp_ratio", self.mlp_ratio, "above 0")?;
        check_positions("width", self.positions, self.width, self.heads)
    }
}

/// Predicts, from the tokens of every frame of a window and the frames before it, those of the frame that follows; and with proprioception
/// that too, as a change.
#[derive(Module, Debug)]
pub struct BlockCausal {
    /// A token of a frame to the width.
    pub latent: Linear,
    /// An action to the width.
    pub action: Linear,
    /// Proprioception to the width.
    pub state: Option<Linear>,
    /// `[history * places, width]`
    pub learned_positions: Option<Param<Tensor<2>>>,
    /// Pre-norm transformer blocks.
    pub blocks: Vec<Block>,
    /// Norm after the last block.
    pub norm: LayerNorm,
    /// The width to a token, or to its change.
    pub output: Linear,
    /// The width to the change of the proprioception.
    pub next_state: Option<Linear>,
    #[module(skip)]
    positions: PositionKind,
    #[module(skip)]
    conditioning: Conditioning,
    /// Frames, rows and columns.
    #[module(skip)]
    grid: [usize; 3],
    head_dim: usize,
    residual: bool,
    normalise: bool,
}

impl BlockCausal {
    /// Numbers in one action.
    pub fn action_dim(&self) -> usize {
        self.action.weight.lazy_shape().dims::<2>()[0]
    }

    /// Frames in the window.
    pub fn history(&self) -> usize {
        self.grid[0]
    }

    /// Tokens of a frame.
    fn places(&self) -> usize {
        self.grid[1] * self.grid[2]
    }

    /// Predicts what follows each of `t` consecutive moments; prediction `i` depends on moments and actions `0..=i` alone.
    ///
    /// # Shapes
    /// - moments: `t`, at most the history
    /// - actions: `[batch, t, action]`
    /// - output: `t` moments
    ///
    /// # Panics
    /// If there are more moments than the history, or other actions.
    pub fn forward(&self, moments: &Moments, actions: Tensor<3>) -> Moments {
        let [batch, time, dim] = moments.latents.dims();
        assert_shape!(actions, [batch, time, _]);
        assert!(time <= self.history(), "window of {time} latents, built for at most {}", self.history());
        let (places, before) = (self.places(), self.conditions());
        let channels = dim / places;
        let tokens = moments.latents.clone().reshape([batch, time, places, channels]);
        let embedded = linear(&self.latent, tokens.clone(), Activation::Identity);
        let [.., width] = embedded.dims();
        let mut conditions = vec![linear(&self.action, actions, Activation::Identity)];
        if let (Some(layer), Some(state)) = (&self.state, &moments.proprioception) {
            conditions.push(linear(layer, state.clone(), Activation::Identity));
        }
        let conditions = conditions.into_iter().map(|it| it.reshape([batch, time, 1, width]));
        let mut x = match self.conditioning {
            Conditioning::Tokens => Tensor::cat(conditions.chain([embedded]).collect(), 2),
            Conditioning::Channels => conditions.fold(embedded, |x, condition| x + condition),
        };
        let device = x.device();
        if let Some(table) = self.added_positions(time, &device) {
            x = x + table.unsqueeze_dim(0);
        }
        let block = before + places;
        let mut x = x.reshape([batch, time * block, width]);
        let rotation = self.rotation(time, &device);
        for layer in &self.blocks {
            x = layer.forward_masked(x, &Mask::BlockCausal(block), rotation.as_ref());
        }
        let x = self.norm.forward(x).reshape([batch, time, block, width]);
        let next_state = self.next_state.as_ref().zip(moments.proprioception.clone()).map(|(layer, state)| {
            let read = match self.conditioning {
                Conditioning::Tokens => x.clone().narrow(2, 1, 1),
                Conditioning::Channels => x.clone().mean_dim(2),
            };
            state + linear(layer, read.reshape([batch, time, width]), Activation::Identity)
        });
        let next = linear(&self.output, x.narrow(2, before, places), Activation::Identity);
        let next = if self.residual { next + tokens } else { next };
        let next = next.reshape([batch, time * places, channels]);
        let next = if self.normalise { normalise_latents(next) } else { next };
        Moments { latents: next.reshape([batch, time, dim]), proprioception: next_state }
    }

    /// Predicts one moment after another with a sliding window of at most `history` moments.
    ///
    /// # Shapes
    /// - start: `h` moments
    /// - actions: `[batch, h - 1 + k, action]`
    /// - output: `k` moments
    pub fn rollout(&self, start: Moments, actions: Tensor<3>) -> Moments {
        let ([_, first, _], [_, length, _]) = (start.latents.dims(), actions.dims());
        let mut moments = start;
        for present in first..=length {
            let begin = present.saturating_sub(self.history());
            let count = present - begin;
            let next = self.forward(&moments.narrow(begin, count), actions.clone().narrow(1, begin, count));
            moments = moments.then(next.narrow(count - 1, 1));
        }
        moments.narrow(first, length + 1 - first)
    }

    /// Tokens before those of each frame.
    fn conditions(&self) -> usize {
        match self.conditioning {
            Conditioning::Tokens => 1 + usize::from(self.state.is_some()),
            Conditioning::Channels => 0,
        }
    }

    /// What is added to the tokens of the window, `[time, conditions + places, width]`; those before a frame's have what its first one has.
    fn added_positions(&self, time: usize, device: &Device) -> Option<Tensor<3>> {
        let (places, before) = (self.places(), self.conditions());
        let table: Tensor<2> = match (&self.learned_positions, self.positions) {
            (Some(table), _) => table.val().narrow(0, 0, time * places),
            (None, PositionKind::SinCos) => {
                let width = self.norm.gamma.lazy_shape().dims::<1>()[0];
                sin_cos_table(self.grid, width, device).narrow(0, 0, time * places)
            }
            _ => return None,
        };
        let [_, width] = table.dims();
        let table = table.reshape([time, places, width]);
        let first = table.clone().narrow(1, 0, 1);
        Some(Tensor::cat([vec![first; before], vec![table]].concat(), 1))
    }

    /// The rotation of the window's tokens. Those before a frame's turn with time alone: row and column are 0.
    fn rotation(&self, time: usize, device: &Device) -> Option<Rotation> {
        let (places, before) = (self.places(), self.conditions());
        let of_frame = |frame: usize| {
            let first = frame * places;
            std::iter::repeat_n(first, before).chain(first..first + places).map(|id| id as i64)
        };
        let ids: Vec<i64> = (0..time).flat_map(of_frame).collect();
        let ids = TokenIds::from_data(TensorData::new(ids, [1, time * (before + places)]), device);
        rope::for_kind(self.positions, Some(&ids), self.grid, self.head_dim, device)
    }
}
