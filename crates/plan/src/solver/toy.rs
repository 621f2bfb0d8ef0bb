//! A cost with a known minimum, and noise written by hand, for the solvers' tests.

use burn::prelude::*;

use super::Search;
use crate::limit::ActionLimit;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Sum over the steps of the squared distance of each action to one target per episode.
pub(super) struct Quadratic {
    /// `[b][a]`
    targets: Vec<Vec<f32>>,
}

impl Quadratic {
    pub(super) fn new<const A: usize>(targets: &[[f32; A]]) -> Self {
        Self { targets: targets.iter().map(|target| target.to_vec()).collect() }
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

    fn score(&self, actions: Tensor<4>) -> Tensor<2> {
        let [rows, samples, ..] = actions.dims();
        let target = TensorData::new(self.targets.concat(), [rows, 1, 1, self.targets[0].len()]);
        let difference = actions - Tensor::from_data(target, &Device::flex());
        difference.square().sum_dim(3).sum_dim(2).reshape([rows, samples])
    }
}

/// A search over 8 steps of 2 components of norm at most 2.
pub(super) fn search(samples: usize) -> Search {
    let limit = ActionLimit { dim: 2, norm: 2.0 };
    Search { horizon: 8, action_dim: 2, samples, initial_std: 1.0, limit, noise_exponent: 0.0 }
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
