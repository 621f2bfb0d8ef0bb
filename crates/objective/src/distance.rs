//! The learned distance in steps: how many steps lie between two latents.
//!
//! Two frames of one episode are some number of steps apart. That number overestimates the shortest path, because nobody
//! walked straight; over all pairs of frames that look like these two, its low quantiles are those of the walks that did. The
//! head regresses such a quantile (Koenker and Bassett 1978, "Regression Quantiles"). The embedding makes it a metric, so that
//! pairs which no episode connects are bounded by those it does. No bootstrapping, no target network: a plain regression.

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
    /// Which quantile of the number of steps is learned. Low ones are nearer to the shortest path, and noisier. Default 0.1.
    pub quantile: f64,
    /// Goals drawn for every clip of a batch, from the same episode. Default 4.
    pub goals: usize,
}

impl Default for DistanceConfig {
    fn default() -> Self {
        Self { weight: 0.0, quantile: 0.1, goals: 4 }
    }
}

/// The latents of a batch: which episode and which time, in steps, each clip begins at, and the frames of a clip.
#[derive(Clone, Copy, Debug)]
pub struct Times<'a> {
    /// The episode of every clip.
    pub episodes: &'a [usize],
    /// The time of every clip's first frame, in steps from the start of its episode.
    pub starts: &'a [f64],
    /// Frames in a clip.
    pub frames: usize,
}

impl Times<'_> {
    /// Steps between two latents `clip * frames + frame` of one episode.
    fn steps_between(&self, a: usize, b: usize) -> f64 {
        let time = |latent: usize| self.starts[latent / self.frames] + (latent % self.frames) as f64;
        (time(a) - time(b)).abs()
    }

    /// A random goal for every clip, a latent of any clip of the same episode, and the steps to it from each of the clip's latents: a
    /// pure function of the seed, the step and the round.
    pub fn goals(&self, seed: u64, step: u64, round: u64) -> (Vec<usize>, Vec<f32>) {
        let mut rng = seed::rng(seed, "distance-pairs", round, step);
        let mut goals = Vec::with_capacity(self.episodes.len());
        let mut steps = Vec::with_capacity(self.episodes.len() * self.frames);
        for (clip, episode) in self.episodes.iter().enumerate() {
            // Another clip of the episode, if there is one: its frames are farther away.
            let others = |&other: &usize| self.episodes[other] == *episode && other != clip;
            let mut same: Vec<usize> = (0..self.episodes.len()).filter(others).collect();
            if same.is_empty() {
                same.push(clip);
            }
            let index = rng.random_range(0..same.len() * self.frames);
            let goal = same[index / self.frames] * self.frames + index % self.frames;
            goals.push(goal);
            steps
                .extend((clip * self.frames..(clip + 1) * self.frames).map(|own| self.steps_between(own, goal) as f32));
        }
        (goals, steps)
    }
}

/// Indices as a tensor for `select`.
pub(crate) fn indices(values: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.into_iter().map(|i| i as i64).collect();
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), device)
}

/// Quantile loss: the mean of `quantile * u` where `u = steps - distance` is positive and of `(quantile - 1) * u` elsewhere.
///
/// # Shapes
/// - distances: `[n]`, as the head gives them
/// - steps: `[n]`, as they were in the episodes
/// - output: `[1]`
pub fn distance(distances: Tensor<1>, steps: Tensor<1>, quantile: f64) -> Tensor<1> {
    let short = steps - distances;
    (short.clone().clamp_min(0.0) * quantile + short.neg().clamp_min(0.0) * (1.0 - quantile)).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn value_matches_the_formula() {
        let device = Device::flex();
        let distances = Tensor::<1>::from_floats([10.0, 4.0, 3.0], &device);
        let steps = Tensor::<1>::from_floats([4.0, 14.0, 3.0], &device);
        // 6 too long at 0.9, 10 too short at 0.1, one exact
        assert!((scalar(distance(distances, steps, 0.1)) - 6.4 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let error = gradient_error(&[0.5, 2.0, 4.0, 1.7], |x| {
            distance(x, Tensor::from_floats([1.5, 1.0, 7.0, 0.2], &Device::flex()), 0.2)
        });
        assert!(error < 1e-2, "{error}");
    }

    #[test]
    fn goals_are_of_the_same_episode_and_know_their_steps() {
        let times = Times { episodes: &[7, 3, 7], starts: &[2.0, 0.0, 30.5], frames: 5 };
        let (goals, steps) = times.goals(1, 2, 0);
        assert_eq!((goals.len(), steps.len()), (3, 15));
        assert!((10..15).contains(&goals[0]) && (0..5).contains(&goals[2]), "the other clip of the episode: {goals:?}");
        assert!((5..10).contains(&goals[1]), "the clip itself where there is no other: {goals:?}");
        for (own, &steps) in steps.iter().enumerate() {
            assert_eq!(f64::from(steps), times.steps_between(own, goals[own / 5]));
        }
        assert_eq!(times.steps_between(1, 12), 29.5);
        assert_eq!(times.goals(1, 2, 0), (goals, steps));
        let all = |step, round| (0..20).map(|seed| times.goals(seed, step, round).0).collect::<Vec<_>>();
        assert_ne!(all(2, 0), all(3, 0));
        assert_ne!(all(2, 0), all(2, 1));
    }

    #[test]
    fn goals_are_uniform() {
        let times = Times { episodes: &[0], starts: &[0.0], frames: 4 };
        let mut counts = [0_usize; 4];
        for step in 0..4000 {
            counts[times.goals(0, step, 0).0[0]] += 1;
        }
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }
}
