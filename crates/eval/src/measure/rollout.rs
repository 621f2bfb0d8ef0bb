//! Rollout error: how far imagined latents are from those that came.

use std::collections::BTreeMap;
use std::path::PathBuf;

use prevision_core::ClipSource;
use serde::Serialize;

use crate::Latents;
use crate::bootstrap::bootstrap;

/// Of the draws for intervals.
const SEED: u64 = 0;

/// Latent mean squared errors at one horizon, over latents and their numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RolloutError {
    /// Steps ahead.
    pub horizon: usize,
    /// The model's rollout.
    pub model: f64,
    /// Predicting the last observed latent.
    pub copy: f64,
    /// Predicting the mean latent of the evaluation set.
    pub mean: f64,
    /// 95 % interval of `model / copy` over videos or episodes ([`bootstrap`]); `None` of a single one.
    pub interval: Option<[f64; 2]>,
    /// Of each video or episode by itself, in their order.
    pub videos: Vec<VideoError>,
}

/// Latent mean squared errors of the clips of one video or episode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VideoError {
    /// Its place in the data source's list, from 0.
    pub video: usize,
    /// The file that it is in.
    pub file: PathBuf,
    /// The model's rollout.
    pub model: f64,
    /// Predicting the last observed latent.
    pub copy: f64,
}

/// The errors of rollouts, as sums over all latents, so that none has to be kept: the error of the mean baseline follows from the sums of
/// the latents and of their squares. In double precision.
#[derive(Clone, Debug)]
pub struct RolloutErrors {
    /// At each step.
    steps: Vec<Sums>,
    /// Sum of every latent of the sequences, observed ones too, for every dimension.
    all: Vec<f64>,
    /// How many they are.
    count: f64,
    /// Of each video, by its number.
    videos: BTreeMap<usize, OfVideo>,
}

/// Sums of a video.
#[derive(Clone, Debug)]
struct OfVideo {
    file: PathBuf,
    /// At each step the squared error of the model, that of copying and the number of targets.
    steps: Vec<[f64; 3]>,
}

/// Sums at one step.
#[derive(Clone, Debug)]
struct Sums {
    /// Squared error of the model.
    model: f64,
    /// Squared error of copying.
    copy: f64,
    /// Squares of the targets.
    squares: f64,
    /// Targets, for every dimension.
    targets: Vec<f64>,
    /// Number of targets.
    count: f64,
}

impl RolloutErrors {
    /// No sequence yet; `steps` are predicted of each, latents have `dim` numbers.
    pub fn new(steps: usize, dim: usize) -> Self {
        let sums = Sums { model: 0.0, copy: 0.0, squares: 0.0, targets: vec![0.0; dim], count: 0.0 };
        Self { steps: vec![sums; steps], all: vec![0.0; dim], count: 0.0, videos: BTreeMap::new() }
    }

    /// Takes in sequences.
    ///
    /// # Shapes
    /// - targets: `[n, t, dim]`, of which the first `observed` were seen before predicting
    /// - predicted: `[n, steps, dim]`, the latents after those
    /// - sources: where the clips are from that the sequences are of, equally many of each clip, one after the other
    ///
    /// # Panics
    /// If the shapes do not fit, or nothing was observed.
    pub fn add(&mut self, targets: &Latents, observed: usize, predicted: &Latents, sources: &[ClipSource]) {
        let shape = |latents: &Latents| (latents.clips(), latents.dim());
        assert_eq!(shape(predicted), shape(targets), "predictions and targets differ");
        assert_eq!(
            (predicted.steps(), predicted.dim()),
            (self.steps.len(), self.all.len()),
            "other steps or dimensions"
        );
        for row in targets.rows() {
            accumulate(&mut self.all, row);
        }
        self.count += targets.rows().len() as f64;
        let of_a_clip = (targets.clips() / sources.len().max(1)).max(1);
        for sequence in 0..targets.clips() {
            let present = targets.at(sequence, observed - 1);
            let ClipSource { video, path, .. } = &sources[sequence / of_a_clip];
            let new = || OfVideo { file: path.clone(), steps: vec![[0.0; 3]; self.steps.len()] };
            let of_video = &mut self.videos.entry(*video).or_insert_with(new).steps;
            for (step, sums) in self.steps.iter_mut().enumerate() {
                let target = targets.at(sequence, observed + step);
                let model = squared_distance(predicted.at(sequence, step), target);
                let copy = squared_distance(present, target);
                sums.model += model;
                sums.copy += copy;
                of_video[step][0] += model;
                of_video[step][1] += copy;
                of_video[step][2] += 1.0;
                sums.squares += target.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>();
                accumulate(&mut sums.targets, target);
                sums.count += 1.0;
            }
        }
    }

