//! Random shooting: sample once, take the best.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::search::{Stopwatch, summary};
use super::{Gaussian, Sampler, Solution, Solved, Solver, SolverContext, elites};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`RandomShooting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RandomConfig {
    /// Sequences sampled. Default 200.
    pub samples: usize,
}

impl Default for RandomConfig {
    fn default() -> Self {
        Self { samples: 200 }
    }
}

impl Options for RandomConfig {
    fn validate(&self) -> Result<(), String> {
        check("samples", self.samples as f64).at_least(1.0)?.done()
    }
}

/// Samples candidates around the warm start, which is the first of them, and returns the best. The baseline any other solver must
/// beat at equal work.
#[derive(Clone, Debug)]
pub struct RandomShooting {
    sampler: Sampler,
}

impl RandomShooting {
    /// A solver with these keys.
    pub fn new(context: &SolverContext, keys: RandomConfig) -> Self {
        Self { sampler: Sampler::new(context, keys.samples, 0.0) }
    }
}

impl Solver for RandomShooting {
    fn name(&self) -> &'static str {
        "random"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let context = self.sampler.context();
        let (rows, sequence) = (noise.rows(), context.sequence());
        let mut watch = Stopwatch::start(context, rows);
        let gaussian = Gaussian::start(context, rows, warm_start);
        let scored = self.sampler.iterate(&gaussian, 0, score, noise, |row, candidates| {
            candidates[..sequence].copy_from_slice(&gaussian.mean[row * sequence..][..sequence]);
        });
        let mut actions = Vec::with_capacity(rows * sequence);
        for row in 0..rows {
            let candidates = scored.row(row);
            let best = elites::best(candidates.ranks, 1);
            actions.extend_from_slice(&candidates.actions[best[0] * sequence..][..sequence]);
            watch.note(row, summary(&candidates, &best, &gaussian.std[row * sequence..][..sequence]));
        }
        Ok(Solution { searches: watch.stop(), ..self.sampler.solution(actions, score) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Quadratic, search};

    #[test]
    fn more_samples_find_better_plans_and_the_cost_is_that_of_the_plan() {
        let score = Quadratic::new(&[[1.4, -1.0], [1.2, 1.3]]);
        let plan = |samples| {
            let solver = RandomShooting::new(&search(), RandomConfig { samples });
            solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0, 1])).unwrap().plan
        };
        let (few, many) = (plan(30), plan(3_000));
        for row in 0..2 {
            assert!(many.cost[row] < few.cost[row], "{} {}", many.cost[row], few.cost[row]);
            assert!((score.of(row, few.plan(row)) - few.cost[row]).abs() < 1e-5);
        }
    }

    #[test]
    fn a_warm_start_is_kept_when_nothing_is_better() {
        let score = Quadratic::new(&[[0.5, 0.5]]);
        let best = ActionPlan {
            horizon: 8,
            action_width: 2,
            actions: vec![0.5; 16],
            cost: vec![9.0],
            violation: vec![0.0],
            kept: 0,
            elites: Vec::new(),
        };
        let solver = RandomShooting::new(&search(), RandomConfig { samples: 20 });
        let plan = solver.solve(&score, Some(&best), &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        assert_eq!((plan.actions, plan.cost), (vec![0.5; 16], vec![0.0]));
    }
}
