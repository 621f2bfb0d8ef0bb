//! The learned distance in steps: how many steps lie between two latents.
//!
//! Two frames of one episode are some number of steps apart. That number overestimates the shortest path, because nobody
//! walked straight; over all pairs of frames that look like these two, its low quantiles are those of the walks that did. The
//! head regresses such a quantile (Koenker and Bassett 1978, "Regression Quantiles"). The embedding makes it a metric, so that
//! pairs which no episode connects are bounded by those it does. No bootstrapping, no target network: a plain regression.

use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_core::config::check::positive;
use prevision_core::config::{Options, check};
use prevision_core::{Spaces, seed};
use prevision_model::{Distance, HeadFlags};
use rand::Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::term::two_frames;
use crate::{Draw, Frames, Needs, Seen, Term};

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

    /// `rounds` times a random goal for every clip, a latent of any clip of the same episode, and the steps to it from each of the
    /// clip's latents. Each clip has a random stream of its own, a function of the seed, the number of the batch and the clip's place
    /// in the whole batch.
    pub fn goals(&self, draw: &Draw, rounds: usize) -> (Vec<usize>, Vec<f32>) {
        let clips = self.episodes.len();
        let drawn: Vec<Vec<usize>> = (0..clips).map(|clip| self.goals_of(clip, draw, rounds)).collect();
        let goals: Vec<usize> = (0..rounds).flat_map(|round| drawn.iter().map(move |goals| goals[round])).collect();
        let latents = |clip: usize| clip * self.frames..(clip + 1) * self.frames;
        let steps = goals
            .iter()
            .enumerate()
            .flat_map(|(index, &goal)| latents(index % clips).map(move |own| self.steps_between(own, goal) as f32));
        let steps = steps.collect();
        (goals, steps)
    }

    /// The goals of one clip.
    fn goals_of(&self, clip: usize, draw: &Draw, rounds: usize) -> Vec<usize> {
        let mut rng = seed::rng(draw.seed, "distance-pairs", draw.number, (draw.first + clip) as u64);
        // Another clip of the episode, if there is one: its frames are farther away.
        let others = |&other: &usize| self.episodes[other] == self.episodes[clip] && other != clip;
        let mut same: Vec<usize> = (0..self.episodes.len()).filter(others).collect();
        if same.is_empty() {
            same.push(clip);
        }
        let latents = same.len() * self.frames;
        let indices = (0..rounds).map(|_| rng.random_range(0..latents));
        indices.map(|index| same[index / self.frames] * self.frames + index % self.frames).collect()
    }
}

/// Indices as a tensor for `select`.
fn indices(values: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
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

/// The learned distance. Only its head learns; the latents are detached.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DistanceTerm {
    /// Which quantile of the number of steps is learned. Low ones are nearer to the shortest path, and noisier. Default 0.1.
    quantile: f64,
    /// Goals drawn for every clip of a batch, from the same episode. Default 4.
    goals: usize,
}

impl Default for DistanceTerm {
    fn default() -> Self {
        Self { quantile: 0.1, goals: 4 }
    }
}

impl Options for DistanceTerm {
    fn validate(&self) -> Result<(), String> {
        check("quantile", self.quantile).above(0.0)?.below(1.0)?;
        positive("goals", self.goals)
    }
}

impl Term for DistanceTerm {
    fn needs(&self) -> Needs {
        let heads = HeadFlags { distance: true, ..HeadFlags::default() };
        Needs { frames: Frames::All, heads, time: true, global_batch: true, ..Needs::default() }
    }

    fn validate(&self, key: &str, spaces: &Spaces) -> Result<(), String> {
        two_frames(key, spaces)
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        let head = seen.heads().distance.as_ref().expect("a distance head");
        let [_, frames, _] = seen.latents().dims();
        let latents = seen.detached();
        let device = latents.device();
        let episodes = seen.batch.episodes();
        let times = Times { episodes: &episodes, starts: &seen.batch.starts, frames };
        let (goals, steps) = times.goals(&seen.draw, self.goals);
        let (rows, count) = (goals.len(), steps.len());
        let steps = Tensor::from_data(TensorData::new(steps, [count]), &device);
        let goals = head.goals(latents.clone().select(0, indices(goals, &device)).unsqueeze_dim(1), None);
        let starts = head.starts(latents.unsqueeze_dim(1)).repeat_dim(0, self.goals);
        let [_, width] = starts.dims();
        let distances = head.between(starts.reshape([rows, frames, width]), goals).reshape([count]);
        distance(distances, steps, self.quantile)
    }
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

    fn draw(seed: u64, number: u64) -> Draw {
        Draw { seed, number, first: 0 }
    }

    #[test]
    fn goals_are_of_the_same_episode_and_know_their_steps() {
        let times = Times { episodes: &[7, 3, 7], starts: &[2.0, 0.0, 30.5], frames: 5 };
        let (goals, steps) = times.goals(&draw(1, 2), 1);
        assert_eq!((goals.len(), steps.len()), (3, 15));
        assert!((10..15).contains(&goals[0]) && (0..5).contains(&goals[2]), "the other clip of the episode: {goals:?}");
        assert!((5..10).contains(&goals[1]), "the clip itself where there is no other: {goals:?}");
        for (own, &steps) in steps.iter().enumerate() {
            assert_eq!(f64::from(steps), times.steps_between(own, goals[own / 5]));
        }
        assert_eq!(times.steps_between(1, 12), 29.5);
        let (twice, steps_twice) = times.goals(&draw(1, 2), 2);
        assert_eq!((&twice[..3], &steps_twice[..15]), (&goals[..], &steps[..]), "rounds follow each other");
        let all = |number, round: usize| {
            let goals = (0..20).map(|seed| times.goals(&draw(seed, number), 2).0[3 * round..3 * (round + 1)].to_vec());
            goals.collect::<Vec<_>>()
        };
        assert_ne!(all(2, 0), all(3, 0));
        assert_ne!(all(2, 0), all(2, 1));
    }

    #[test]
    fn a_part_of_a_batch_draws_what_the_whole_draws_there() {
        let whole = Times { episodes: &[1, 1, 2, 2], starts: &[0.0, 9.0, 0.0, 9.0], frames: 5 };
        let part = Times { episodes: &[2, 2], starts: &[0.0, 9.0], frames: 5 };
        for number in 0..9 {
            let (goals, steps) = whole.goals(&draw(4, number), 1);
            let (own, own_steps) = part.goals(&Draw { first: 2, ..draw(4, number) }, 1);
            assert_eq!(own.iter().map(|goal| goal + 10).collect::<Vec<_>>(), goals[2..]);
            assert_eq!(own_steps, steps[10..]);
        }
    }

    #[test]
    fn goals_are_uniform() {
        let times = Times { episodes: &[0], starts: &[0.0], frames: 4 };
        let mut counts = [0_usize; 4];
        for number in 0..4000 {
            counts[times.goals(&draw(0, number), 1).0[0]] += 1;
        }
        assert!(counts.iter().all(|count| (900..1100).contains(count)), "{counts:?}");
    }
}
