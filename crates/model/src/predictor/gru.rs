//! A gated recurrent unit whose hidden state is the latent and whose input is the action (`eb_jepa`, `examples/ac_video_jepa`).
//!
//! ```text
//! r = sigmoid(W_ir a + b_ir + W_hr h + b_hr)
//! z = sigmoid(W_iz a + b_iz + W_hz h + b_hz)
//! n = tanh(W_in a + b_in + r * (W_hn h + b_hn))
//! h' = (1 - z) n + z h
//! ```
//! Cho et al. 2014, in `PyTorch`'s parameterisation (two biases, the reset gate after the product).

use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, assert_shape};
use serde::{Deserialize, Serialize};

use super::tasks::in_tasks;
use crate::layers::LayerNorm;

/// Configuration of a [`Gru`]: nothing to choose, its sizes are the latent's and the action's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GruConfig {}

impl GruConfig {
    /// Builds the predictor; all parameters from U(-1/sqrt(dim), 1/sqrt(dim)), `PyTorch`'s default.
    pub fn init(&self, dim: usize, action_dim: usize, device: &Device) -> Gru {
        let bound = 1.0 / (dim as f64).sqrt();
        let initializer = Initializer::Uniform { min: -bound, max: bound };
        Gru {
            weight_input: initializer.init([action_dim, 3 * dim], device),
            weight_hidden: initializer.init([dim, 3 * dim], device),
            bias_input: initializer.init([3 * dim], device),
            bias_hidden: initializer.init([3 * dim], device),
        }
    }
}

/// One GRU cell. Gates are packed in the order reset, update, new, as in `PyTorch` (whose matrices are the transposes).
#[derive(Module, Debug)]
pub struct Gru {
    /// `[action, 3 dim]`
    pub weight_input: Param<Tensor<2>>,
    /// `[dim, 3 dim]`
    pub weight_hidden: Param<Tensor<2>>,
    /// `[3 dim]`
    pub bias_input: Param<Tensor<1>>,
    /// `[3 dim]`
    pub bias_hidden: Param<Tensor<1>>,
}

/// Steps whose actions are projected in one product.
const PROJECTED_STEPS: usize = 8;

impl Gru {
    /// Predicts one latent after another. Only the last latent of `start` is used.
    ///
    /// Off the tape on the CPU, rows are rolled out in tasks of a fixed number of rows, spread over the cores.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`
    /// - actions: `[batch, h - 1 + k, action]`; the first `h - 1` are skipped
    /// - output: `[batch, k, dim]`
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>, norm: &LayerNorm) -> Tensor<3> {
        let [batch, history, dim] = start.dims();
        let [_, length, _] = actions.dims();
        let [inputs, _] = self.weight_input.dims();
        let [hidden, _] = self.weight_hidden.dims();
        assert_shape!(start, [_, _, hidden]);
        assert_shape!(actions, [batch, _, inputs]);
        let steps = length + 1 - history;
        let state: Tensor<2> = start.narrow(1, history - 1, 1).reshape([batch, dim]);
        let actions = actions.narrow(1, history - 1, steps);
        let cell = Cell::new(self, norm);
        in_tasks(&cell, state, actions, Cell::rollout)
    }
}

/// The tensors one step needs.
#[derive(Clone)]
struct Cell {
    /// `[action, 3 dim]`
    weight_input: Tensor<2>,
    /// `[dim, 3 dim]`
    weight_hidden: Tensor<2>,
    /// `[1, 3 dim]`: the input's bias, and the hidden bias of the two sigmoid gates.
    bias: Tensor<2>,
    /// `[1, dim]`: the hidden bias of the new gate, which the reset gate scales.
    bias_new: Tensor<2>,
    norm: LayerNorm,
}

impl Cell {
    fn new(gru: &Gru, norm: &LayerNorm) -> Self {
        let bias_hidden = gru.bias_hidden.val();
        let [width] = bias_hidden.dims();
        let dim = width / 3;
        let bias_new = bias_hidden.clone().narrow(0, 2 * dim, dim);
        let bias_gates = Tensor::cat(vec![bias_hidden.narrow(0, 0, 2 * dim), bias_new.zeros_like()], 0);
        Self {
            weight_input: gru.weight_input.val(),
            weight_hidden: gru.weight_hidden.val(),
            bias: (gru.bias_input.val() + bias_gates).unsqueeze(),
            bias_new: bias_new.unsqueeze(),
            norm: norm.clone(),
        }
    }

    /// # Shapes
    /// - state: `[batch, dim]`
    /// - actions: `[batch, k, action]`
    /// - output: `[batch, k, dim]`
    fn rollout(&self, mut state: Tensor<2>, actions: Tensor<3>) -> Tensor<3> {
        let [batch, steps, action_dim] = actions.dims();
        let mut states = Vec::with_capacity(steps);
        for first in (0..steps).step_by(PROJECTED_STEPS) {
            let block = PROJECTED_STEPS.min(steps - first);
            let block_actions =
                actions.clone().narrow(1, first, block).swap_dims(0, 1).reshape([block * batch, action_dim]);
            let inputs = block_actions.matmul(self.weight_input.clone()) + self.bias.clone();
            for step in 0..block {
                state = self.step(inputs.clone().narrow(0, step * batch, batch), state);
                states.push(state.clone());
            }
        }
        Tensor::stack(states, 1)
    }

    /// One step.
    ///
    /// # Shapes
    /// - input: `[batch, 3 dim]`, the projected action with biases
    /// - state: `[batch, dim]`
    /// - output: `[batch, dim]`
    fn step(&self, input: Tensor<2>, state: Tensor<2>) -> Tensor<2> {
        let [_, dim] = state.dims();
        let recurrent = state.clone().matmul(self.weight_hidden.clone());
        let gates = sigmoid(input.clone().narrow(1, 0, 2 * dim) + recurrent.clone().narrow(1, 0, 2 * dim));
        let reset = gates.clone().narrow(1, 0, dim);
        let update = gates.narrow(1, dim, dim);
        let new = input.narrow(1, 2 * dim, dim) + reset * (recurrent.narrow(1, 2 * dim, dim) + self.bias_new.clone());
        // tanh(x) = 2 sigmoid(2 x) - 1, which costs a third of `tanh` on the CPU.
        let new = sigmoid(new * 2.0) * 2.0 - 1.0;
        self.norm.forward(new.clone() + update * (state - new))
    }
}