    /// The mean errors.
    ///
    /// # Panics
    /// If a horizon is not one of the steps, counted from 1.
    pub fn finish(&self, horizons: &[usize]) -> Vec<RolloutError> {
        let mean: Vec<f64> = self.all.iter().map(|sum| sum / self.count).collect();
        let square: f64 = mean.iter().map(|value| value * value).sum();
        let error = |&horizon: &usize| {
            assert!((1..=self.steps.len()).contains(&horizon), "horizon {horizon} of {} steps", self.steps.len());
            let sums = &self.steps[horizon - 1];
            let numbers = sums.count * mean.len() as f64;
            let cross: f64 = mean.iter().zip(&sums.targets).map(|(mean, sum)| mean * sum).sum();
            RolloutError {
                horizon,
                model: sums.model / numbers,
                copy: sums.copy / numbers,
                mean: (sums.squares - 2.0 * cross + sums.count * square) / numbers,
                interval: self.interval(horizon - 1),
                videos: self.videos(horizon - 1),
            }
        };
        horizons.iter().map(error).collect()
    }
}

impl RolloutErrors {
    /// The interval of the model's error over that of copying at a step, counted from 0.
    fn interval(&self, step: usize) -> Option<[f64; 2]> {
        let videos: Vec<[f64; 3]> = self.videos.values().map(|video| video.steps[step]).collect();
        bootstrap(videos.len(), SEED, |drawn| {
            let sum = |which: usize| drawn.iter().map(|video| videos[*video][which]).sum::<f64>();
            sum(0) / sum(1)
        })
    }

    /// The errors of each video at a step, counted from 0.
    fn videos(&self, step: usize) -> Vec<VideoError> {
        let dim = self.all.len() as f64;
        let error = |(&video, of_video): (&usize, &OfVideo)| {
            let [model, copy, count] = of_video.steps[step];
            let file = of_video.file.clone();
            VideoError { video, file, model: model / (count * dim), copy: copy / (count * dim) }
        };
        self.videos.iter().map(error).collect()
    }
}

fn accumulate(sums: &mut [f64], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += f64::from(value));
}

fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(video: usize) -> ClipSource {
        ClipSource { path: format!("{video}.mp4").into(), video, start: 0 }
    }

    fn of_video((video, model, copy): (usize, f64, f64)) -> VideoError {
        VideoError { video, file: source(video).path, model, copy }
    }

    #[test]
    fn errors_match_hand_computed_values() {
        // Two sequences of three latents of one dimension, of which two are predicted, one after the other; the mean is 2.
        let mut errors = RolloutErrors::new(2, 1);
        for (targets, predicted) in [([0.0, 1.0, 3.0], [1.0, 2.0]), ([4.0, 2.0, 2.0], [3.0, 2.0])] {
            let latents = |values: &[f32]| Latents::from_values(values.to_vec(), values.len(), 1);
            errors.add(&latents(&targets), 1, &latents(&predicted), &[source(targets[0] as usize)]);
        }
        let errors = errors.finish(&[1, 2]);
        // The videos' ratios at the first horizon: 0 to 1 and 1 to 4.
        let interval = errors[0].interval.unwrap();
        assert_eq!(interval, [0.0, 0.25]);
        // Horizon 1: targets 1 and 2, predictions 1 and 3, copies 0 and 4.
        assert_eq!(
            errors[0],
            RolloutError {
                horizon: 1,
                model: 0.5,
                copy: 2.5,
                mean: 0.5,
                interval: errors[0].interval,
                videos: [(0, 0.0, 1.0), (4, 1.0, 4.0)].map(of_video).to_vec(),
            }
        );
        // Horizon 2: targets 3 and 2, predictions 2 and 2, copies 0 and 4.
        assert_eq!(
            errors[1],
            RolloutError {
                horizon: 2,
                model: 0.5,
                copy: 6.5,
                mean: 0.5,
                interval: errors[1].interval,
                videos: [(0, 1.0, 9.0), (4, 0.0, 4.0)].map(of_video).to_vec(),
            }
        );
    }

    #[test]
    fn the_present_is_the_last_observed_latent_and_later_ones_count_in_the_mean() {
        // Latents of two dimensions: two observed, one predicted, one beyond; their mean is (2, 2).
        let targets = Latents::from_values(vec![1.0, 4.0, 2.0, 0.0, 4.0, 0.0, 1.0, 4.0], 4, 2);
        let mut errors = RolloutErrors::new(1, 2);
        errors.add(&targets, 2, &Latents::from_values(vec![4.0, 3.0], 1, 2), &[source(0)]);
        assert_eq!(
            errors.finish(&[1]),
            [RolloutError {
                horizon: 1,
                model: 4.5,
                copy: 2.0,
                mean: 4.0,
                interval: None,
                videos: vec![of_video((0, 4.5, 2.0))],
            }]
        );
    }

    #[test]
    #[should_panic(expected = "horizon 3 of 2 steps")]
    fn horizons_beyond_the_rollout_panic() {
        let _ = RolloutErrors::new(2, 1).finish(&[3]);
    }
}
