//! Model predictive path integral control.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::search::{Stopwatch, summary};
use super::{Candidates, Gaussian, Sampler, Solution, Solved, Solver, SolverContext, elites, validate_rounds};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`Mppi`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MppiConfig {
    /// Sequences in each round. Default 200.
    pub samples: usize,
    /// The cheapest sequences, which get a weight; all samples give the original method. Default 20.
    pub elites: usize,
    /// Rounds. Default 10.
    pub iterations: usize,
    /// Difference in cost by which a weight falls by a factor of e, in the unit of the cost. Default 0.5.
    pub temperature: f64,
}

impl Default for MppiConfig {
    fn default() -> Self {
        Self { samples: 200, elites: 20, iterations: 10, temperature: 0.5 }
    }
}

impl Options for MppiConfig {
    fn validate(&self) -> Result<(), String> {
        validate_rounds(self.samples, self.elites, 1.0, self.iterations)?;
        check("temperature", self.temperature).above(0.0)?.done()
    }
}

/// MPPI (Williams et al. 2017), as `eb_jepa`, TD-MPC2 and stable-worldmodel use it: the elites weighted by
/// [`mppi_weights`] make the new mean; the standard deviation stays. The current mean is the first candidate of every iteration.
/// Returns the last mean.
///
/// Candidates that violate constraints get no weight, unless all do: then the elites are weighted by violation instead of cost.
#[derive(Clone, Debug)]
pub struct Mppi {
    sampler: Sampler,
    keys: MppiConfig,
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
    /// A solver with these keys.
    pub fn new(context: &SolverContext, keys: MppiConfig) -> Self {
        Self { sampler: Sampler::new(context, keys.samples, 0.0), keys }
    }

    /// The candidates of one episode that get a weight, and the weights.
    fn weighted(&self, candidates: &Candidates<'_>) -> (Vec<usize>, Vec<f32>) {
        let mut chosen = elites::best(candidates.ranks, self.keys.elites);
        let mut values = candidates.costs;
        if let Some(violations) = candidates.violations {
            // The best are feasible if any is.
            if violations[chosen[0]] > 0.0 {
                values = violations;
            } else {
                chosen.retain(|index| violations[*index] <= 0.0);
            }
        }
        let values: Vec<f32> = chosen.iter().map(|index| values[*index]).collect();
        let weights = mppi_weights(&values, self.keys.temperature as f32);
        (chosen, weights)
    }
}

impl Solver for Mppi {
    fn name(&self) -> &'static str {
        "mppi"
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
            for (row, mean) in gaussian.mean.chunks_exact_mut(sequence).enumerate() {
                let candidates = scored.row(row);
                let (chosen, weights) = self.weighted(&candidates);
                elites::weighted_mean(candidates.actions, &chosen, &weights, mean);
                watch.note(row, summary(&candidates, &chosen, &gaussian.std[row * sequence..][..sequence]));
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
    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Injected, Quadratic, one_step, search};
    use crate::solver::{RandomConfig, RandomShooting};

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
    fn one_round_by_hand() {
        // Target 1, temperature 1: the mean 0 costs 1, 2 costs 1, -1 costs 4. Of two elites each has half.
        let keys = MppiConfig { samples: 3, elites: 2, iterations: 1, temperature: 1.0 };
        let solver = Mppi::new(&one_step(1.0), keys);
        let mut noise = Injected::new(vec![vec![7.0, 2.0, -1.0]]);
        let plan = solver.solve(&Quadratic::new(&[[1.0]]), None, &mut noise).unwrap().plan;
        assert_eq!((plan.actions[0], plan.cost[0]), (1.0, 0.0));
        // 2 is infeasible: it has no weight.
        let plan = solver.solve(&Quadratic::new(&[[1.0]]).bounded(1.5), None, &mut noise).unwrap().plan;
        let weight = 1.0 / (1.0 + (-3.0_f32).exp());
        assert!((plan.actions[0] + 1.0 - weight).abs() < 1e-6, "{plan:?}");
        // None is feasible: -1 exceeds the bound by 1, the mean by 2.
        let plan = solver.solve(&Quadratic::new(&[[1.0]]).bounded(-2.0), None, &mut noise).unwrap().plan;
        let weight = 1.0 / (1.0 + (-1.0_f32).exp());
        assert!((plan.actions[0] + weight).abs() < 1e-6, "{plan:?}");
    }

    #[test]
    fn finds_the_minimum_and_beats_random_shooting() {
        let score = Quadratic::new(&[[0.6, -0.2], [-0.5, 0.3]]);
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        let random = RandomShooting::new(&search(), RandomConfig { samples: 640 });
        let random = random.solve(&score, None, &mut noise).unwrap().plan;
        let keys = MppiConfig { samples: 64, elites: 16, iterations: 10, temperature: 2.0 };
        let mppi = Mppi::new(&search(), keys).solve(&score, None, &mut noise).unwrap().plan;
        for row in 0..2 {
            let (found, baseline) = (score.of(row, mppi.plan(row)), score.of(row, random.plan(row)));
            assert!(found < 0.3 * baseline, "row {row}: {found} against {baseline}");
        }
    }
}
