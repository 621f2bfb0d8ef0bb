//! The cross-entropy method.

use prevision_core::config::Options;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::search::{Stopwatch, summary};
use super::{Gaussian, Sampler, Solution, Solved, Solver, SolverContext, elites, validate_rounds};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`Cem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CemConfig {
    /// Sequences in each round. Default 200.
    pub samples: usize,
    /// The cheapest sequences, which the distribution of the next round is fitted to. Default 20.
    pub elites: usize,
    /// Rounds. Default 10.
    pub iterations: usize,
}

impl Default for CemConfig {
    fn default() -> Self {
        Self { samples: 200, elites: 20, iterations: 10 }
    }
}

impl Options for CemConfig {
    fn validate(&self) -> Result<(), String> {
        validate_rounds(self.samples, self.elites, 2.0, self.iterations)
    }
}

/// The cross-entropy method (Rubinstein 1999; the settings are those of `eb_jepa` and `jepa-wms`): sample, keep the
/// elites, fit mean and standard deviation to them, repeat. The mean itself is the first candidate of every iteration,
/// so that the best plan is not lost. Returns the last mean.
#[derive(Clone, Debug)]
pub struct Cem {
    sampler: Sampler,
    keys: CemConfig,
}

impl Cem {
    /// A solver with these keys.
    pub fn new(context: &SolverContext, keys: CemConfig) -> Self {
        Self { sampler: Sampler::new(context, keys.samples, 0.0), keys }
    }
}

impl Solver for Cem {
    fn name(&self) -> &'static str {
        "cem"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let context = self.sampler.context();
        let (rows, sequence) = (noise.rows(), context.sequence());
        let mut watch = Stopwatch::start(context, rows);
        let mut gaussian = Gaussian::start(context, rows, warm_start);
        for iteration in 0..self.keys.iterations {
            let current = gaussian.mean.clone();
            let scored = self.sampler.iterate(&gaussian, iteration, score, noise, |row, candidates| {
                candidates[..sequence].copy_from_slice(&current[row * sequence..][..sequence]);
            });
            for row in 0..rows {
                let candidates = scored.row(row);
                let chosen = elites::best(candidates.ranks, self.keys.elites);
                let range = row * sequence..(row + 1) * sequence;
                let std = &mut gaussian.std[range.clone()];
                elites::mean_and_std(candidates.actions, &chosen, &mut gaussian.mean[range], std);
                watch.note(row, summary(&candidates, &chosen, std));
            }
            if watch.ends(iteration + 1 < self.keys.iterations) {
                break;
            }
        }
        Ok(Solution { searches: watch.stop(), ..self.sampler.solution(gaussian.mean, score) })
    }
}

#[cfg(test)]
mod tests {
    use prevision_core::Space;

    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Injected, Quadratic, one_step, search};
    use crate::solver::{RandomConfig, RandomShooting};

    fn cem(context: &SolverContext, samples: usize, elites: usize, iterations: usize) -> Cem {
        Cem::new(context, CemConfig { samples, elites, iterations })
    }

    #[test]
    fn injected_noise_gives_the_numbers_worked_by_hand() {
        // One step, one component, target 1, std 2. First round: mean 0, samples [0 (the mean), 1, -2, 4]; costs
        // [1, 0, 9, 9]; elites 1 and 0: mean 0.5, std 1/sqrt(2). Second round: [0.5, 0.5 + 1/sqrt(2), .., ..] with costs
        // [0.25, 0.0429, ..]: elites 0.5 and 1.2071068, mean 0.8535534, whose cost is 0.0214466.
        let score = Quadratic::new(&[[1.0]]);
        let mut noise = Injected::new(vec![vec![0.0, 0.5, -1.0, 2.0], vec![9.0, 1.0, -2.0, 4.0]]);
        let Solution { plan, imagined, searches } =
            cem(&one_step(2.0), 4, 2, 2).solve(&score, None, &mut noise).unwrap();
        assert!((plan.actions[0] - 0.853_553_4).abs() < 1e-6, "{plan:?}");
        assert!((plan.cost[0] - 0.021_446_6).abs() < 1e-6, "{plan:?}");
        assert_eq!(plan.violation, [0.0]);
        let [first, second] = searches[0].iterations[..] else { panic!("{searches:?}") };
        assert_eq!((first.best, first.elites), (0.0, 0.5));
        assert!((first.spread - 0.5_f32.sqrt()).abs() < 1e-6 && (second.spread - 0.5).abs() < 1e-6, "{searches:?}");
        assert!((second.best - 0.042_893).abs() < 1e-5 && (second.elites - 0.146_447).abs() < 1e-5, "{searches:?}");
        let imagined = imagined.tokens.into_data().try_into_vec_as::<f32>().unwrap();
        assert_eq!(imagined, plan.actions, "what is imagined is the plan's own");
    }

    #[test]
    fn finds_the_minimum_and_beats_random_shooting() {
        let score = Quadratic::new(&[[0.6, -0.2], [-0.5, 0.3]]);
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        let random = RandomShooting::new(&search(), RandomConfig { samples: 640 });
        let random = random.solve(&score, None, &mut noise).unwrap().plan;
        let cem = cem(&search(), 64, 8, 10).solve(&score, None, &mut noise).unwrap().plan;
        for row in 0..2 {
            let (found, baseline) = (score.of(row, cem.plan(row)), score.of(row, random.plan(row)));
            assert!(found < 0.1 * baseline, "row {row}: {found} against {baseline}");
            assert!((cem.cost[row] - found).abs() < 1e-5, "the cost is that of the plan");
        }
    }

    #[test]
    fn actions_stay_within_the_limit() {
        let score = Quadratic::new(&[[30.0, 40.0]]);
        let plan = cem(&search(), 64, 8, 8).solve(&score, None, &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        for action in plan.actions.chunks_exact(2) {
            let norm = action[0].hypot(action[1]);
            assert!(norm <= 2.0 + 1e-5 && norm > 1.5, "{action:?}");
        }
    }

    #[test]
    fn a_box_is_kept_to_number_by_number() {
        let score = Quadratic::new(&[[30.0, -40.0]]);
        let space = Space::Box { low: vec![-1.0, -0.5], high: vec![0.25, 3.0] };
        let context = SolverContext { space, ..search() };
        let plan = cem(&context, 64, 8, 8).solve(&score, None, &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        for action in plan.actions.chunks_exact(2) {
            assert!((0.1..=0.25).contains(&action[0]) && (-0.5..=-0.4).contains(&action[1]), "{action:?}");
        }
    }

    #[test]
    fn choices_are_planned_and_executed_as_choices() {
        // Two choices a block; the best are 2, then 0, in every step.
        let score = Quadratic::new(&[[0.0, 0.1, 0.9, 1.0, 0.1, 0.0]]);
        let context = SolverContext { space: Space::Discrete { count: 3 }, block: 2, ..search() };
        let plan = cem(&context, 200, 20, 8).solve(&score, None, &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        assert_eq!(plan.actions, [0.0, 0.0, 1.0, 1.0, 0.0, 0.0].repeat(8));
    }

    #[test]
    fn feasible_candidates_come_first_whatever_their_cost() {
        // Target 1.5 under the bound 0.5: the best feasible action is at the bound.
        let score = Quadratic::new(&[[1.5]]).bounded(0.5);
        let solver = cem(&one_step(1.0), 64, 8, 12);
        let plan = solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        assert!((0.45..=0.5).contains(&plan.actions[0]) && plan.violation == [0.0], "{plan:?}");
        // Nothing feasible is within reach of the limit: the least violation is what is left.
        let score = Quadratic::new(&[[1.5]]).bounded(-20.0);
        let plan = solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        assert!(plan.actions[0] < -1.0 && plan.violation[0] > 9.0, "{plan:?}");
    }
}
