//! The sample-efficient cross-entropy method: coloured noise, elites remembered, momentum.

use prevision_core::config::Options;
use prevision_core::config::check::{check, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::search::{Stopwatch, summary};
use super::{Gaussian, Sampler, Solution, Solved, Solver, SolverContext, elites, validate_rounds};
use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Keys of [`Icem`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IcemConfig {
    /// Sequences in each round. Default 200.
    pub samples: usize,
    /// The cheapest sequences, which the distribution of the next round is fitted to. Default 20.
    pub elites: usize,
    /// Rounds. Default 10.
    pub iterations: usize,
    /// Exponent of the noise's power spectrum: 0 is white, 1 pink, 2 red. Default 2.
    pub noise_exponent: f64,
    /// Elites that are candidates again in the next round and in the next plan. Default 5.
    pub keep_elites: usize,
    /// Share of the old mean and standard deviation in the new ones. Default 0.1.
    pub momentum: f64,
}

impl Default for IcemConfig {
    fn default() -> Self {
        Self { samples: 200, elites: 20, iterations: 10, noise_exponent: 2.0, keep_elites: 5, momentum: 0.1 }
    }
}

impl Options for IcemConfig {
    fn validate(&self) -> Result<(), String> {
        let Self { samples, elites, iterations, noise_exponent, keep_elites, momentum } = *self;
        validate_rounds(samples, elites, 2.0, iterations)?;
        check("noise_exponent", noise_exponent).at_least(0.0)?;
        check("keep_elites", keep_elites as f64).at_most(elites as f64, "elites")?;
        let room = format_args!("a number below samples ({samples}), to leave room for the mean").to_string();
        ensure(keep_elites < samples, "keep_elites", keep_elites, room)?;
        check("momentum", momentum).at_least(0.0)?.below(1.0)?.done()
    }
}

/// iCEM (Pinneri et al. 2020, algorithm 1, <https://arxiv.org/abs/2008.06389>) without its shrinking population: noise coloured in
/// time, the best elites kept from one iteration to the next and, shifted, from one plan to the next, momentum on mean and standard
/// deviation, the mean as a candidate in the last iteration. Returns the best candidate of the last iteration.
#[derive(Clone, Debug)]
pub struct Icem {
    sampler: Sampler,
    keys: IcemConfig,
}

impl Icem {
    /// A solver with these keys.
    ///
    /// # Panics
    /// If more sequences are kept than fit beside the mean among the samples: [`IcemConfig::validate`](Options::validate) refuses that.
    pub fn new(context: &SolverContext, keys: IcemConfig) -> Self {
        let (keep, samples) = (keys.keep_elites, keys.samples);
        assert!(keep < samples, "{keep} kept elites and the mean do not fit in {samples} samples");
        Self { sampler: Sampler::new(context, samples, keys.noise_exponent), keys }
    }

    /// Fits the distribution of one episode to its elites.
    fn update(&self, candidates: &[f32], chosen: &[usize], mean: &mut [f32], std: &mut [f32]) {
        let momentum = self.keys.momentum as f32;
        let (mut elite_mean, mut elite_std) = (vec![0.0; mean.len()], vec![0.0; std.len()]);
        elites::mean_and_std(candidates, chosen, &mut elite_mean, &mut elite_std);
        let blend = |old: &mut [f32], new: &[f32]| {
            for (old, new) in old.iter_mut().zip(new) {
                *old = momentum * *old + (1.0 - momentum) * new;
            }
        };
        blend(mean, &elite_mean);
        blend(std, &elite_std);
    }
}

impl Solver for Icem {
    fn name(&self) -> &'static str {
        "icem"
    }

    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved {
        let context = self.sampler.context();
        let (rows, sequence) = (noise.rows(), context.sequence());
        let keep = self.keys.keep_elites.min(self.keys.elites);
        let mut watch = Stopwatch::start(context, rows);
        let mut gaussian = Gaussian::start(context, rows, warm_start);
        // `[b, kept, horizon, a]`: those of the last plan at first, then those of the last iteration.
        let (mut kept, mut remembered) =
            warm_start.map_or((0, Vec::new()), |plan| (plan.kept.min(keep), plan.elites.clone()));
        let stride = |count: usize| count * sequence;
        let mut stored = warm_start.map_or(0, |plan| plan.kept);
        let mut best = gaussian.mean.clone();
        for iteration in 0..self.keys.iterations {
            let last = iteration + 1 == self.keys.iterations;
            let mean = &gaussian.mean;
            let scored = self.sampler.iterate(&gaussian, iteration, score, noise, |row, candidates| {
                candidates[..stride(kept)].copy_from_slice(&remembered[stride(row * stored)..][..stride(kept)]);
                if last {
                    candidates[stride(kept)..][..sequence].copy_from_slice(&mean[row * sequence..][..sequence]);
                }
            });
            (kept, stored) = (keep, keep);
            remembered = Vec::with_capacity(rows * stride(keep));
            for row in 0..rows {
                let candidates = scored.row(row);
                let chosen = elites::best(candidates.ranks, self.keys.elites);
                let range = row * sequence..(row + 1) * sequence;
                let (mean, std) = (&mut gaussian.mean[range.clone()], &mut gaussian.std[range.clone()]);
                self.update(candidates.actions, &chosen, mean, std);
                watch.note(row, summary(&candidates, &chosen, std));
                for index in &chosen[..keep] {
                    remembered.extend_from_slice(&candidates.actions[stride(*index)..][..sequence]);
                }
                best[range].copy_from_slice(&candidates.actions[stride(chosen[0])..][..sequence]);
            }
            if watch.ends(!last) {
                break;
            }
        }
        let solution = self.sampler.solution(best, score);
        let plan = ActionPlan { kept, elites: remembered, ..solution.plan };
        Ok(Solution { plan, searches: watch.stop(), ..solution })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::SeededNoise;
    use crate::solver::toy::{Injected, Quadratic, one_step, search};
    use crate::solver::{RandomConfig, RandomShooting};

    fn white(samples: usize, iterations: usize, momentum: f64) -> IcemConfig {
        IcemConfig { samples, elites: 2, iterations, noise_exponent: 0.0, keep_elites: 1, momentum }
    }

    #[test]
    fn elites_return_and_the_mean_joins_at_the_end() {
        // Target 1, momentum 1/4. First round: [3, 0.5, -1, 2], costs [4, 0.25, 4, 1]; elites 0.5, 2: mean 1.25, std
        // sqrt(9/8); with momentum: mean 0.9375, std 0.25 + 0.75 * 1.0606602 = 1.0454951. Second and last round: the
        // kept elite 0.5, the mean 0.9375, then 0.9375 + 1.0454951 * [1, -1]: the mean is best, cost 0.00390625.
        let score = Quadratic::new(&[[1.0]]);
        let mut noise = Injected::new(vec![vec![3.0, 0.5, -1.0, 2.0], vec![7.0, 7.0, 1.0, -1.0]]);
        let plan = Icem::new(&one_step(1.0), white(4, 2, 0.25)).solve(&score, None, &mut noise).unwrap().plan;
        assert_eq!((plan.actions[0], plan.cost[0]), (0.9375, 0.003_906_25));
        assert_eq!((plan.kept, plan.elites.as_slice()), (1, &[0.9375][..]));
    }

    #[test]
    fn a_warm_start_brings_its_elites() {
        let score = Quadratic::new(&[[1.0], [-1.0]]);
        let warm = ActionPlan {
            horizon: 1,
            action_width: 1,
            actions: vec![5.0; 2],
            cost: vec![0.0; 2],
            violation: vec![0.0; 2],
            kept: 2,
            elites: vec![1.0, 8.0, -1.0, 8.0],
        };
        let solver = Icem::new(&one_step(1.0), white(4, 1, 0.0));
        let plan =
            solver.solve(&score, Some(&warm), &mut Injected::new(vec![vec![1.0; 4]; 2]).rows_of(2)).unwrap().plan;
        assert_eq!((plan.actions, plan.cost), (vec![1.0, -1.0], vec![0.0, 0.0]));
    }

    #[test]
    fn finds_the_minimum_and_beats_random_shooting() {
        let score = Quadratic::new(&[[0.6, -0.2], [-0.5, 0.3]]);
        let mut noise = SeededNoise::new(1, 0, vec![0, 1]);
        let random = RandomShooting::new(&search(), RandomConfig { samples: 640 });
        let random = random.solve(&score, None, &mut noise).unwrap().plan;
        let keys = IcemConfig { samples: 64, elites: 8, keep_elites: 3, ..IcemConfig::default() };
        let icem = Icem::new(&search(), keys).solve(&score, None, &mut noise).unwrap().plan;
        for row in 0..2 {
            let baseline = random.cost[row];
            assert!(icem.cost[row] < 0.1 * baseline, "row {row}: {} against {baseline}", icem.cost[row]);
        }
    }

    #[test]
    fn the_best_feasible_candidate_is_returned() {
        // The best of all, 1, is at 0.9 beyond the bound, and so is the mean of the elites.
        let score = Quadratic::new(&[[1.0]]).bounded(0.1);
        let mut noise = Injected::new(vec![vec![1.0, 0.05, -1.0, 0.9]]);
        let keys = IcemConfig { samples: 4, iterations: 1, keep_elites: 0, ..white(4, 1, 0.0) };
        let solution = Icem::new(&one_step(1.0), keys).solve(&score, None, &mut noise).unwrap();
        // The first slot is the mean of the last round, 0.
        assert_eq!((solution.plan.actions[0], solution.plan.violation[0]), (0.05, 0.0));
    }

    #[test]
    fn keys_out_of_range_are_named() {
        let refused = |keys: IcemConfig| keys.validate().unwrap_err();
        let keys = IcemConfig { samples: 4, elites: 4, keep_elites: 4, ..IcemConfig::default() };
        assert_eq!(
            refused(keys),
            "keep_elites is 4, but must be a number below samples (4), to leave room for the mean"
        );
        assert_eq!(refused(IcemConfig { elites: 1, ..keys }), "elites is 1, but must be 2 or more");
        assert_eq!(refused(IcemConfig { elites: 5, ..keys }), "elites is 5, but must be 4 (samples) or less");
        let keys = IcemConfig { momentum: 1.0, ..IcemConfig::default() };
        assert_eq!(refused(keys), "momentum is 1, but must be a number below 1");
    }
}
