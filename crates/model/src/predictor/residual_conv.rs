//! A predictor on a grid of tokens: each changes by what it and its neighbours hold, by the action, and by what stands there.
//!
//! The same weights serve every place, so that what happens at one wall is known of all walls. This is the locality of
//! convolutional world models; DINO-WM and JEPA-WMs keep a grid of tokens for the same reason.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, assert_shape};
use prevision_kernels::glu_residual;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tasks::in_tasks;
use crate::grid::{Grid, NEIGHBOURS};
use crate::layers::{Activation, linear, linear_residual};
use prevision_core::config::check::positive;

/// Rows of one task, with state and place of so many numbers: few enough for the intermediate values to stay in the cache.
fn rows_per_task(numbers: usize) -> usize {
    if numbers <= 1024 { 64 } else { 16 }
}

/// Configuration of a [`ResidualConv`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResidualConvConfig {
    /// Units of both hidden layers, for every token. Default 48.
    pub hidden: usize,
}

impl Default for ResidualConvConfig {
    fn default() -> Self {
        Self { hidden: 48 }
    }
}

impl ResidualConvConfig {
    /// Builds the predictor for latents of a `grid` of tokens with `dim` numbers in all, static latents on the same grid with
    /// `static_dim` numbers in all, and actions of length `action_dim`.
    pub fn init(
        &self,
        grid: [usize; 2],
        dim: usize,
        static_dim: usize,
        action_dim: usize,
        device: &Device,
    ) -> ResidualConv {
        let grid = Grid::new(grid);
        let tokens = grid.places();
        let channels = dim / tokens;
        let unbiased = |inputs: usize| LinearConfig::new(inputs, self.hidden).with_bias(false).init(device);
        ResidualConv {
            latent: LinearConfig::new(NEIGHBOURS * channels, self.hidden).init(device),
            place: (static_dim > 0).then(|| unbiased(NEIGHBOURS * static_dim / tokens)),
            action: unbiased(action_dim),
            middle: LinearConfig::new(self.hidden, self.hidden).init(device),
            output: LinearConfig::new(self.hidden, 2 * channels).init(device),
            grid,
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

/// Adds to every token an MLP of its 3x3 neighbourhood, of the static tokens there, and of the action, times a gate of the same. The
/// gate is what a wall closes. Outside the grid are zeros.
#[derive(Module, Debug)]
pub struct ResidualConv {
    /// Neighbourhood to hidden; with `place` and `action` the first layer of the MLP on all three.
    pub latent: Linear,
    /// Static neighbourhood to hidden, without a bias.
    pub place: Option<Linear>,
    /// Action to hidden, without a bias.
    pub action: Linear,
    /// Hidden to hidden.
    pub middle: Linear,
    /// Hidden to the change of the token, then to its gate.
    pub output: Linear,
    grid: Grid,
}

impl ResidualConv {
    /// Predicts one latent after another. Only the last latent of `start` is used.
    ///
    /// # Shapes
    /// - start: `[batch, h, dim]`
    /// - actions: `[batch, h - 1 + k, action]`; the first `h - 1` are skipped
    /// - place: `[batch, static_dim]`, the static latent
    /// - output: `[batch, k, dim]`
    pub fn rollout(&self, start: Tensor<3>, actions: Tensor<3>, place: Option<Tensor<2>>) -> Tensor<3> {
        let [batch, history, dim] = start.dims();
        let [_, length, _] = actions.dims();
        let [action_inputs, _] = self.action.weight.dims();
        assert_shape!(actions, [batch, _, action_inputs]);
        let state: Tensor<2> = start.narrow(1, history - 1, 1).reshape([batch, dim]);
        let actions = actions.narrow(1, history - 1, length + 1 - history);
        // State and place are one tensor of rows, to be cut into tasks together.
        let rows = match place {
            Some(place) => Tensor::cat(vec![state, place], 1),
            None => state,
        };
        in_tasks(self, rows_per_task(rows.dims()[1]), rows, actions, Self::rollout_rows)
    }

    /// # Shapes
    /// - rows: `[batch, dim + static_dim]`, the state, then the static latent
    /// - actions: `[batch, k, action]`
    /// - output: of each step `[batch, dim]`
    fn rollout_rows(&self, rows: Tensor<2>, actions: Tensor<3>) -> Vec<Tensor<2>> {
        let [batch, steps, _] = actions.dims();
        let tokens = self.grid.places();
        let [hidden, outputs] = self.output.weight.dims();
        let channels = outputs / 2;
        let (dim, width) = (tokens * channels, rows.dims()[1]);
        // What does not change from step to step: `[batch, tokens, hidden]`.
        let place = self.place.as_ref().map(|layer| {
            let place = rows.clone().narrow(1, dim, width - dim).reshape([batch, tokens, (width - dim) / tokens]);
            linear(layer, self.grid.neighbourhoods(place), Activation::Identity)
        });
        let mut state = rows.narrow(1, 0, dim).reshape([batch, tokens, channels]);
        let actions = linear(&self.action, actions, Activation::Identity);
        let mut latents = Vec::with_capacity(steps);
        for step in 0..steps {
            let action = actions.clone().narrow(1, step, 1);
            let beside = match &place {
                Some(place) => place.clone() + action,
                None => action.expand([batch, tokens, hidden]),
            };
            let around = self.grid.neighbourhoods(state.clone());
            let x = linear_residual(&self.latent, around, beside, Activation::Relu);
            let change = linear(&self.output, linear(&self.middle, x, Activation::Relu), Activation::Identity);
            state = glu_residual(change, state);
            latents.push(state.clone().reshape([batch, dim]));
        }
        latents
    }

    /// Numbers in one action.
    pub fn action_dim(&self) -> usize {
        self.action.weight.lazy_shape().dims::<2>()[0]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use burn::tensor::activation::{relu, sigmoid};
    use burn::tensor::module::conv2d;
    use burn::tensor::ops::ConvOptions;

    use super::*;

    const GRID: [usize; 2] = [3, 4];

    fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
        Tensor::random(shape, Distribution::Default, &Device::flex())
    }

    /// One step against convolutions of the same weights.
    #[test]
    fn one_step_is_a_convolution() {
        let predictor = ResidualConvConfig { hidden: 5 }.init(GRID, 24, 36, 2, &Device::flex());
        let (state, place, action) = (random([2, 24]), random([2, 36]), random([2, 2]));
        let convolve = |values: Tensor<2>, layer: &Linear, channels: usize| {
            let kernel = layer.weight.val().reshape([3, 3, channels, 5]).permute([3, 2, 0, 1]);
            let image = values.reshape([2, 3, 4, channels]).permute([0, 3, 1, 2]);
            let bias = layer.bias.as_ref().map(burn::module::Param::val);
            conv2d(image, kernel, bias, ConvOptions::new([1, 1], [1, 1], [1, 1], 1))
        };
        let first = convolve(state.clone(), &predictor.latent, 2)
            + convolve(place.clone(), predictor.place.as_ref().unwrap(), 3)
            + predictor.action.forward(action.clone()).reshape([2, 5, 1, 1]);
        let first = relu(first).permute([0, 2, 3, 1]).reshape([24, 5]);
        let outputs = predictor.output.forward(relu(predictor.middle.forward(first)));
        let change = (outputs.clone().narrow(1, 0, 2) * sigmoid(outputs.narrow(1, 2, 2))).reshape([2, 24]);
        let given = predictor.rollout(state.clone().unsqueeze_dim(1), action.unsqueeze_dim(1), Some(place));
        given
            .squeeze_dim::<2>(1)
            .into_data()
            .assert_approx_eq::<f32>(&(state + change).into_data(), burn::tensor::Tolerance::absolute(1e-5));
    }

    #[test]
    fn a_rollout_is_its_steps_and_rows_do_not_meet() {
        let predictor = ResidualConvConfig { hidden: 4 }.init(GRID, 12, 0, 2, &Device::flex());
        let (start, actions) = (random([600, 1, 12]), random([600, 3, 2]));
        let whole = predictor.rollout(start.clone(), actions.clone(), None);
        let mut state = start.narrow(0, 300, 1);
        for step in 0..3 {
            state = predictor.rollout(state, actions.clone().slice([300..301, step..step + 1]), None);
        }
        let last = whole.slice([300..301, 2..3]);
        last.into_data().assert_approx_eq::<f32>(&state.into_data(), burn::tensor::Tolerance::absolute(1e-4));
    }

    #[test]
    fn parameters_are_those_of_the_layers() {
        let predictor = ResidualConvConfig { hidden: 4 }.init(GRID, 24, 12, 2, &Device::flex());
        assert_eq!(predictor.num_params(), (18 * 4 + 4) + 9 * 4 + 2 * 4 + (16 + 4) + (4 * 4 + 4));
    }
}
