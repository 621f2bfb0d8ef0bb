//! A cost with a known minimum, and noise written by hand, for the solvers' tests.

use burn::prelude::*;
use prevision_core::Space;
use prevision_model::Latents;

use super::SolverContext;
use crate::noise::NoiseSource;
use crate::score::{Gradients, Rollout, Score, Scores, differentiate};

/// Sum over the steps of the squared distance of each action to one target per episode.
pub(super) struct Quadratic {
    /// `[b][a]`
    targets: Vec<Vec<f32>>,
    /// Largest first number that an action may have.
    bound: Option<f32>,
    /// Whether it has derivatives.
    smooth: bool,
}

impl Quadratic {
    pub(super) fn new<const A: usize>(targets: &[[f32; A]]) -> Self {
        Self { targets: targets.iter().map(|target| target.to_vec()).collect(), bound: None, smooth: true }
    }

    /// The same under the constraint that the first number of no action exceeds `bound`.
    pub(super) fn bounded(self, bound: f32) -> Self {
        Self { bound: Some(bound), ..self }
    }

    /// The same without derivatives.
    pub(super) fn without_gradients(self) -> Self {
        Self { smooth: false, ..self }
    }

    /// The cost of one sequence for one episode.
    pub(super) fn of(&self, row: usize, sequence: &[f32]) -> f32 {
        let target = &self.targets[row];
        sequence.chunks_exact(target.len()).flat_map(|a| a.iter().zip(target)).map(|(a, t)| (a - t).powi(2)).sum()
    }
}

impl Score for Quadratic {
    fn device(&self) -> Device {
        Device::flex()
    }

    /// The latents are the actions.
    fn rollout(&self, actions: Tensor<4>) -> Rollout {
        let [rows, samples, horizon, width] = actions.dims();
        let target = TensorData::new(self.targets.concat(), [rows, 1, 1, self.targets[0].len()]);
        let difference = actions.clone() - Tensor::from_data(target, &Device::flex());
        let costs = difference.square().sum_dim(3).sum_dim(2).reshape([rows, samples]);
        let violations = self.bound.map(|bound| {
            let excess = (actions.clone().narrow(3, 0, 1) - bound).clamp_min(0.0);
            excess.sum_dim(2).reshape([rows, samples])
        });
        let latents = Latents::new(actions.reshape([rows * samples, horizon, 1, width]));
        Rollout { scores: Scores { costs, violations }, latents }
    }

    fn gradients(&self, actions: Tensor<4>) -> Result<Gradients, String> {
        if self.smooth { Ok(of_rollouts(self, actions)) } else { Err(NO_DERIVATIVES.to_owned()) }
    }
}

/// What a score says that does not say otherwise.
const NO_DERIVATIVES: &str = "this score has no derivatives with respect to the actions";

/// Derivatives of what rollouts cost and violate.
fn of_rollouts(score: &dyn Score, actions: Tensor<4>) -> Gradients {
    let costs = differentiate(actions.clone(), |actions| score.rollout(actions).scores.costs);
    let constrained = score.rollout(actions.clone()).scores.violations.is_some();
    let violations =
        constrained.then(|| differentiate(actions, |actions| score.rollout(actions).scores.violations.unwrap()));
    let (found, gradient) = violations.map(|both| (both.values, both.gradient.unwrap())).unzip();
    let scores = Scores { costs: costs.values, violations: found };
    Gradients { scores, costs: costs.gradient.unwrap(), violations: gradient }
}

/// Many valleys, the lowest at a target: `0.6 d^2 + 1 - cos(2 pi d)` of every number's distance `d` to it, added up.
pub(super) struct Waves(f32);

impl Waves {
    pub(super) fn new(target: f32) -> Self {
        Self(target)
    }
}

impl Score for Waves {
    fn device(&self) -> Device {
        Device::flex()
    }

    fn rollout(&self, actions: Tensor<4>) -> Rollout {
        let [rows, samples, horizon, width] = actions.dims();
        let away = actions.clone() - self.0;
        let costs = away.clone().square() * 0.6 + 1.0 - (away * std::f32::consts::TAU).cos();
        let costs = costs.sum_dim(3).sum_dim(2).reshape([rows, samples]);
        let latents = Latents::new(actions.reshape([rows * samples, horizon, 1, width]));
        Rollout { scores: Scores { costs, violations: None }, latents }
    }

    fn gradients(&self, actions: Tensor<4>) -> Result<Gradients, String> {
        Ok(of_rollouts(self, actions))
    }
}

/// A search over 8 steps of 2 numbers of norm at most 2.
pub(super) fn search() -> SolverContext {
    SolverContext { horizon: 8, space: Space::Ball { dim: 2, radius: 2.0 }, block: 1, initial_std: 1.0, deadline: None }
}

/// A search over one step of one number of at most 10.
pub(super) fn one_step(initial_std: f32) -> SolverContext {
    SolverContext { horizon: 1, space: Space::Ball { dim: 1, radius: 10.0 }, block: 1, initial_std, deadline: None }
}

/// The same given noise for every row, one vector an iteration, whether Gaussian or uniform.
pub(super) struct Injected {
    rows: usize,
    noise: Vec<Vec<f32>>,
}

impl Injected {
    pub(super) fn new(noise: Vec<Vec<f32>>) -> Self {
        Self { rows: 1, noise }
    }

    pub(super) fn rows_of(self, rows: usize) -> Self {
        Self { rows, ..self }
    }
}

impl NoiseSource for Injected {
    fn rows(&self) -> usize {
        self.rows
    }

    fn fill(&mut self, _: usize, iteration: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.noise[iteration]);
    }

    fn uniform(&mut self, row: usize, iteration: usize, out: &mut [f32]) {
        self.fill(row, iteration, out);
    }
}
