//! Candidates of one iteration: sampled around a mean, clipped, scored.

use burn::prelude::*;

use super::Search;
use crate::action_plan::ActionPlan;
use crate::colour::Colouring;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Draws and scores candidates; holds what is the same in every iteration.
pub(super) struct Sampler {
    search: Search,
    colouring: Colouring,
}

/// The state of a search: a Gaussian per episode, step and component.
#[derive(Clone)]
pub(super) struct Gaussian {
    /// `[b, horizon, a]`
    pub(super) mean: Vec<f32>,
    /// `[b, horizon, a]`
    pub(super) std: Vec<f32>,
}

impl Gaussian {
    /// The mean of the warm start, or zero; the initial standard deviation either way.
    ///
    /// # Panics
    /// If the warm start has other rows, steps or components.
    pub(super) fn start(search: &Search, rows: usize, warm_start: Option<&ActionPlan>) -> Self {
        let length = rows * search.sequence();
        let mean = match warm_start {
            Some(plan) => {
                let (given, wanted) =
                    ([plan.rows(), plan.horizon, plan.action_dim], [rows, search.horizon, search.action_dim]);
                assert_eq!(
                    given, wanted,
                    "a warm start of [b, horizon, a] = {given:?} does not fit a search of {wanted:?}"
                );
                plan.mean.clone()
            }
            None => vec![0.0; length],
        };
        Self { mean, std: vec![search.initial_std; length] }
    }
}

/// Candidates of all episodes and their costs.
pub(super) struct Scored {
    /// `[b, samples, horizon, a]`
    pub(super) actions: Vec<f32>,
    /// `[b, samples]`, never NaN
    pub(super) costs: Vec<f32>,
    samples: usize,
    sequence: usize,
}

impl Scored {
    /// The candidates of one episode, `[samples, horizon, a]`, and their costs.
    pub(super) fn row(&self, row: usize) -> (&[f32], &[f32]) {
        let length = self.samples * self.sequence;
        (&self.actions[row * length..][..length], &self.costs[row * self.samples..][..self.samples])
    }
}

impl Sampler {
    pub(super) fn new(search: Search) -> Self {
        Self { search, colouring: Colouring::new(search.horizon, search.noise_exponent) }
    }

    /// Samples around the Gaussian, lets `replace` put given sequences in the first slots of each episode, clips, and
    /// scores. `replace` sees the row and its candidates, `[samples, horizon, a]`.
    pub(super) fn iterate(
        &self,
        gaussian: &Gaussian,
        iteration: usize,
        score: &dyn Score,
        noise: &mut dyn NoiseSource,
        mut replace: impl FnMut(usize, &mut [f32]),
    ) -> Scored {
        let (rows, samples, sequence) = (noise.rows(), self.search.samples, self.search.sequence());
        let mut actions = vec![0.0; rows * samples * sequence];
        for (row, candidates) in actions.chunks_exact_mut(samples * sequence).enumerate() {
            noise.fill(row, iteration, candidates);
            self.colouring.apply(candidates, self.search.action_dim);
            let mean = &gaussian.mean[row * sequence..][..sequence];
            let std = &gaussian.std[row * sequence..][..sequence];
            for candidate in candidates.chunks_exact_mut(sequence) {
                for ((value, mean), std) in candidate.iter_mut().zip(mean).zip(std) {
                    *value = mean + std * *value;
                }
            }
            replace(row, candidates);
            self.search.limit.clip(candidates);
        }
        let shape = [rows, samples, self.search.horizon, self.search.action_dim];
        let costs = score.score(Tensor::from_data(TensorData::new(actions.clone(), shape), &score.device()));
        assert_eq!(costs.dims(), [rows, samples], "a score of candidates {shape:?} must be [b, samples]");
        let mut costs = costs.into_data().try_into_vec_as::<f32>().expect("costs are floats");
        costs.iter_mut().filter(|cost| cost.is_nan()).for_each(|cost| *cost = f32::INFINITY);
        Scored { actions, costs, samples, sequence }
    }
}
