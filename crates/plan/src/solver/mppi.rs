//! Model predictive path integral control.

use super::candidates::{Gaussian, Sampler};
use super::{Search, Solver, elites};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// MPPI (Williams et al. 2017), as `eb_jepa`, TD-MPC2 and stable-worldmodel use it: the elites weighted by
/// [`mppi_weights`] make the new mean. The current mean is the first candidate of every iteration. Returns the last mean.
#[derive(Clone, Debug)]
pub struct Mppi {
    /// What is searched.
    pub search: Search,
    /// Rounds of sampling.
    pub iterations: usize,
    /// How many of the best candidates get a weight; all samples give the original method.
    pub elites: usize,
    /// Difference in cost by which a weight falls by `e`, in the cost's units.
    pub temperature: f32,
    /// Whether the standard deviation follows that of the weighted elites.
    pub update_std: bool,
}

/// The weights `softmax(-(c - min c) / temperature)`; uniform if no cost is finite.
pub fn mppi_weights(costs: &[f32], temperature: f32) -> Vec<f32> {
    let least = costs.iter().copied().fold(f32::INFINITY, f32::min);
    if !least.is_finite() {
        return vec![1.0 / costs.len() as f32; costs.len()];
    }
    let mut weights: Vec<f32> = costs.iter().map(|cost| (-(cost - least) / temperature).exp()).collect();
    let sum: f32 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    weights
}

impl Mppi {
    /// Fits the distribution of one episode to its weighted elites.
    fn update(&self, candidates: &[f32], chosen: &[usize], weights: &[f32], mean: &mut [f32], std: &mut [f32]) {
        elites::weighted_mean(candidates, chosen, weights, mean);
        if !self.update_std {
            return;
        }
        std.fill(0.0);
        for (index, weight) in chosen.iter().zip(weights) {
            for ((sum, value), mean) in std.iter_mut().zip(&candidates[index * mean.len()..]).zip(mean.iter()) {
                *sum += weight * (value - mean) * (value - mean);
            }
        }
        for sum in std {
            *sum = sum.sqrt();
        }
    }
}

impl Solver for Mppi {
    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> ActionPlan {
        let (rows, sequence) = (noise.rows(), self.search.sequence());
        let sampler = Sampler::new(self.search);
        let mut gaussian = Gaussian::start(&self.search, rows, warm_start);
        let mut cost = vec![f32::INFINITY; rows];
        for iteration in 0..self.iterations {
            let current = gaussian.mean.clone();
            let scored = sampler.iterate(&gaussian, iteration, score, noise, |row, candidates| {
                candidates[..sequence].copy_from_slice(&current[row * sequence..][..sequence]);
            });
            for (row, cost) in cost.iter_mut().enumerate() {
                let (candidates, costs) = scored.row(row);
                let chosen = elites::best(costs, self.elites);
                let chosen_costs: Vec<f32> = chosen.iter().map(|index| costs[*index]).collect();
                let weights = mppi_weights(&chosen_costs, self.temperature);
                *cost = cost.min(chosen_costs[0]);
                let range = row * sequence..(row + 1) * sequence;
                self.update(candidates, &chosen, &weights, &mut gaussian.mean[range.clone()], &mut gaussian.std[range]);
            }
        }
        let Search { horizon, action_dim, .. } = self.search;
        ActionPlan { horizon, action_dim, mean: gaussian.mean, cost, kept: 0, elites: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::RandomShooting;
    use crate::solver::toy::{Quadratic, search};

    #[test]
    fn weights_are_the_softmax() {
        // exp(0), exp(-1), exp(-2) over their sum 1.5032147.
        let weights = mppi_weights(&[3.0, 3.5, 4.0], 0.5);
        for (got, want) in weights.iter().zip([0.665_240_96, 0.244_728_47, 0.090_030_57]) {
            assert!((got - want).abs() < 1e-6, "{weights:?}");
        }
        assert_eq!(mppi_weights(&[1.0, f32::INFINITY], 1.0), [1.0, 0.0]);
        assert_eq!(mppi_weights(&[f32::INFINITY; 2], 1.0), [0.5, 0.5]);
    }

    #[test]
    fn weighted_deviation_by_hand() {
        let mut solver = Mppi { search: search(4), iterations: 1, elites: 2, temperature: 1.0, update_std: true };
        let (mut mean, mut std) = ([9.0], [9.0]);
        solver.update(&[1.0, 5.0], &[0, 1], &[0.75, 0.25], &mut mean, &mut std);
        assert_eq!((mean, std), ([2.0], [3.0_f32.sqrt()]));
        solver.update_std = false;
        solver.update(&[1.0, 7.0], &[0, 1], &[0.5, 0.5], &mut mean, &mut std);
        assert_eq!((mean, std), ([4.0], [3.0_f32.sqrt()]));
    }

    #[test]
    fn finds_the_minimum_and_beats_random_shooting() {
        let score = Quadratic::new(&[[0.6, -0.2], [-0.5, 0.3]]);
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        let random = RandomShooting { search: search(64), iterations: 10 }.solve(&score, None, &mut noise);
        let solver = Mppi { search: search(64), iterations: 10, elites: 16, temperature: 4.0, update_std: true };
        let mppi = solver.solve(&score, None, &mut noise);
        for row in 0..2 {
            let (found, baseline) = (score.of(row, mppi.plan(row)), score.of(row, random.plan(row)));
            assert!(found < 0.3 * baseline, "row {row}: {found} against {baseline}");
        }
    }
}
