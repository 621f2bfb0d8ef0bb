//! Gradient descent through the rollout.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::descent::{Descent, StepRule, Stride};
use super::search::Stopwatch;
use super::tracks::Tracks;
use super::{Gaussian, Sampler, Solution, Solved, Solver, SolverContext};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`Gradient`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GradientConfig {
    /// Sequences that descend side by side: the rest of the plan before, or zero, and others sampled around it. Default 32.
    pub samples: usize,
    /// Steps of each. Default 30.
    pub iterations: usize,
    /// How derivatives become a step. Default `adam`.
    pub optimizer: StepRule,
    /// Length of a step, in the unit of actions (`sgd`: times the derivative). Default 0.1.
    pub learning_rate: f64,
    /// Largest Euclidean norm of the derivatives of a sequence; longer ones are shortened. Unset: any.
    pub clip: Option<f64>,
    /// Standard deviation of the noise on the actions between two steps, in the unit of actions. Default 0.
    pub noise: f64,
}

impl Default for GradientConfig {
    fn default() -> Self {
        Self { samples: 32, iterations: 30, optimizer: StepRule::Adam, learning_rate: 0.1, clip: None, noise: 0.0 }
    }
}

impl GradientConfig {
    fn stride(&self) -> Stride {
        Stride { rule: self.optimizer, learning_rate: self.learning_rate, clip: self.clip }
    }
}

impl Options for GradientConfig {
    fn validate(&self) -> Result<(), String> {
        check("samples", self.samples as f64).at_least(1.0)?;
        check("iterations", self.iterations as f64).at_least(1.0)?;
        check("noise", self.noise).at_least(0.0)?;
        self.stride().validate()
    }
}

/// Gradient descent on the actions through the model's rollout (Henaff et al. 2017; stable-worldmodel's `GradientSolver`): many starts,
/// each step brought back into the action space, optional noise in between. A sequence that violates constraints descends on its
/// violation instead of its cost. Returns the best of all places that any of them has been at, by the feasibility rule.
///
/// At the rim of a [`Ball`](prevision_core::Space::Ball) Adam, whose steps are as long in every number, ends beside the nearest place to
/// what it is drawn to; `sgd` does not.
#[derive(Clone, Debug)]
pub struct Gradient {
    sampler: Sampler,
    keys: GradientConfig,
}

impl Gradient {
    /// A solver with these keys.
    ///
    /// # Errors
    /// If actions are choices, between which nothing can step.
    pub fn new(context: &SolverContext, keys: GradientConfig) -> Result<Self, String> {
        context.check_vectors("gradient")?;
        Ok(Self { sampler: Sampler::new(context, keys.samples, 0.0), keys })
    }

    /// Adds noise and brings the actions back into the space.
    fn shake(&self, actions: &mut [f32], iteration: usize, noise: &mut dyn NoiseSource) {
        let context = self.sampler.context();
        if self.keys.noise > 0.0 {
            let length = self.keys.samples * context.sequence();
            let mut drawn = vec![0.0; length];
            for (row, candidates) in actions.chunks_exact_mut(length).enumerate() {
                noise.fill(row, iteration, &mut drawn);
                let deviation = self.keys.noise as f32;
                candidates.iter_mut().zip(&drawn).for_each(|(action, noise)| *action += deviation * noise);
            }
        }
        context.project(actions);
    }
}

