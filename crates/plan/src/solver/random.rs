//! Random shooting: draw once, take the best.

use super::candidates::{Gaussian, Sampler};
use super::{Search, Solver, elites};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Draws `samples * iterations` candidates around the warm start, never moving the distribution, and returns the best
/// ever seen. The baseline any other solver must beat at equal work.
#[derive(Clone, Debug)]
pub struct RandomShooting {
    /// What is searched.
    pub search: Search,
    /// How often `samples` candidates are drawn.
    pub iterations: usize,
}

impl Solver for RandomShooting {
    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> ActionPlan {
        let (rows, sequence) = (noise.rows(), self.search.sequence());
        let sampler = Sampler::new(self.search);
        let gaussian = Gaussian::start(&self.search, rows, warm_start);
        let mut plan = ActionPlan {
            horizon: self.search.horizon,
            action_dim: self.search.action_dim,
            mean: gaussian.mean.clone(),
            cost: vec![f32::INFINITY; rows],
            kept: 0,
            elites: Vec::new(),
        };
        for iteration in 0..self.iterations {
            let scored = sampler.iterate(&gaussian, iteration, score, noise, |row, candidates| {
                candidates[..sequence].copy_from_slice(plan.plan(row));
            });
            for row in 0..rows {
                let (candidates, costs) = scored.row(row);
                let best = elites::best(costs, 1)[0];
                plan.cost[row] = costs[best];
                plan.mean[row * sequence..][..sequence].copy_from_slice(&candidates[best * sequence..][..sequence]);
            }
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Quadratic, search};

    #[test]
    fn the_best_seen_so_far_is_kept() {
        let score = Quadratic::new(&[[0.6, -0.2], [1.0, 0.3]]);
        let cost = |iterations| {
            let solver = RandomShooting { search: search(50), iterations };
            solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0, 1])).cost
        };
        let (one, two, many) = (cost(1), cost(2), cost(40));
        assert!(
            one.iter().zip(&two).zip(&many).all(|((one, two), many)| two <= one && many < two),
            "{one:?} {two:?} {many:?}"
        );
    }

    #[test]
    fn the_cost_is_that_of_the_plan() {
        let score = Quadratic::new(&[[0.6, -0.2]]);
        let solver = RandomShooting { search: search(30), iterations: 3 };
        let plan = solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0]));
        assert!((score.of(0, &plan.mean) - plan.cost[0]).abs() < 1e-5);
    }
}
