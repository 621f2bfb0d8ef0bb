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
use burn::tensor::{Device, Tensor, assert_shape};
use prevision_kernels::{Activation, GruCell, gru_rollout, linear};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layers::LayerNorm;

/// Configuration of a [`Gru`]: nothing to choose, its sizes are the latent's and the action's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Gru {
    /// Predicts one latent after another. Only the last latent of `start` is used.
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
        let inputs = linear(actions, self.weight_input.val(), Some(self.bias_input.val()), Activation::Identity);
        let cell = GruCell {
            weight: self.weight_hidden.val(),
            bias: self.bias_hidden.val(),
            scale: norm.gamma.val(),
            shift: norm.beta.val(),
            epsilon: norm.epsilon(),
        };
        gru_rollout(inputs, state, cell)
    }
}