impl Solver for Gradient {
    fn name(&self) -> &'static str {
        "gradient"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let (context, rows) = (self.sampler.context(), noise.rows());
        let mut watch = Stopwatch::start(context, rows);
        let starts = self.sampler.starts(&Gaussian::start(context, rows, warm_start), noise);
        let mut descent = Descent::new(self.keys.stride(), context.sequence(), starts.len());
        let mut tracks = Tracks::new(context, self.keys.samples, starts);
        for iteration in 0..self.keys.iterations {
            let slopes = tracks.slopes(self.name(), score)?;
            (0..rows).for_each(|row| watch.note(row, tracks.summary(row, &slopes.values)));
            descent.step(&mut tracks.actions, slopes.to_better(context.sequence()));
            let more = iteration + 1 < self.keys.iterations;
            if more {
                self.shake(&mut tracks.actions, iteration + 1, noise);
            } else {
                context.project(&mut tracks.actions);
            }
            if watch.ends(more) {
                break;
            }
        }
        tracks.judge(score);
        Ok(Solution { searches: watch.stop(), ..self.sampler.solution(tracks.champions(), score) })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prevision_core::Space;

    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Injected, Quadratic, Waves, one_step, search};

    fn keys(samples: usize, iterations: usize, rate: f64) -> GradientConfig {
        GradientConfig { samples, iterations, learning_rate: rate, ..GradientConfig::default() }
    }

    fn solve(
        context: &SolverContext,
        keys: GradientConfig,
        score: &dyn Score,
        noise: &mut dyn NoiseSource,
    ) -> Solution {
        Gradient::new(context, keys).unwrap().solve(score, None, noise).unwrap()
    }

    #[test]
    fn two_steps_by_hand() {
        // Target 1, derivative 2 (a - 1), rate 0.25: each step halves the way. From 0: 0.5, 0.75; from 3: 2, 1.5.
        let keys = GradientConfig { optimizer: StepRule::Sgd, ..keys(2, 2, 0.25) };
        let mut noise = Injected::new(vec![vec![9.0, 3.0]]);
        let solution = solve(&one_step(1.0), keys, &Quadratic::new(&[[1.0]]), &mut noise);
        assert_eq!((solution.plan.actions[0], solution.plan.cost[0]), (0.75, 0.0625));
        let trace = &solution.searches[0].iterations;
        let found: Vec<[f32; 2]> = trace.iter().map(|iteration| [iteration.best, iteration.elites]).collect();
        assert_eq!(found, [[1.0, 2.5], [0.25, 0.625]]);
        // Noise of a deviation of 0.5 after the first step, none after the last: 0.5 + 0.5 * 1 is the target, and stays.
        let keys = GradientConfig { noise: 0.5, ..keys };
        let mut noise = Injected::new(vec![vec![9.0, 3.0], vec![1.0, 0.0]]);
        let plan = solve(&one_step(1.0), keys, &Quadratic::new(&[[1.0]]), &mut noise).plan;
        assert_eq!((plan.actions[0], plan.cost[0]), (1.0, 0.0));
    }

    #[test]
    fn finds_the_minimum_of_a_bowl_and_stays_in_the_space() {
        let score = Quadratic::new(&[[0.6, -0.2], [30.0, 40.0]]);
        let solve = |keys| solve(&search(), keys, &score, &mut SeededNoise::new(1, 0, vec![0, 1])).plan;
        let plan = solve(keys(4, 60, 0.1));
        assert!(plan.cost[0] < 1e-3, "{plan:?}");
        // Adam steps as far in one number as in the other, and ends where the disc is widest for that.
        assert!(
            plan.plan(1).chunks_exact(2).all(|action| (1.9..2.001).contains(&action[0].hypot(action[1]))),
            "{plan:?}"
        );
        // The nearest point of the disc of radius 2 to (30, 40).
        for action in solve(GradientConfig { optimizer: StepRule::Sgd, ..keys(4, 30, 0.02) }).plan(1).chunks_exact(2) {
            assert!((action[0] - 1.2).abs() < 1e-2 && (action[1] - 1.6).abs() < 1e-2, "{action:?}");
        }
    }

    #[test]
    fn many_starts_find_the_lowest_of_many_valleys() {
        let context = SolverContext { space: Space::Unbounded { dim: 1 }, initial_std: 2.0, ..one_step(2.0) };
        let score = Waves::new(1.5);
        let one = solve(&context, keys(1, 80, 0.05), &score, &mut SeededNoise::new(1, 0, vec![0])).plan;
        assert!(one.cost[0] > 0.5, "zero is in another valley: {one:?}");
        let many = solve(&context, keys(64, 80, 0.05), &score, &mut SeededNoise::new(1, 0, vec![0])).plan;
        assert!((many.actions[0] - 1.5).abs() < 1e-2 && many.cost[0] < 1e-3, "{many:?}");
    }

    #[test]
    fn what_violates_a_constraint_descends_on_the_violation() {
        // Target 1.5 under the bound 0.5; every start but one is beyond it.
        let score = Quadratic::new(&[[1.5]]).bounded(0.5);
        let mut noise = Injected::new(vec![vec![0.0, 3.0, 4.0]]);
        let plan = solve(&one_step(1.0), keys(3, 60, 0.1), &score, &mut noise).plan;
        assert!((0.4..=0.5).contains(&plan.actions[0]) && plan.violation == [0.0], "{plan:?}");
    }

    #[test]
    fn a_deadline_ends_it_after_the_iteration_and_the_best_so_far_is_returned() {
        let context = SolverContext { deadline: Some(Duration::ZERO), ..one_step(1.0) };
        let keys = GradientConfig { optimizer: StepRule::Sgd, ..keys(1, 50, 0.25) };
        let solution = solve(&context, keys, &Quadratic::new(&[[1.0]]), &mut Injected::new(vec![vec![0.0]]));
        assert_eq!((solution.plan.actions[0], solution.searches[0].cut_short), (0.5, true));
        assert_eq!(solution.searches[0].iterations.len(), 1);
    }

    #[test]
    fn a_score_without_derivatives_and_a_space_of_choices_are_refused() {
        let score = Quadratic::new(&[[1.0]]).without_gradients();
        let solver = Gradient::new(&one_step(1.0), keys(1, 1, 0.1)).unwrap();
        let message = solver.solve(&score, None, &mut Injected::new(vec![vec![0.0]])).unwrap_err();
        assert_eq!(
            message,
            "the solver gradient needs derivatives, but this score has no derivatives with respect to the actions"
        );
        let context = SolverContext { space: Space::Discrete { count: 3 }, ..search() };
        let message = Gradient::new(&context, keys(1, 1, 0.1)).unwrap_err();
        assert_eq!(
            message,
            "kind is gradient, but must be a solver of choices, such as categorical-cem or projected-gradient: actions are one of \
             3 choices"
        );
    }

    #[test]
    fn keys_out_of_range_are_named() {
        let refused = |keys: GradientConfig| keys.validate().unwrap_err();
        assert_eq!(refused(keys(0, 1, 0.1)), "samples is 0, but must be 1 or more");
        assert_eq!(refused(keys(1, 0, 0.1)), "iterations is 0, but must be 1 or more");
        assert_eq!(refused(keys(1, 1, 0.0)), "learning_rate is 0, but must be a number above 0");
        assert_eq!(refused(GradientConfig { noise: -1.0, ..keys(1, 1, 0.1) }), "noise is -1, but must be 0 or more");
        let keys = GradientConfig { clip: Some(0.0), ..keys(1, 1, 0.1) };
        assert_eq!(refused(keys), "clip is 0, but must be a number above 0");
    }
}
