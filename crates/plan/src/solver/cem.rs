//! The cross-entropy method.

use super::candidates::{Gaussian, Sampler};
use super::{Search, Solver, elites};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// The cross-entropy method (Rubinstein 1999; the settings are those of `eb_jepa` and `jepa-wms`): sample, keep the
/// elites, fit mean and standard deviation to them, repeat. The mean itself is the first candidate of every iteration,
/// so that the best plan is not lost. Returns the last mean.
#[derive(Clone, Debug)]
pub struct Cem {
    /// What is searched.
    pub search: Search,
    /// Rounds of sampling.
    pub iterations: usize,
    /// How many of the best candidates the distribution is fitted to.
    pub elites: usize,
}

impl Solver for Cem {
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
                *cost = cost.min(costs[chosen[0]]);
                let range = row * sequence..(row + 1) * sequence;
                let std = &mut gaussian.std[range.clone()];
                elites::mean_and_std(candidates, &chosen, &mut gaussian.mean[range], std);
            }
        }
        let Search { horizon, action_dim, .. } = self.search;
        ActionPlan { horizon, action_dim, mean: gaussian.mean, cost, kept: 0, elites: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::ActionLimit;
    use crate::noise::SeededNoise;
    use crate::solver::RandomShooting;
    use crate::solver::toy::{Injected, Quadratic, search};

    #[test]
    fn injected_noise_gives_the_numbers_worked_by_hand() {
        // One step, one component, target 1, std 2. First round: mean 0, samples [0 (the mean), 1, -2, 4]; costs
        // [1, 0, 9, 9]; elites 1 and 0: mean 0.5, std 1/sqrt(2). Second round: [0.5, 0.5 + 1/sqrt(2), .., ..] with costs
        // [0.25, 0.0429, ..]: elites 0.5 and 1.2071068, mean 0.8535534. The lowest cost was that of the first round's 1.
        let score = Quadratic::new(&[[1.0]]);
        let mut noise = Injected::new(vec![vec![0.0, 0.5, -1.0, 2.0], vec![9.0, 1.0, -2.0, 4.0]]);
        let limit = ActionLimit { dim: 1, norm: 10.0 };
        let search = Search { horizon: 1, action_dim: 1, samples: 4, initial_std: 2.0, limit, noise_exponent: 0.0 };
        let plan = Cem { search, iterations: 2, elites: 2 }.solve(&score, None, &mut noise);
        assert!((plan.mean[0] - 0.853_553_4).abs() < 1e-6, "{plan:?}");
        assert_eq!(plan.cost, [0.0]);
    }

    #[test]
    fn finds_the_minimum_and_beats_random_shooting() {
        let score = Quadratic::new(&[[0.6, -0.2], [-0.5, 0.3]]);
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        let random = RandomShooting { search: search(64), iterations: 10 }.solve(&score, None, &mut noise);
        let cem = Cem { search: search(64), iterations: 10, elites: 8 }.solve(&score, None, &mut noise);
        for row in 0..2 {
            let (found, baseline) = (score.of(row, cem.plan(row)), score.of(row, random.plan(row)));
            assert!(found < 0.1 * baseline, "row {row}: {found} against {baseline}");
        }
    }

    #[test]
    fn actions_stay_within_the_limit() {
        let score = Quadratic::new(&[[30.0, 40.0]]);
        let solver = Cem { search: search(64), iterations: 8, elites: 8 };
        let plan = solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0]));
        for action in plan.mean.chunks_exact(2) {
            let norm = action[0].hypot(action[1]);
            assert!(norm <= 2.0 + 1e-5 && norm > 1.5, "{action:?}");
        }
    }
}
