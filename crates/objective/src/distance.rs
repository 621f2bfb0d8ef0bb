//! The learned distance in steps: how many steps lie between two latents.
//!
//! A quasimetric objective in the manner of QRL (Wang et al. 2023, "Optimal Goal-Reaching Reinforcement Learning via
//! Quasimetric Learning"): push random pairs apart while no observed transition may be longer than one step. The largest
//! distance that satisfies every one-step constraint and the triangle inequality is the shortest path. Where QRL solves
//! for a Lagrange multiplier, a fixed large weight holds the constraint here.

use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_data::seed;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// The learned distance. Only its head learns; the latents are detached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DistanceConfig {
    /// Weight of the term. Default 0: there is no distance head.
    pub weight: f64,
    /// The largest plausible distance, in steps: pairs are no longer pushed apart beyond it. Default 100.
    pub offset: f64,
    /// Width, in steps, over which the push fades out around the offset. Default 10.
    pub softness: f64,
    /// Weight of the one-step constraint against the push. With paths of `L` steps, a step is overestimated by
    /// about `L / (6 constraint_weight)`. Default 300.
    pub constraint_weight: f64,
    /// Share of random pairs whose latents come from different episodes; the others come from one episode. Default 0.5.
    pub cross_episode: f64,
}

impl Default for DistanceConfig {
    fn default() -> Self {
        Self { weight: 0.0, offset: 100.0, softness: 10.0, constraint_weight: 300.0, cross_episode: 0.5 }
    }
}

/// One random partner for every latent of a batch: a pure function of the seed and the step.
///
/// Latent `clip * time + frame` belongs to `episodes[clip]`. A partner is another latent of the same episode (from any
/// of its clips) or, with probability `cross_episode`, any latent of the other episodes; where only one kind exists, that
/// kind is used.
pub fn partners(episodes: &[usize], time: usize, cross_episode: f64, seed: u64, step: u64) -> Vec<usize> {
    let mut rng = seed::rng(seed, "distance-pairs", 0, step);
    let mut partners = Vec::with_capacity(episodes.len() * time);
    for (clip, &episode) in episodes.iter().enumerate() {
        let (same, others): (Vec<usize>, Vec<usize>) =
            (0..episodes.len()).partition(|&other| episodes[other] == episode);
        let alone = same.len() * time < 2;
        for own in clip * time..(clip + 1) * time {
            // Two draws for every latent, used or not: its partner does not depend on what the others drew.
            let (crossing, place): (f64, f64) = (rng.random(), rng.random());
            let latent = |clips: &[usize], index: usize| clips[index / time] * time + index % time;
            partners.push(if !others.is_empty() && (crossing < cross_episode || alone) {
                latent(&others, at(place, others.len() * time))
            } else if alone {
                own
            } else {
                let index = at(place, same.len() * time - 1);
                let partner = latent(&same, index);
                // The latents of an episode ascend: stepping over the own one keeps the draw uniform.
                if partner >= own { latent(&same, index + 1) } else { partner }
            });
        }
    }
    partners
}

/// The element of `0..count` at `place` in `[0, 1)`.
fn at(place: f64, count: usize) -> usize {
    ((place * count as f64) as usize).min(count - 1)
}

/// Indices as a tensor for `select`.
pub(crate) fn indices(values: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.into_iter().map(|i| i as i64).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// `[mean softness softplus((offset - d) / softness) over random pairs + constraint_weight mean max(0, d - 1)^2 over
/// observed transitions] / offset`. The division keeps the term of order 1 whatever the offset.
///
/// # Shapes
/// - pairs: `[n]`, distances of random pairs in steps
/// - transitions: `[m]`, distances of neighbouring frames in steps
/// - output: `[1]`
pub fn distance(pairs: Tensor<1>, transitions: Tensor<1>, config: &DistanceConfig) -> Tensor<1> {
    let room = (pairs.neg() + config.offset) / config.softness;
    // softplus(x) = max(x, 0) + ln(1 + exp(-|x|)), which cannot overflow.
    let softplus = room.clone().clamp_min(0.0) + room.abs().neg().exp().log1p();
    let push = softplus.mean() * config.softness;
    let excess = (transitions - 1.0).clamp_min(0.0).square().mean();
    (push + excess * config.constraint_weight) / config.offset
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn value_matches_the_formula() {
        let device = Device::flex();
        let config =
            DistanceConfig { offset: 10.0, softness: 2.0, constraint_weight: 100.0, ..DistanceConfig::default() };
        let pairs = Tensor::<1>::from_floats([10.0, 4.0], &device);
        let transitions = Tensor::<1>::from_floats([0.5, 1.5], &device);
        let push = f64::midpoint(2.0_f64.ln(), 3.0 + (-3.0_f64).exp().ln_1p()) * 2.0;
        let expected = (push + 100.0 * 0.125) / 10.0;
        assert!((scalar(distance(pairs, transitions, &config)) - expected).abs() < 1e-5);
    }

    #[test]
    fn far_pairs_and_short_transitions_cost_nothing() {
        let device = Device::flex();
        let config = DistanceConfig::default();
        let far = Tensor::<1>::from_floats([1e4, 2e4], &device);
        assert_eq!(scalar(distance(far, Tensor::from_floats([0.2, 1.0], &device), &config)), 0.0);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let config = DistanceConfig { offset: 3.0, softness: 1.0, constraint_weight: 2.0, ..DistanceConfig::default() };
        let error = gradient_error(&[0.5, 2.0, 4.0, 1.7, 0.3], |x| {
            distance(x.clone().narrow(0, 0, 3), x.narrow(0, 3, 2), &config)
        });
        assert!(error < 1e-2, "{error}");
    }

    #[test]
    fn partners_keep_to_the_asked_episodes() {
        let (episodes, time) = ([7, 3, 7, 9], 5);
        let episode = |latent: usize| episodes[latent / time];
        let same = partners(&episodes, time, 0.0, 1, 2);
        assert!(same.iter().enumerate().all(|(own, &other)| own != other && episode(own) == episode(other)));
        assert!((0..5).any(|own| same[own] >= 10), "partners come from the other clips of the episode too");
        let cross = partners(&episodes, time, 1.0, 1, 2);
        assert!(cross.iter().enumerate().all(|(own, &other)| episode(own) != episode(other)));
        assert_eq!(same, partners(&episodes, time, 0.0, 1, 2));
        assert_ne!(same, partners(&episodes, time, 0.0, 1, 3));
    }

    #[test]
    fn same_episode_partners_are_uniform() {
        let mut counts = [0_usize; 4];
        for step in 0..3000 {
            counts[partners(&[0], 4, 0.0, 0, step)[1]] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!([0, 2, 3].iter().all(|&i| (900..1100).contains(&counts[i])), "{counts:?}");
    }

    #[test]
    fn one_episode_has_no_cross_pairs() {
        let pairs = partners(&[4, 4], 3, 1.0, 0, 0);
        assert!(pairs.iter().enumerate().all(|(own, &other)| own != other && other < 6));
    }
}
