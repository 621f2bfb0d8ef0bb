//! Projected gradient descent over relaxed choices.

use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::descent::{Descent, StepRule, Stride};
use super::search::Stopwatch;
use super::tracks::Tracks;
use super::{Sampler, Solution, Solved, Solver, SolverContext, simplex};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`ProjectedGradient`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectedGradientConfig {
    /// Sequences that descend side by side: the rest of the plan before, or even probabilities, and others sampled around it. Default 32.
    pub samples: usize,
    /// Steps of each. Default 30.
    pub iterations: usize,
    /// How derivatives become a step. Default `sgd`.
    pub optimizer: StepRule,
    /// Length of a step in probability (`sgd`: times the derivative). Default 1.
    pub learning_rate: f64,
    /// Standard deviation of the noise on the probabilities between two steps. Default 0.
    pub noise: f64,
}

impl Default for ProjectedGradientConfig {
    fn default() -> Self {
        Self { samples: 32, iterations: 30, optimizer: StepRule::Sgd, learning_rate: 1.0, noise: 0.0 }
    }
}

impl ProjectedGradientConfig {
    fn stride(&self) -> Stride {
        Stride { rule: self.optimizer, learning_rate: self.learning_rate, clip: None }
    }
}

impl Options for ProjectedGradientConfig {
    fn validate(&self) -> Result<(), String> {
        check("samples", self.samples as f64).at_least(1.0)?;
        check("iterations", self.iterations as f64).at_least(1.0)?;
        check("noise", self.noise).at_least(0.0)?;
        self.stride().validate()
    }
}

/// Projected gradient descent (stable-worldmodel's `PGDSolver`): choices are relaxed to probabilities, which the model is given in the
/// place of choices; each step is followed by the nearest probabilities. In the end every sequence becomes its most probable choices;
/// these are judged as what they are, and the best is returned. A sequence that violates constraints descends on its violation.
#[derive(Clone, Debug)]
pub struct ProjectedGradient {
    sampler: Sampler,
    keys: ProjectedGradientConfig,
}

impl ProjectedGradient {
    /// A solver with these keys.
    ///
    /// # Errors
    /// If actions are no choices.
    pub fn new(context: &SolverContext, keys: ProjectedGradientConfig) -> Result<Self, String> {
        context.check_choices("projected-gradient")?;
        Ok(Self { sampler: Sampler::new(context, keys.samples, 0.0), keys })
    }

    /// Adds noise and makes probabilities again.
    fn shake(&self, actions: &mut [f32], [iteration, first]: [usize; 2], std: f32, noise: &mut dyn NoiseSource) {
        let context = self.sampler.context();
        let (sequence, length) = (context.sequence(), self.keys.samples * context.sequence());
        if std > 0.0 {
            let mut drawn = vec![0.0; length];
            for (row, candidates) in actions.chunks_exact_mut(length).enumerate() {
                noise.fill(row, iteration, &mut drawn);
                let both = candidates.iter_mut().zip(&drawn).skip(first * sequence);
                both.for_each(|(action, noise)| *action += std * noise);
            }
        }
        actions.chunks_exact_mut(context.space.width()).for_each(simplex::project);
    }
}

impl Solver for ProjectedGradient {
    fn name(&self) -> &'static str {
        "projected-gradient"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let (context, keys, rows) = (self.sampler.context(), &self.keys, noise.rows());
        let mut watch = Stopwatch::start(context, rows);
        let first = context.first_plan(rows, warm_start);
        let starts = first.chunks_exact(context.sequence()).flat_map(|plan| plan.repeat(keys.samples)).collect();
        let mut tracks = Tracks::new(context, keys.samples, starts);
        // The first of each episode starts from the plan before itself.
        self.shake(&mut tracks.actions, [0, 1], context.initial_std, noise);
        let mut descent = Descent::new(keys.stride(), context.sequence(), tracks.actions.len());
        for iteration in 0..keys.iterations {
            let slopes = tracks.slopes(self.name(), score)?;
            (0..rows).for_each(|row| watch.note(row, tracks.summary(row, &slopes.values)));
            descent.step(&mut tracks.actions, slopes.to_better(context.sequence()));
            let more = iteration + 1 < keys.iterations;
            let std = if more { keys.noise as f32 } else { 0.0 };
            self.shake(&mut tracks.actions, [iteration + 1, 0], std, noise);
            if watch.ends(more) {
                break;
            }
        }
        context.project(&mut tracks.actions);
        let mut choices = Tracks::new(context, keys.samples, tracks.actions);
        choices.judge(score);
        Ok(Solution { searches: watch.stop(), ..self.sampler.solution(choices.champions(), score) })
    }
}

