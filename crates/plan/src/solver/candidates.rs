//! Candidates of one iteration: sampled around a mean, brought into the action space, scored.

use super::evaluate::{self, Values, host};
use super::feasibility::ranks;
use super::{Solution, SolverContext};
use crate::action_plan::ActionPlan;
use crate::colour::Colouring;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Samples and scores candidates; holds what is the same in every iteration.
#[derive(Clone, Debug)]
pub struct Sampler {
    context: SolverContext,
    samples: usize,
    colouring: Colouring,
}

/// The state of a search: a Gaussian per episode, step and component.
#[derive(Clone, Debug)]
pub struct Gaussian {
    /// `[b, horizon, a]`
    pub mean: Vec<f32>,
    /// `[b, horizon, a]`
    pub std: Vec<f32>,
}

impl Gaussian {
    /// The mean of the warm start, or zero; the initial standard deviation either way.
    ///
    /// # Panics
    /// If the warm start has other rows, steps or components.
    pub fn start(context: &SolverContext, rows: usize, warm_start: Option<&ActionPlan>) -> Self {
        let mean = context.first_plan(rows, warm_start);
        let length = mean.len();
        Self { mean, std: vec![context.initial_std; length] }
    }
}

/// Candidates of all episodes and what they are worth.
#[derive(Clone, Debug)]
pub struct Scored {
    /// `[b, samples, horizon, a]`
    actions: Vec<f32>,
    /// `[b, samples]`, never NaN
    costs: Vec<f32>,
    /// `[b, samples]`, never NaN, and the ranks by the feasibility rule; `None` without constraints.
    constrained: Option<[Vec<f32>; 2]>,
    samples: usize,
    sequence: usize,
}

/// The candidates of one episode.
#[derive(Clone, Copy, Debug)]
pub struct Candidates<'a> {
    /// `[samples, horizon, a]`
    pub actions: &'a [f32],
    /// The cost of each, `[samples]`.
    pub costs: &'a [f32],
    /// By how much each violates constraints, `[samples]`; `None` without constraints.
    pub violations: Option<&'a [f32]>,
    /// What orders them, `[samples]`, least first: the costs, or with constraints their place by the [feasibility
    /// rule](super::feasibility).
    pub ranks: &'a [f32],
}

impl Scored {
    /// The candidates of one episode.
    pub fn row(&self, row: usize) -> Candidates<'_> {
        let length = self.samples * self.sequence;
        let range = row * self.samples..(row + 1) * self.samples;
        let costs = &self.costs[range.clone()];
        let constrained = self.constrained.as_ref().map(|both| both.each_ref().map(|values| &values[range.clone()]));
        Candidates {
            actions: &self.actions[row * length..][..length],
            costs,
            violations: constrained.map(|[violations, _]| violations),
            ranks: constrained.map_or(costs, |[_, ranks]| ranks),
        }
    }
}

impl Sampler {
    /// `samples` candidates in each iteration, from noise whose spectrum over time falls with `noise_exponent` (0: white).
    pub fn new(context: &SolverContext, samples: usize, noise_exponent: f64) -> Self {
        Self { context: context.clone(), samples, colouring: Colouring::new(context.horizon, noise_exponent) }
    }

    /// What is searched.
    pub fn context(&self) -> &SolverContext {
        &self.context
    }

    /// Samples around the Gaussian, lets `replace` put given sequences in the first slots of each episode, brings all into the
    /// action space, and scores them. `replace` sees the row and its candidates, `[samples, horizon, a]`.
    pub fn iterate(
        &self,
        gaussian: &Gaussian,
        iteration: usize,
        score: &dyn Score,
        noise: &mut dyn NoiseSource,
        replace: impl FnMut(usize, &mut [f32]),
    ) -> Scored {
        self.judge(self.sample(gaussian, iteration, noise, replace), score)
    }

    /// Samples as [`iterate`](Self::iterate), and does not score.
    fn sample(
        &self,
        gaussian: &Gaussian,
        iteration: usize,
        noise: &mut dyn NoiseSource,
        mut replace: impl FnMut(usize, &mut [f32]),
    ) -> Vec<f32> {
        let (rows, samples, sequence) = (noise.rows(), self.samples, self.context.sequence());
        let width = self.context.action_width();
        let mut actions = vec![0.0; rows * samples * sequence];
        for (row, candidates) in actions.chunks_exact_mut(samples * sequence).enumerate() {
            noise.fill(row, iteration, candidates);
            self.colouring.apply(candidates, width);
            let mean = &gaussian.mean[row * sequence..][..sequence];
            let std = &gaussian.std[row * sequence..][..sequence];
            for candidate in candidates.chunks_exact_mut(sequence) {
                for ((value, mean), std) in candidate.iter_mut().zip(mean).zip(std) {
                    *value = mean + std * *value;
                }
            }
            replace(row, candidates);
            self.context.project(candidates);
        }
        actions
    }

    /// Scores candidates, `[b, samples, horizon, a]`.
    pub fn judge(&self, actions: Vec<f32>, score: &dyn Score) -> Scored {
        let (samples, sequence) = (self.samples, self.context.sequence());
        let rows = actions.len() / (samples * sequence);
        let shape = [rows, samples, self.context.horizon, self.context.action_width()];
        let Values { costs, violations } = evaluate::score(score, &actions, shape);
        let constrained = violations.map(|violations| {
            let of_rows = costs.chunks_exact(samples).zip(violations.chunks_exact(samples));
            let ranks = of_rows.flat_map(|(costs, violations)| ranks(costs, violations)).collect();
            [violations, ranks]
        });
        Scored { actions, costs, constrained, samples, sequence }
    }

    /// Where candidates begin that move afterwards, `[b, samples, horizon, a]`: at the mean, all but the first with noise, in the
    /// action space.
    pub fn starts(&self, gaussian: &Gaussian, noise: &mut dyn NoiseSource) -> Vec<f32> {
        self.sample(gaussian, 0, noise, |row, candidates| {
            let sequence = self.context.sequence();
            candidates[..sequence].copy_from_slice(&gaussian.mean[row * sequence..][..sequence]);
        })
    }

    /// The solution with these actions, `[b, horizon, a]`: brought into the action space where a mean may have left it, and rolled
    /// out once, which gives its cost and what it imagines.
    pub fn solution(&self, mut actions: Vec<f32>, score: &dyn Score) -> Solution {
        if !self.context.is_convex() {
            self.context.project(&mut actions);
        }
        let SolverContext { horizon, .. } = self.context;
        let width = self.context.action_width();
        let rows = actions.len() / self.context.sequence();
        let shape = [rows, 1, horizon, width];
        let rollout = score.rollout(evaluate::upload(score, &actions, shape));
        let cost = host(rollout.scores.costs, [rows, 1]);
        let violation = rollout.scores.violations.map_or_else(|| vec![0.0; rows], |values| host(values, [rows, 1]));
        let plan = ActionPlan { horizon, action_width: width, actions, cost, violation, kept: 0, elites: Vec::new() };
        Solution { plan, imagined: rollout.latents, searches: Vec::new() }
    }
}
