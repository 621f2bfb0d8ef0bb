//! How many steps lie between two latents on a grid of tokens, as the shortest path over the grid.
//!
//! A value iteration network (Tamar et al. 2016, "Value Iteration Networks") in its min-plus form: what it takes to pass a token is
//! read from the static tokens around it, the goal is where its dynamic tokens say, and values spread from there until every
//! token knows its shortest path. All of it is local, so it holds in floor plans that were never seen; a plan computes the
//! field of its goal once and reads every imagined latent from it.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{softmax, softplus};
use burn::tensor::{Device, Tensor, TensorData};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::grid::{Grid, NEIGHBOURS};
use crate::layers::{Activation, linear};
use prevision_core::config::check::positive;

/// Steps that nothing takes: the value outside the grid.
const FAR: f32 = 1e4;
/// Energy of a place where nothing is.
const EMPTY: f64 = 1e-4;
/// What passing a token takes before training, in steps.
const FIRST_COST: f64 = 5.0;
/// Steps for a unit of the network's output: what blocks the way must come to take many steps.
const GAIN: f64 = 40.0;
/// Steps to the goal from a place where it is less by a factor of `e`; that from one where it is not at all, which is less by a
/// factor of hundreds or more, are then more than any way takes.
const SHARPNESS: f64 = 5.0;

/// Configuration of a [`DistanceField`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DistanceFieldConfig {
    /// Units of the hidden layers. Default 32.
    pub hidden: usize,
}

impl Default for DistanceFieldConfig {
    fn default() -> Self {
        Self { hidden: 32 }
    }
}

