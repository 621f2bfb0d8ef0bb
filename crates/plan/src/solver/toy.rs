//! A cost with a known minimum, and noise written by hand, for the solvers' tests.

use burn::prelude::*;
use prevision_core::Space;
use prevision_model::Latents;

use super::SolverContext;
use crate::noise::NoiseSource;
use crate::score::{Rollout, Score, Scores};

/// Sum over the steps of the squared distance of each action to one target per episode.
pub(super) struct Quadratic {
    /// `[b][a]`
    targets: Vec<Vec<f32>>,
    /// Largest first number that an action may have.
    bound: Option<f32>,
}

impl Quadratic {
    pub(super) fn new<const A: usize>(targets: &[[f32; A]]) -> Self {
        Self { targets: targets.iter().map(|target| target.to_vec()).collect(), bound: None }
    }

    /// The same under the constraint that the first number of no action exceeds `bound`.
    pub(super) fn bounded(self, bound: f32) -> Self {
        Self { bound: Some(bound), ..self }
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
}

/// A search over 8 steps of 2 numbers of norm at most 2.
pub(super) fn search() -> SolverContext {
    SolverContext { horizon: 8, space: Space::Ball { dim: 2, radius: 2.0 }, block: 1, initial_std: 1.0 }
}

/// A search over one step of one number of at most 10.
pub(super) fn one_step(initial_std: f32) -> SolverContext {
    SolverContext { horizon: 1, space: Space::Ball { dim: 1, radius: 10.0 }, block: 1, initial_std }
}

/// The same given noise for every row, one vector an iteration.
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

    fn fill(&mut self, _row: usize, iteration: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.noise[iteration]);
    }
}