#[cfg(test)]
mod tests {
    use prevision_core::Space;

    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Injected, Quadratic, search};

    fn choices(horizon: usize) -> SolverContext {
        SolverContext { horizon, space: Space::Discrete { count: 3 }, block: 1, ..search() }
    }

    fn keys(samples: usize, iterations: usize, learning_rate: f64) -> ProjectedGradientConfig {
        ProjectedGradientConfig { samples, iterations, learning_rate, ..ProjectedGradientConfig::default() }
    }

    #[test]
    fn one_step_by_hand() {
        // From thirds against the derivative 2 (p - t), t = (0.1, 0, 0.6), times a quarter: (0.2167, 0.1667, 0.4667). These add up to
        // 0.85, so each gets 0.05 more.
        let solver = ProjectedGradient::new(&choices(1), keys(1, 2, 0.25)).unwrap();
        let score = Quadratic::new(&[[0.1, 0.0, 0.6]]);
        let mut noise = Injected::new(vec![vec![9.0; 3]]);
        let solution = solver.solve(&score, None, &mut noise).unwrap();
        assert_eq!(solution.plan.actions, [0.0, 0.0, 1.0]);
        let trace = &solution.searches[0].iterations;
        let cost = |p: [f32; 3]| (p[0] - 0.1).powi(2) + p[1].powi(2) + (p[2] - 0.6).powi(2);
        assert!((trace[0].best - cost([1.0 / 3.0; 3])).abs() < 1e-6, "{trace:?}");
        assert!((trace[1].best - cost([0.266_667, 0.216_667, 0.516_667])).abs() < 1e-5, "{trace:?}");
    }

    #[test]
    fn finds_the_best_choices_of_blocks() {
        let score = Quadratic::new(&[[0.0, 0.1, 0.9, 1.0, 0.1, 0.0], [0.0, 1.0, 0.0, 0.2, 1.0, 0.0]]);
        let context = SolverContext { block: 2, ..choices(8) };
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        for noisy in [0.0, 0.05] {
            let keys = ProjectedGradientConfig { noise: noisy, ..keys(4, 20, 0.2) };
            let solver = ProjectedGradient::new(&context, keys).unwrap();
            let plan = solver.solve(&score, None, &mut noise).unwrap().plan;
            assert_eq!(plan.plan(0), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0].repeat(8), "noise {noisy}");
            assert_eq!(plan.plan(1), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0].repeat(8), "noise {noisy}");
        }
    }

    #[test]
    fn a_forbidden_choice_is_not_made() {
        // Choice 0 is the cheapest; its number may not be above 0.5, and choice 1 is the next.
        let score = Quadratic::new(&[[1.0, 0.9, 0.0]]).bounded(0.5);
        let solver = ProjectedGradient::new(&choices(2), keys(16, 30, 0.1)).unwrap();
        let plan = solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0])).unwrap().plan;
        assert_eq!((plan.actions, plan.violation), ([0.0, 1.0, 0.0].repeat(2), vec![0.0]));
    }

    #[test]
    fn what_it_cannot_do_is_said() {
        let message = ProjectedGradient::new(&search(), keys(1, 1, 1.0)).unwrap_err();
        assert!(message.starts_with("kind is projected-gradient, but must be a solver of vectors"), "{message}");
        assert_eq!(keys(1, 1, -1.0).validate().unwrap_err(), "learning_rate is -1, but must be a number above 0");
        let score = Quadratic::new(&[[1.0, 0.0, 0.0]]).without_gradients();
        let solver = ProjectedGradient::new(&choices(1), keys(1, 1, 1.0)).unwrap();
        let message = solver.solve(&score, None, &mut SeededNoise::new(1, 0, vec![0])).unwrap_err();
        assert!(message.starts_with("the solver projected-gradient needs derivatives"), "{message}");
    }
}
