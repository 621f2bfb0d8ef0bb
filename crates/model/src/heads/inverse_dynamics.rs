//! Which action leads from one latent to the next: keeps in the latent what actions move.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

use crate::grid::{Grid, NEIGHBOURS};
use crate::initialisation::{TRANSFORMER_STD, normal_linear};
use crate::layers::{Activation, linear};
use crate::world_model::InverseModel;

/// Hidden width, as upstream.
const HIDDEN: usize = 256;
/// Hidden width of a head on a grid of tokens.
const GRID_HIDDEN: usize = 64;
/// The mean squared change that a place which does not change counts for.
const STILL: f64 = 1e-6;

/// Reads an action from the latents before and after it.
///
/// Of latents that are one vector: MLP `2 dim -> 256 -> 256 -> action` with `ReLU` (`eb_jepa`, inverse dynamics model), weights drawn from
/// N(0, 0.02^2), biases zero.
///
/// On a grid of tokens an MLP looks at the neighbourhood of every place, before and after, and says how much the action shows there, and
/// which it is. The action is the mean of the places, each weighted by how much it changes, times the exponential of how much the action
/// shows. What is learned in one place holds in all: of a whole grid as one vector, actions are hardly learned at all.
#[derive(Module, Debug)]
pub struct InverseDynamics {
    first: Linear,
    second: Linear,
    output: Linear,
    /// The grid of the tokens, the last ones of a latent; `None`: a latent is one vector.
    grid: Option<Grid>,
}

impl InverseDynamics {
    /// A head for latents of length `dim` and actions of length `action_dim`.
    pub fn new(dim: usize, action_dim: usize, device: &Device) -> Self {
        let layer = |inputs, outputs| normal_linear(inputs, outputs, TRANSFORMER_STD, device);
        Self {
            first: layer(2 * dim, HIDDEN),
            second: layer(HIDDEN, HIDDEN),
            output: layer(HIDDEN, action_dim),
            grid: None,
        }
    }

    /// A head for the latents of an encoder, `dim` numbers behind those of a static one.
    pub(crate) fn of_grid(grid: [usize; 2], dim: usize, action_dim: usize, device: &Device) -> Self {
        let grid = Grid::new(grid);
        let seen = 2 * NEIGHBOURS * dim / grid.places();
        let layer = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Self {
            first: layer(seen, GRID_HIDDEN),
            second: layer(GRID_HIDDEN, GRID_HIDDEN),
            output: layer(GRID_HIDDEN, 1 + action_dim),
            grid: Some(grid),
        }
    }

    /// # Shapes
    /// - now, next: `[n, dim]`
    /// - output: `[n, action]`
    pub fn forward(&self, now: Tensor<2>, next: Tensor<2>) -> Tensor<2> {
        let Some(grid) = &self.grid else { return self.read(Tensor::cat(vec![now, next], 1)) };
        let [now, next] = [now, next].map(|latents| self.neighbourhoods(grid, latents));
        let change = (next.clone() - now.clone()).square().mean_dim(2);
        let read = self.read(Tensor::cat(vec![now, next], 2));
        let [count, _, outputs] = read.dims();
        // Places count by how much they change: the few that the action can show at are found at once.
        let shows = softmax(read.clone().narrow(2, 0, 1) + (change + STILL).log(), 1);
        (read.narrow(2, 1, outputs - 1) * shows).sum_dim(1).reshape([count, outputs - 1])
    }

    /// The neighbourhood of every place in the moving part of latents, `[n, places, 9 * channels]`.
    fn neighbourhoods(&self, grid: &Grid, latents: Tensor<2>) -> Tensor<3> {
        let ([count, width], places) = (latents.dims(), grid.places());
        let [inputs, _] = self.first.weight.dims();
        let channels = inputs / (2 * NEIGHBOURS);
        let moving = channels * places;
        grid.neighbourhoods(latents.narrow(1, width - moving, moving).reshape([count, places, channels]))
    }

    /// The MLP, on the last axis.
    fn read<const D: usize>(&self, inputs: Tensor<D>) -> Tensor<D> {
        let hidden = linear(&self.second, linear(&self.first, inputs, Activation::Relu), Activation::Relu);
        linear(&self.output, hidden, Activation::Identity)
    }
}

impl InverseModel for InverseDynamics {
    fn action(&self, now: Tensor<3>, next: Tensor<3>) -> Tensor<2> {
        self.forward(now.flatten(1, 2), next.flatten(1, 2))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;

    use super::*;

    /// The action is read at the one place that says that it shows there.
    #[test]
    fn a_grid_is_read_where_the_action_shows() {
        let device = Device::flex();
        let mut head = InverseDynamics::of_grid([2, 3], 6, 1, &device);
        // The middle of a neighbourhood, before and after.
        let mut first = [[0.0; GRID_HIDDEN]; 2 * NEIGHBOURS];
        first[NEIGHBOURS / 2][0] = 1.0;
        first[NEIGHBOURS + NEIGHBOURS / 2][1] = 1.0;
        // What was there before says how much, what is there after which.
        let mut output = [[0.0; 2]; GRID_HIDDEN];
        output[0][0] = 30.0;
        output[1][1] = 1.0;
        for layer in [&mut head.first, &mut head.second, &mut head.output] {
            let width = layer.weight.dims()[1];
            layer.bias = Some(Param::from_tensor(Tensor::zeros([width], &device)));
        }
        head.first.weight = Param::from_tensor(Tensor::from_floats(first, &device));
        head.second.weight = Param::from_tensor(Tensor::eye(GRID_HIDDEN, &device));
        head.output.weight = Param::from_tensor(Tensor::from_floats(output, &device));
        // A static number comes first.
        let now = Tensor::<2>::from_floats([[9.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]], &device);
        let next = Tensor::<2>::from_floats([[9.0, 5.0, 4.0, 3.0, 2.0, 0.25, 1.0]], &device);
        let read = head.forward(now, next);
        assert_eq!(read.dims(), [1, 1]);
        assert!((read.into_scalar::<f32>() - 0.25).abs() < 1e-5);
    }
}
