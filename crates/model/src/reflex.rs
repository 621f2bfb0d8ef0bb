//! From what is seen and what is wanted to the actions between them, without a search.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use prevision_core::seed;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::grid::{Grid, NEIGHBOURS};
use crate::layers::{Activation, linear, linear_residual};

/// Sizes of a [`ReflexNetwork`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReflexNetworkConfig {
    /// Rows and columns of places.
    pub grid: [usize; 2],
    /// Numbers in every place.
    pub channels: usize,
    /// Units of every place.
    pub hidden: usize,
    /// How often every place looks at its neighbours.
    pub rounds: usize,
    /// Units of the layer before the outputs.
    pub head: usize,
    /// Numbers that come out.
    pub outputs: usize,
}

impl ReflexNetworkConfig {
    /// Number of weights in its matrices; `None` if that is more than can be counted.
    pub fn weights(&self) -> Option<usize> {
        let Self { channels, hidden, head, outputs, .. } = *self;
        let layers = [(channels, hidden), (hidden, hidden), (hidden, head), (head, outputs)];
        layers.into_iter().try_fold(0_usize, |sum, (from, to)| sum.checked_add(from.checked_mul(to)?))
    }

    /// The network with weights and biases uniform in `+-1/sqrt(inputs)`, which depend on the seed alone.
    pub fn init(&self, seed: u64, device: &Device) -> ReflexNetwork {
        let grid = Grid::new(self.grid);
        // A place without neighbours sees itself.
        let around = if grid.places() == 1 { 1 } else { NEIGHBOURS };
        let layer = |index, inputs, outputs| uniform_linear(seed, index, [inputs, outputs], device);
        ReflexNetwork {
            first: layer(0, around * self.channels, self.hidden),
            around: layer(1, around * self.hidden, self.hidden),
            change: layer(2, self.hidden, self.hidden),
            attention: layer(3, self.hidden, 1),
            head: layer(4, self.hidden, self.head),
            output: layer(5, self.head, self.outputs),
            grid,
            rounds: self.rounds,
        }
    }
}

/// Reads a grid of places: a layer on 3x3 neighbourhoods, rounds of one shared residual layer on 3x3 neighbourhoods, in which what is
/// known of one place spreads to others (as in value iteration networks, Tamar et al. 2016, which share their weights over rounds for
/// the same reason), attention to the places that matter, and an MLP of what is known there. A grid of a single place makes it a
/// residual MLP.
#[derive(Module, Debug)]
pub struct ReflexNetwork {
    /// Neighbourhood to hidden.
    pub first: Linear,
    /// Neighbourhood of hidden to hidden, then to the change of hidden; the same in every round.
    pub around: Linear,
    /// See `around`.
    pub change: Linear,
    /// Hidden to the logarithm of how much a place counts.
    pub attention: Linear,
    /// What is known where it counts, to hidden.
    pub head: Linear,
    /// To the outputs.
    pub output: Linear,
    grid: Grid,
    rounds: usize,
}

impl ReflexNetwork {
    /// # Shapes
    /// - places: `[n, rows * columns, channels]`
    /// - output: `[n, outputs]`
    pub fn forward(&self, places: Tensor<3>) -> Tensor<2> {
        let mut hidden = linear(&self.first, self.neighbourhoods(places), Activation::Relu);
        for _ in 0..self.rounds {
            let seen = linear(&self.around, self.neighbourhoods(hidden.clone()), Activation::Relu);
            hidden = linear_residual(&self.change, seen, hidden, Activation::Identity);
        }
        let [rows, _, width] = hidden.dims();
        let weights = softmax(linear(&self.attention, hidden.clone(), Activation::Identity), 1);
        let known = (hidden * weights).sum_dim(1).reshape([rows, width]);
        linear(&self.output, linear(&self.head, known, Activation::Relu), Activation::Identity)
    }

    fn neighbourhoods(&self, places: Tensor<3>) -> Tensor<3> {
        if self.grid.places() == 1 { places } else { self.grid.neighbourhoods(places) }
    }
}

/// A linear layer with weights and biases uniform in `+-1/sqrt(inputs)`, drawn on the host.
fn uniform_linear(seed: u64, index: u64, [inputs, outputs]: [usize; 2], device: &Device) -> Linear {
    let mut rng = seed::rng(seed, "reflex-weights", 0, index);
    let bound = 1.0 / (inputs as f32).sqrt();
    let mut draw = |count: usize| -> Vec<f32> { (0..count).map(|_| rng.random_range(-bound..bound)).collect() };
    let weight = Tensor::<2>::from_data(TensorData::new(draw(inputs * outputs), [inputs, outputs]), device);
    let bias = Tensor::<1>::from_data(TensorData::new(draw(outputs), [outputs]), device);
    Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Distribution, Tolerance};

    use super::*;

    fn config(grid: [usize; 2]) -> ReflexNetworkConfig {
        ReflexNetworkConfig { grid, channels: 3, hidden: 5, rounds: 2, head: 7, outputs: 4 }
    }

    fn noise(rows: usize, places: usize, device: &Device) -> Tensor<3> {
        Tensor::random([rows, places, 3], Distribution::Normal(0.0, 1.0), device)
    }

    #[test]
    fn rows_do_not_meet_and_weights_are_those_of_the_seed() {
        let device = Device::flex();
        for grid in [[3, 4], [1, 1]] {
            let places = noise(5, grid[0] * grid[1], &device);
            let all = config(grid).init(7, &device).forward(places.clone());
            assert_eq!(all.dims(), [5, 4]);
            let one = config(grid).init(7, &device).forward(places.clone().narrow(0, 3, 1));
            one.into_data()
                .assert_approx_eq::<f32>(&all.clone().narrow(0, 3, 1).into_data(), Tolerance::absolute(1e-5));
            let other = config(grid).init(8, &device).forward(places);
            assert!((other - all).abs().max().into_scalar::<f32>() > 1e-3);
        }
    }

    #[test]
    fn what_lies_farther_than_the_rounds_is_seen_by_attention_alone() {
        // One row of nine places: two rounds and the first layer reach three places far.
        let device = Device::flex();
        let network = config([1, 9]).init(1, &device);
        let hidden = |places: Tensor<3>| {
            let mut hidden = linear(&network.first, network.neighbourhoods(places), Activation::Relu);
            for _ in 0..2 {
                let seen = linear(&network.around, network.neighbourhoods(hidden.clone()), Activation::Relu);
                hidden = linear_residual(&network.change, seen, hidden, Activation::Identity);
            }
            hidden.abs().sum_dim(2).into_data().try_into_vec_as::<f32>().unwrap()
        };
        let mut lit = [0.0_f32; 27];
        lit[..3].fill(5.0);
        let dark = hidden(Tensor::zeros([1, 9, 3], &device));
        let lit = hidden(Tensor::from_data(TensorData::new(lit.to_vec(), [1, 9, 3]), &device));
        let changed: Vec<bool> = dark.iter().zip(&lit).map(|(a, b)| (a - b).abs() > 1e-6).collect();
        assert_eq!(changed, [true, true, true, true, false, false, false, false, false]);
    }

    #[test]
    fn every_parameter_learns() {
        let device = Device::flex().autodiff();
        let network = config([3, 4]).init(1, &device);
        let gradients = network.forward(noise(6, 12, &device)).square().sum().backward();
        for layer in
            [&network.first, &network.around, &network.change, &network.attention, &network.head, &network.output]
        {
            let gradient = layer.weight.val().grad(&gradients).expect("a gradient");
            assert!(gradient.abs().sum().into_scalar::<f32>() > 0.0);
        }
    }
}
