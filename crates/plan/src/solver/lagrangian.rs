//! The augmented Lagrangian method: constraints as prices that grow until they are kept.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::descent::{Descent, StepRule, Stride};
use super::evaluate::Slopes;
use super::search::Stopwatch;
use super::tracks::Tracks;
use super::{Gaussian, Sampler, Solution, Solved, Solver, SolverContext};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`Lagrangian`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LagrangianConfig {
    /// Sequences that descend side by side: the rest of the plan before, or zero, and others sampled around it. Default 16.
    pub samples: usize,
    /// Rounds, after each of which the multipliers rise. Default 5.
    pub rounds: usize,
    /// Steps of each sequence in a round. Default 10.
    pub iterations: usize,
    /// How derivatives become a step. Default `adam`.
    pub optimizer: StepRule,
    /// Length of a step, in the unit of actions (`sgd`: times the derivative). Default 0.1.
    pub learning_rate: f64,
    /// Price of a squared violation in the first round, in the unit of the cost. Default 1.
    pub penalty: f64,
    /// Factor by which that price grows from round to round. Default 2.
    pub penalty_growth: f64,
    /// Largest price. Default 10000.
    pub penalty_max: f64,
}

impl Default for LagrangianConfig {
    fn default() -> Self {
        Self {
            samples: 16,
            rounds: 5,
            iterations: 10,
            optimizer: StepRule::Adam,
            learning_rate: 0.1,
            penalty: 1.0,
            penalty_growth: 2.0,
            penalty_max: 1e4,
        }
    }
}

impl LagrangianConfig {
    fn stride(&self) -> Stride {
        Stride { rule: self.optimizer, learning_rate: self.learning_rate, clip: None }
    }
}

impl Options for LagrangianConfig {
    fn validate(&self) -> Result<(), String> {
        check("samples", self.samples as f64).at_least(1.0)?;
        check("rounds", self.rounds as f64).at_least(1.0)?;
        check("iterations", self.iterations as f64).at_least(1.0)?;
        check("penalty", self.penalty).above(0.0)?.at_most(self.penalty_max, "penalty_max")?;
        check("penalty_growth", self.penalty_growth).at_least(1.0)?;
        check("penalty_max", self.penalty_max).above(0.0)?;
        self.stride().validate()
    }
}

/// The augmented Lagrangian method (Hestenes 1969; Powell 1969; stable-worldmodel's `LagrangianSolver`): gradient descent from many
/// starts on `cost + m v + p v^2`, where `v` is by how much a sequence violates constraints in sum. Every sequence has one multiplier
/// `m`, on that sum, for a score tells the sum alone: it begins at 0 and rises by `p v` after every round; the penalty `p` grows. Each
/// step is brought back into the action space. Returns the best of all places that any sequence has been at, by the feasibility rule.
/// Without constraints it is gradient descent.
#[derive(Clone, Debug)]
pub struct Lagrangian {
    sampler: Sampler,
    keys: LagrangianConfig,
}

impl Lagrangian {
    /// A solver with these keys.
    ///
    /// # Errors
    /// If actions are choices, between which nothing can step.
    pub fn new(context: &SolverContext, keys: LagrangianConfig) -> Result<Self, String> {
        context.check_vectors("lagrangian")?;
        Ok(Self { sampler: Sampler::new(context, keys.samples, 0.0), keys })
    }
}

/// The derivatives of the augmented Lagrangian, `[candidates, sequence]`.
///
/// # Shapes
/// - multipliers: `[candidates]`
fn derivatives(slopes: Slopes, multipliers: &[f32], penalty: f32, sequence: usize) -> Vec<f32> {
    let mut gradient = slopes.costs;
    if let Some(violations) = &slopes.violations {
        let parts = gradient.chunks_exact_mut(sequence).zip(violations.chunks_exact(sequence));
        for (candidate, ((slopes_of_cost, slopes_of_violation), multiplier)) in parts.zip(multipliers).enumerate() {
            let violation = slopes.values.at(candidate).1.max(0.0);
            let price = multiplier + 2.0 * penalty * violation;
            for (slope, of_violation) in slopes_of_cost.iter_mut().zip(slopes_of_violation) {
                *slope += price * of_violation;
            }
        }
    }
    gradient
}

impl Solver for Lagrangian {
    fn name(&self) -> &'static str {
        "lagrangian"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let (context, keys, rows) = (self.sampler.context(), &self.keys, noise.rows());
        let mut watch = Stopwatch::start(context, rows);
        let starts = self.sampler.starts(&Gaussian::start(context, rows, warm_start), noise);
        let mut tracks = Tracks::new(context, keys.samples, starts);
        let mut multipliers = vec![0.0; rows * keys.samples];
        let mut penalty = keys.penalty;
        'search: for round in 0..keys.rounds {
            let mut descent = Descent::new(keys.stride(), context.sequence(), tracks.actions.len());
            for iteration in 0..keys.iterations {
                let slopes = tracks.slopes(self.name(), score)?;
                (0..rows).for_each(|row| watch.note(row, tracks.summary(row, &slopes.values)));
                let gradient = derivatives(slopes, &multipliers, penalty as f32, context.sequence());
                descent.step(&mut tracks.actions, gradient);
                context.project(&mut tracks.actions);
                if watch.ends(round + 1 < keys.rounds || iteration + 1 < keys.iterations) {
                    break 'search;
                }
            }
            let values = tracks.judge(score);
            for (candidate, multiplier) in multipliers.iter_mut().enumerate() {
                let violation = values.at(candidate).1;
                if violation.is_finite() {
                    *multiplier += penalty as f32 * violation.max(0.0);
                }
            }
            penalty = (penalty * keys.penalty_growth).min(keys.penalty_max);
        }
        tracks.judge(score);
        Ok(Solution { searches: watch.stop(), ..self.sampler.solution(tracks.champions(), score) })
    }
}