impl DistanceFieldConfig {
    /// Builds the head for latents of `static_dim`, then `dim` numbers, both on a `grid` of tokens.
    pub fn init(&self, grid: [usize; 2], static_dim: usize, dim: usize, device: &Device) -> DistanceField {
        let grid = Grid::new(grid);
        let (still, moving) = (static_dim / grid.places(), dim / grid.places());
        let seen = if still > 0 { still } else { moving };
        let linear = |inputs: usize, outputs: usize| LinearConfig::new(inputs, outputs).init(device);
        DistanceField {
            around: linear(NEIGHBOURS * seen, self.hidden),
            cost: linear(self.hidden, 1),
            salience: LinearConfig::new(moving, self.hidden).with_bias(false).init(device),
            grid,
            static_dim,
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

/// Shortest paths over a grid of tokens with learned costs.
#[derive(Module, Debug)]
pub struct DistanceField {
    /// Static neighbourhood to hidden, hidden to what passing the token takes.
    around: Linear,
    cost: Linear,
    /// How far a dynamic token is from those of the other places, to what tells the agent.
    salience: Linear,
    grid: Grid,
    static_dim: usize,
}

impl DistanceField {
    /// Number of places.
    pub fn places(&self) -> usize {
        self.grid.places()
    }

    /// Where the agent is: the probability of every place.
    ///
    /// # Shapes
    /// - latents: `[n, static_dim + dim]`
    /// - output: `[n, places]`
    pub fn presence(&self, latents: Tensor<2>) -> Tensor<2> {
        softmax(self.scores(latents), 1)
    }

    /// The logarithm of how much the dynamic token of every place differs from the mean token, `[n, places]`.
    fn scores(&self, latents: Tensor<2>) -> Tensor<2> {
        let ([count, width], places) = (latents.dims(), self.grid.places());
        let dim = width - self.static_dim;
        let tokens = latents.narrow(1, self.static_dim, dim).reshape([count, places, dim / places]);
        let differences = tokens.clone() - tokens.mean_dim(1);
        // |d S|^2 = d (S S^T) d^T: a token has fewer numbers than the salience has units.
        let salience = self.salience.weight.val();
        let form = salience.clone().matmul(salience.transpose());
        let energy = (differences.clone().matmul(form.unsqueeze_dim(0)) * differences).sum_dim(2);
        // Rounding may leave a square below zero.
        (energy.reshape([count, places]).clamp_min(0.0) + EMPTY).log()
    }

    /// What it takes to pass every place, in steps.
    ///
    /// # Shapes
    /// - latents: `[n, static_dim + dim]`
    /// - output: `[n, places]`
    pub fn costs(&self, latents: Tensor<2>) -> Tensor<2> {
        let ([count, width], places) = (latents.dims(), self.grid.places());
        let seen = if self.static_dim > 0 { self.static_dim } else { width };
        let tokens = latents.narrow(1, 0, seen).reshape([count, places, seen / places]);
        let around = self.grid.neighbourhoods(tokens);
        let hidden = linear(&self.around, around, Activation::Relu);
        let cost = linear(&self.cost, hidden, Activation::Identity).reshape([count, places]);
        softplus(cost * GAIN + FIRST_COST, 1.0)
    }

    /// The field of a goal: steps to the agent of these latents from every place. `obstacles` are steps that passing a place takes
    /// beside what is learned, for what was met on the way.
    ///
    /// # Shapes
    /// - latents: `[n, static_dim + dim]`
    /// - obstacles, output: `[n, places]`
    pub fn field(&self, latents: Tensor<2>, obstacles: Option<Tensor<2>>) -> Tensor<2> {
        let ([count, _], places) = (latents.dims(), self.grid.places());
        let device = latents.device();
        // The way from the middle of a place to that of a neighbour leads half through each.
        let half = |k: usize| ((k / 3) as f32 - 1.0).hypot((k % 3) as f32 - 1.0) / 2.0;
        let lengths: Vec<f32> = (0..NEIGHBOURS).map(half).collect();
        let lengths = Tensor::<3>::from_data(TensorData::new(lengths, [1, 1, NEIGHBOURS]), &device);
        let costs = self.costs(latents.clone());
        let costs = obstacles.map_or(costs.clone(), |obstacles| costs + obstacles);
        let column = costs.reshape([count, places, 1]);
        let ways = (self.grid.neighbourhoods(column.clone()) + column) * lengths;
        let scores = self.scores(latents);
        let sources = (scores.clone().max_dim(1) - scores.clone()).square() * SHARPNESS;
        let field = self.grid.shortest_paths(sources, ways, FAR);
        // From the goal to itself it is no step, wherever in its places it is.
        let own = self.steps(softmax(scores, 1).reshape([count, 1, places]), field.clone());
        field - own
    }

    /// Steps from where the agent is to a goal: the mean of the goal's field.
    ///
    /// # Shapes
    /// - presence: `[goals, n, places]`
    /// - field: `[goals, places]`
    /// - output: `[goals, n]`
    pub fn steps(&self, presence: Tensor<3>, field: Tensor<2>) -> Tensor<2> {
        let [goals, count, _] = presence.dims();
        presence.matmul(field.unsqueeze_dim(2)).reshape([goals, count])
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;

    use super::*;

    const GRID: [usize; 2] = [3, 4];

    /// A head of one static and one dynamic channel: a place takes 1 step, and 101 where the static token is 1.
    fn head(device: &Device) -> DistanceField {
        let mut head = DistanceFieldConfig { hidden: 1 }.init(GRID, 12, 12, device);
        let constant = |value: f64, shape: [usize; 1]| Some(Param::from_tensor(Tensor::full(shape, value, device)));
        let mut middle = [[0.0_f32]; NEIGHBOURS];
        middle[4] = [100.0 / GAIN as f32];
        head.around.weight = Param::from_tensor(Tensor::from_floats(middle, device));
        head.around.bias = constant(0.0, [1]);
        head.cost.weight = Param::from_tensor(Tensor::ones([1, 1], device));
        // softplus(x) = 1
        head.cost.bias = constant(((1.0_f64.exp() - 1.0).ln() - FIRST_COST) / GAIN, [1]);
        head.salience.weight = Param::from_tensor(Tensor::full([1, 1], 30.0, device));
        head
    }

    /// Static tokens with a wall in the third column that leaves the last row open; the agent at `place`.
    fn latent(place: usize) -> [f32; 24] {
        let mut latent = [0.0; 24];
        (latent[2], latent[6], latent[12 + place]) = (1.0, 1.0, 1.0);
        latent
    }

    fn latents(places: &[usize], device: &Device) -> Tensor<2> {
        let values: Vec<f32> = places.iter().flat_map(|&place| latent(place)).collect();
        Tensor::from_data(TensorData::new(values, [places.len(), 24]), device)
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().try_into_vec_as::<f32>().unwrap()
    }

    #[test]
    fn presence_is_where_the_token_differs() {
        let device = Device::flex();
        let presence = values(head(&device).presence(latents(&[5], &device)));
        assert!((presence.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(presence[5] > 0.9, "{presence:?}");
    }

    #[test]
    fn costs_are_read_from_the_static_tokens() {
        let device = Device::flex();
        let costs = values(head(&device).costs(latents(&[0], &device)));
        for (place, cost) in costs.iter().enumerate() {
            let expected = if place == 2 || place == 6 { 101.0 } else { 1.0 };
            assert!((cost - expected).abs() < 1.0, "{place}: {cost}");
        }
    }

    /// The way from the first column to the last leads around the wall: two rows down, along the last row, two rows up.
    #[test]
    fn the_field_knows_the_way_around() {
        let device = Device::flex();
        let head = head(&device);
        let field = values(head.field(latents(&[3], &device), None));
        let diagonal = 2.0_f32.sqrt();
        // From 3: straight down to 7, diagonally to 10, diagonally to 5, diagonally to 0.
        assert!((field[7] - field[3] - 1.0).abs() < 1e-3, "{field:?}");
        assert!((field[0] - field[3] - (1.0 + 3.0 * diagonal)).abs() < 1e-3, "{field:?}");
        // Through the wall it would be three steps and a hundred.
        assert!(field[2] - field[3] > 50.0, "{field:?}");
    }

    /// With an obstacle where the last row passes the wall, the way through the wall is as good.
    #[test]
    fn obstacles_lengthen_the_way() {
        let device = Device::flex();
        let head = head(&device);
        let mut obstacles = [0.0_f32; 12];
        obstacles[10] = 500.0;
        let obstacles = Tensor::<1>::from_floats(obstacles, &device).reshape([1, 12]);
        let field = values(head.field(latents(&[3], &device), Some(obstacles)));
        assert!((field[0] - field[3] - 103.0).abs() < 2.0, "{field:?}");
    }

    #[test]
    fn no_step_leads_from_a_goal_to_itself() {
        let device = Device::flex();
        let head = head(&device);
        let latents = latents(&[0, 9], &device);
        let own = head.steps(head.presence(latents.clone()).reshape([2, 1, 12]), head.field(latents, None));
        assert!(values(own).iter().all(|steps| steps.abs() < 1e-3));
    }

    #[test]
    fn every_parameter_learns() {
        let device = Device::flex().autodiff();
        let head = DistanceFieldConfig { hidden: 4 }.init(GRID, 12, 12, &device);
        let noise = || Tensor::<2>::random([3, 24], burn::tensor::Distribution::Normal(0.0, 1.0), &device);
        let steps = head.steps(head.presence(noise()).reshape([3, 1, 12]), head.field(noise(), None)).sum();
        let gradients = steps.backward();
        for layer in [&head.around, &head.cost, &head.salience] {
            let gradient = layer.weight.val().grad(&gradients).expect("a gradient");
            assert!(gradient.abs().sum().into_scalar::<f32>() > 0.0);
        }
    }
}
