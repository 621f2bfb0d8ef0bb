//! The sample-efficient cross-entropy method: coloured noise, elites remembered, momentum.

use super::candidates::{Gaussian, Sampler};
use super::{Search, Solver, elites};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// iCEM (Pinneri et al. 2020, algorithm 1) without its shrinking population: noise coloured in time
/// ([`Search::noise_exponent`]), the best elites kept from one iteration to the next and, shifted, from one plan to the
/// next, momentum on mean and standard deviation, the mean as a candidate in the last iteration. Returns the best
/// candidate of the last iteration.
#[derive(Clone, Debug)]
pub struct Icem {
    /// What is searched.
    pub search: Search,
    /// Rounds of sampling.
    pub iterations: usize,
    /// How many of the best candidates the distribution is fitted to.
    pub elites: usize,
    /// How many of the elites are candidates again in the next iteration and in the next plan.
    pub keep: usize,
    /// Share of the old mean and standard deviation in the new ones, in `[0, 1)`.
    pub momentum: f32,
}

impl Icem {
    /// Fits the distribution of one episode to its elites.
    fn update(&self, candidates: &[f32], chosen: &[usize], mean: &mut [f32], std: &mut [f32]) {
        let (mut elite_mean, mut elite_std) = (vec![0.0; mean.len()], vec![0.0; std.len()]);
        elites::mean_and_std(candidates, chosen, &mut elite_mean, &mut elite_std);
        let blend = |old: &mut [f32], new: &[f32]| {
            for (old, new) in old.iter_mut().zip(new) {
                *old = self.momentum * *old + (1.0 - self.momentum) * new;
            }
        };
        blend(mean, &elite_mean);
        blend(std, &elite_std);
    }
}

impl Solver for Icem {
    /// # Panics
    /// If more sequences are kept than fit beside the mean among the samples.
    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> ActionPlan {
        let (rows, sequence) = (noise.rows(), self.search.sequence());
        let keep = self.keep.min(self.elites);
        assert!(
            keep < self.search.samples,
            "{keep} kept elites and the mean do not fit in {} samples",
            self.search.samples
        );
        let sampler = Sampler::new(self.search);
        let mut gaussian = Gaussian::start(&self.search, rows, warm_start);
        // `[b, kept, horizon, a]`: those of the last plan at first, then those of the last iteration.
        let (mut kept, mut remembered) =
            warm_start.map_or((0, Vec::new()), |plan| (plan.kept.min(keep), plan.elites.clone()));
        let stride = |count: usize| count * sequence;
        let mut stored = warm_start.map_or(0, |plan| plan.kept);
        let (mut best, mut cost) = (gaussian.mean.clone(), vec![f32::INFINITY; rows]);
        for iteration in 0..self.iterations {
            let last = iteration + 1 == self.iterations;
            let mean = &gaussian.mean;
            let scored = sampler.iterate(&gaussian, iteration, score, noise, |row, candidates| {
                candidates[..stride(kept)].copy_from_slice(&remembered[stride(row * stored)..][..stride(kept)]);
                if last {
                    candidates[stride(kept)..][..sequence].copy_from_slice(&mean[row * sequence..][..sequence]);
                }
            });
            (kept, stored) = (keep, keep);
            remembered = Vec::with_capacity(rows * stride(keep));
            for (row, cost) in cost.iter_mut().enumerate() {
                let (candidates, costs) = scored.row(row);
                let chosen = elites::best(costs, self.elites);
                let range = row * sequence..(row + 1) * sequence;
                self.update(candidates, &chosen, &mut gaussian.mean[range.clone()], &mut gaussian.std[range.clone()]);
                for index in &chosen[..keep] {
                    remembered.extend_from_slice(&candidates[stride(*index)..][..sequence]);
                }
                *cost = costs[chosen[0]];
                best[range].copy_from_slice(&candidates[stride(chosen[0])..][..sequence]);
            }
        }
        let Search { horizon, action_dim, .. } = self.search;
        ActionPlan { horizon, action_dim, mean: best, cost, kept, elites: remembered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::ActionLimit;
    use crate::noise::SeededNoise;
    use crate::solver::RandomShooting;
    use crate::solver::toy::{Injected, Quadratic, search};

    fn one_step(samples: usize) -> Search {
        let limit = ActionLimit { dim: 1, norm: 10.0 };
        Search { horizon: 1, action_dim: 1, samples, initial_std: 1.0, limit, noise_exponent: 0.0 }
    }

    #[test]
    fn elites_return_and_the_mean_joins_at_the_end() {
        // Target 1, momentum 1/4. First round: [3, 0.5, -1, 2], costs [4, 0.25, 4, 1]; elites 0.5, 2: mean 1.25, std
        // sqrt(9/8); with momentum: mean 0.9375, std 0.25 + 0.75 * 1.0606602 = 1.0454951. Second and last round: the
        // kept elite 0.5, the mean 0.9375, then 0.9375 + 1.0454951 * [1, -1]: the mean is best, cost 0.00390625.
        let score = Quadratic::new(&[[1.0]]);
        let mut noise = Injected::new(vec![vec![3.0, 0.5, -1.0, 2.0], vec![7.0, 7.0, 1.0, -1.0]]);
        let solver = Icem { search: one_step(4), iterations: 2, elites: 2, keep: 1, momentum: 0.25 };
        let plan = solver.solve(&score, None, &mut noise);
        assert_eq!((plan.mean[0], plan.cost[0]), (0.9375, 0.003_906_25));
        assert_eq!((plan.kept, plan.elites.as_slice()), (1, &[0.9375][..]));
    }

    #[test]
    fn a_warm_start_brings_its_elites() {
        let score = Quadratic::new(&[[1.0], [-1.0]]);
        let warm = ActionPlan {
            horizon: 1,
            action_dim: 1,
            mean: vec![5.0; 2],
            cost: vec![0.0; 2],
            kept: 2,
            elites: vec![1.0, 8.0, -1.0, 8.0],
        };
        let solver = Icem { search: one_step(4), iterations: 1, elites: 2, keep: 1, momentum: 0.0 };
        let plan = solver.solve(&score, Some(&warm), &mut Injected::new(vec![vec![1.0; 4]; 2]).rows_of(2));
        assert_eq!((plan.mean, plan.cost), (vec![1.0, -1.0], vec![0.0, 0.0]));
    }

    #[test]
    fn finds_the_minimum_and_beats_random_shooting() {
        let score = Quadratic::new(&[[0.6, -0.2], [-0.5, 0.3]]);
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        let coloured = Search { noise_exponent: 2.0, ..search(64) };
        let random = RandomShooting { search: search(64), iterations: 10 }.solve(&score, None, &mut noise);
        let solver = Icem { search: coloured, iterations: 10, elites: 8, keep: 3, momentum: 0.1 };
        let icem = solver.solve(&score, None, &mut noise);
        for row in 0..2 {
            let baseline = random.cost[row];
            assert!(icem.cost[row] < 0.1 * baseline, "row {row}: {} against {baseline}", icem.cost[row]);
        }
    }
}