#[cfg(test)]
mod tests {
    use prevision_core::Space;

    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::evaluate::Values;
    use crate::solver::toy::{Injected, Quadratic, Waves, one_step, search};

    fn keys() -> LagrangianConfig {
        LagrangianConfig::default()
    }

    #[test]
    fn the_derivatives_by_hand() {
        let values = Values { costs: vec![0.0; 2], violations: Some(vec![0.0, 3.0]) };
        let slopes = Slopes { values, costs: vec![1.0, 2.0, 3.0, 4.0], violations: Some(vec![0.0, 0.0, 1.0, -1.0]) };
        // The second: 0.5 + 2 * 2 * 3 = 12.5 times the derivatives of its violation.
        assert_eq!(derivatives(slopes, &[7.0, 0.5], 2.0, 2), [1.0, 2.0, 15.5, -8.5]);
    }

    #[test]
    fn multipliers_push_what_a_penalty_alone_leaves_outside() {
        // Target 1.5 under the bound 0.5. With a fixed penalty of 1 the minimum of (a - 1.5)^2 + (a - 0.5)^2 is at 1; after a round there
        // the multiplier is 0.5, and so on: it tends to 2, the derivative of the cost at the bound.
        let score = Quadratic::new(&[[1.5]]).bounded(0.5);
        let keys = |rounds| LagrangianConfig {
            samples: 1,
            rounds,
            iterations: 40,
            optimizer: StepRule::Sgd,
            learning_rate: 0.1,
            penalty_growth: 1.0,
            ..keys()
        };
        let last = |rounds| {
            let solver = Lagrangian::new(&one_step(1.0), keys(rounds)).unwrap();
            let context = ActionPlan {
                horizon: 1,
                action_width: 1,
                actions: vec![1.4],
                cost: vec![0.0],
                violation: vec![0.0],
                kept: 0,
                elites: Vec::new(),
            };
            let mut noise = Injected::new(vec![vec![0.0]]);
            solver.solve(&score, Some(&context), &mut noise).unwrap()
        };
        let one = last(1);
        assert!((one.plan.actions[0] - 1.0).abs() < 1e-3, "{:?}", one.plan);
        // The second round ends at the minimum of (a - 1.5)^2 + 0.5 (a - 0.5) + (a - 0.5)^2: 0.875.
        let two = last(2);
        assert!((two.plan.actions[0] - 0.875).abs() < 1e-3, "{:?}", two.plan);
        assert_eq!(two.searches[0].iterations.len(), 80);
    }

    #[test]
    fn ends_at_the_bound_that_the_target_lies_beyond() {
        for (row, bound) in [(0, 0.5), (1, -0.25)] {
            let score = Quadratic::new(&[[1.5, -0.3]]).bounded(bound);
            let solver = Lagrangian::new(&search(), LagrangianConfig { rounds: 8, iterations: 20, ..keys() }).unwrap();
            let plan = solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![row])).unwrap().plan;
            assert_eq!(plan.violation, [0.0]);
            for action in plan.actions.chunks_exact(2) {
                assert!((bound - 0.2..=bound).contains(&action[0]) && (action[1] + 0.3).abs() < 0.1, "{action:?}");
            }
        }
    }

    #[test]
    fn without_constraints_it_descends() {
        let score = Quadratic::new(&[[0.6, -0.2]]);
        let mut noise = SeededNoise::new(1, 0, vec![0]);
        let plan = Lagrangian::new(&search(), keys()).unwrap().solve(&score, None, &mut noise).unwrap().plan;
        assert!(plan.cost[0] < 1e-2, "{plan:?}");
        let context = SolverContext { space: Space::Unbounded { dim: 1 }, ..one_step(2.0) };
        let solver = Lagrangian::new(&context, LagrangianConfig { samples: 64, ..keys() }).unwrap();
        let plan = solver.solve(&Waves::new(1.5), None, &mut noise).unwrap().plan;
        assert!((plan.actions[0] - 1.5).abs() < 2e-2, "{plan:?}");
    }

    #[test]
    fn what_it_cannot_do_is_said() {
        let refused = |keys: LagrangianConfig| keys.validate().unwrap_err();
        assert_eq!(refused(LagrangianConfig { rounds: 0, ..keys() }), "rounds is 0, but must be 1 or more");
        let growth = LagrangianConfig { penalty_growth: 0.5, ..keys() };
        assert_eq!(refused(growth), "penalty_growth is 0.5, but must be 1 or more");
        let most = LagrangianConfig { penalty_max: 0.5, ..keys() };
        assert_eq!(refused(most), "penalty is 1, but must be 0.5 (penalty_max) or less");
        let context = SolverContext { space: Space::Discrete { count: 3 }, ..search() };
        assert!(
            Lagrangian::new(&context, keys())
                .unwrap_err()
                .starts_with("kind is lagrangian, but must be a solver of choices")
        );
    }
}
