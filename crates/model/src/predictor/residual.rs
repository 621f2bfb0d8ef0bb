//! A residual step: the next latent is the latent plus what an MLP makes of latent and action.
//!
//! ```text
//! h' = h + W_out relu(W_mid relu(W_in [h, a] + b_in) + b_mid) + b_out
//! ```
//! It starts near the identity, where neighbouring frames are, and so learns what an action does in far fewer steps than a
//! gated recurrent unit, which must first learn to keep its state.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, assert_shape};
use prevision_kernels::{ResidualCell, residual_rollout};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layers::{Activation, linear, prepared};
use prevision_core::config::check::positive;

/// Configuration of a [`ResidualMlp`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResidualMlpConfig {
    /// Units of both hidden layers. Default 256.
    pub hidden: usize,
}

impl Default for ResidualMlpConfig {
    fn default() -> Self {
        Self { hidden: 256 }
    }
}

impl ResidualMlpConfig {
    /// Builds the predictor for latents of length `dim` and actions of length `action_dim`.
    pub fn init(&self, dim: usize, action_dim: usize, device: &Device) -> ResidualMlp {
        ResidualMlp {
            latent: LinearConfig::new(dim, self.hidden).init(device),
            action: LinearConfig::new(action_dim, self.hidden).with_bias(false).init(device),
            middle: LinearConfig::new(self.hidden, self.hidden).init(device),
            output: LinearConfig::new(self.hidden, dim).init(device),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("hidden", self.hidden)
    }
}

/// Adds an MLP of latent and action to the latent.
#[derive(Module, Debug)]
pub struct ResidualMlp {
    /// Latent to hidden; with `action` the first layer of the MLP on both.
    pub latent: Linear,
    /// Action to hidden, without a bias.
    pub action: Linear,
    /// Hidden to hidden.
    pub middle: Linear,
    /// Hidden to the change of the latent.
    pub output: Linear,
}

impl ResidualMlp {
    /// Predicts one latent after another. Only the last latent of `start` is used.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`
    /// - actions: `[batch, h - 1 + k, action]`; the first `h - 1` are skipped
    /// - output: `[batch, k, dim]`
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>) -> Tensor<3> {
        let [batch, history, dim] = start.dims();
        let [_, length, _] = actions.dims();
        let [inputs, _] = self.latent.weight.dims();
        let [action_inputs, _] = self.action.weight.dims();
        assert_shape!(start, [_, _, inputs]);
        assert_shape!(actions, [batch, _, action_inputs]);
        let state: Tensor<2> = start.narrow(1, history - 1, 1).reshape([batch, dim]);
        let actions = actions.narrow(1, history - 1, length + 1 - history);
        // Steps first: those of one step are then one piece of memory.
        let actions = linear(&self.action, actions.swap_dims(0, 1), Activation::Identity);
        let cell = ResidualCell {
            latent: prepared(&self.latent),
            middle: prepared(&self.middle),
            output: prepared(&self.output),
        };
        residual_rollout(actions, state, &cell)
    }

    /// Numbers in one action.
    pub fn action_dim(&self) -> usize {
        self.action.weight.lazy_shape().dims::<2>()[0]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use burn::tensor::activation::relu;

    use super::*;

    fn predictor(device: &Device) -> ResidualMlp {
        ResidualMlpConfig { hidden: 8 }.init(6, 2, device)
    }

    #[test]
    fn one_step_is_the_formula() {
        let device = Device::flex();
        let predictor = predictor(&device);
        let state = Tensor::<2>::random([3, 6], Distribution::Default, &device);
        let action = Tensor::<2>::random([3, 2], Distribution::Default, &device);
        let first = predictor.latent.forward(state.clone()) + action.clone().matmul(predictor.action.weight.val());
        let expected = state.clone() + predictor.output.forward(relu(predictor.middle.forward(relu(first))));
        let given = predictor.rollout(state.unsqueeze_dim(1), action.unsqueeze_dim(1)).squeeze_dim::<2>(1);
        given.into_data().assert_approx_eq::<f32>(&expected.into_data(), burn::tensor::Tolerance::absolute(1e-6));
    }

    #[test]
    fn a_rollout_is_its_steps_and_rows_do_not_meet() {
        let device = Device::flex();
        let predictor = predictor(&device);
        let start = Tensor::<3>::random([600, 1, 6], Distribution::Default, &device);
        let actions = Tensor::<3>::random([600, 3, 2], Distribution::Default, &device);
        let whole = predictor.rollout(start.clone(), actions.clone());
        let mut state = start.narrow(0, 300, 1);
        for step in 0..3 {
            state = predictor.rollout(state, actions.clone().slice([300..301, step..step + 1]));
        }
        let last = whole.slice([300..301, 2..3]);
        last.into_data().assert_approx_eq::<f32>(&state.into_data(), burn::tensor::Tolerance::absolute(1e-5));
    }

    #[test]
    fn parameters_are_those_of_an_mlp_on_both() {
        // (6 + 2) x 8 + 8, 8 x 8 + 8, 8 x 6 + 6
        assert_eq!(predictor(&Device::flex()).num_params(), 72 + 72 + 54);
    }
}
