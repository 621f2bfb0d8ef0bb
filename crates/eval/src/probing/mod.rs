//! Frozen probes: what small heads read from the features of a frozen encoder, against what the same heads read from the same network at
//! random initialisation and from pixel statistics.
//!
//! A [`ProbeTask`] says which views of clips are seen and which class each is of; a [`ProbeHead`] learns to tell the classes. Both are
//! registered by name. The encoder runs once over every view; its features are kept, and heads learn from those. Splits are by source video,
//! and so are intervals: a video is the independent unit.

mod collect;
mod encoder;
mod features;
mod folds;
mod head;
mod heads;
mod interval;
mod pixel_statistics;
mod results;
mod task;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use prevision_data::ClipDataset;
use serde_json::Value;

pub use encoder::{FileEncoder, FrozenEncoder, ModelEncoder};
pub use features::{Features, Standardised};
pub use folds::{Fold, Rows, folds};
pub use head::{ACCURACY, Measured, ProbeData, ProbeHead, ProbeHeads};
pub use heads::built_in_heads;
pub use results::{Difference, ProbeResult, TaskResults};
pub use task::{ClipShape, ProbeTask, ProbeTasks, View};
pub use tasks::built_in_tasks;

use crate::EvalError;
use collect::{Collected, collect};
use interval::{bootstrap, mean};

/// Names of features in results.
const MODEL: &str = "model";
const RANDOM: &str = "random";
const PIXELS: &str = "pixels";
const MAJORITY: &str = "majority";

/// How probes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeOptions {
    /// Clips of each video, evenly spread; fewer where a video has fewer different ones.
    pub clips: usize,
    /// Splits, see [`folds`](fn@folds).
    pub folds: Option<usize>,
    /// Most memory for features, MiB.
    pub memory_mb: usize,
    /// Seed of splits, weights of heads, the order of rows and resampling.
    pub seed: u64,
}

/// What is probed.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The encoder.
    pub model: &'a dyn FrozenEncoder,
    /// The same network at random initialisation.
    pub random: &'a dyn FrozenEncoder,
}

/// Probes a task with all of these heads. `dataset` has clips of [`ProbeTask::span`] frames; every video of it is used, without random
/// transforms.
///
/// `progress` is told what is being done, and which share of it is done.
///
/// # Errors
/// If clips cannot be read or do not fit the encoder, videos or classes are too few, a head does not fit, or features are not finite or need
/// more memory than allowed.
pub fn probe_task(
    subject: Subject<'_>,
    (name, task): (&str, &dyn ProbeTask),
    dataset: &dyn ClipDataset,
    heads: &[(String, Box<dyn ProbeHead>)],
    options: &ProbeOptions,
    progress: &mut dyn FnMut(&str, f64),
) -> Result<TaskResults, EvalError> {
    let start = Instant::now();
    subject.model.check(dataset.spaces()).map_err(EvalError::Config)?;
    let encoders = [(MODEL, subject.model), (RANDOM, subject.random)];
    let what = format!("{name}: encode");
    let collected = collect(task, dataset, &encoders, options, &mut |done| progress(&what, done))?;
    let rows = &collected.rows;
    let wrong = |message: String| EvalError::Config(format!("task {name}: {message}"));
    check_classes(rows, collected.classes.len()).map_err(wrong)?;
    let folds = folds(rows, options.folds, options.seed).map_err(wrong)?;
    let mut results = Vec::new();
    for (head_name, head) in heads {
        let mut all = Vec::new();
        for features in &collected.features {
            let what = format!("{name}: {head_name} on {}", features.name);
            all.push(OfFeatures {
                features: features.name,
                found: measure(head.as_ref(), &collected, features, &folds, (subject, options), &mut |done| {
                    progress(&what, done);
                })?,
            });
        }
        results.extend(compare(head_name, all, rows, &folds, options.seed));
    }
    let tested: BTreeSet<usize> = folds.iter().flat_map(|fold| &fold.test).map(|&row| rows.videos[row]).collect();
    let videos: BTreeSet<usize> = rows.videos.iter().copied().collect();
    Ok(TaskResults {
        task: name.to_owned(),
        classes: collected.classes.iter().map(|&class| task.class_name(class)).collect(),
        videos: videos.len(),
        tested_videos: tested.len(),
        clips: collected.clips,
        views: rows.classes.len(),
        folds: folds.len(),
        skipped: dataset.skipped().iter().map(ToString::to_string).collect(),
        results,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Refuses what nothing can be learned from.
fn check_classes(rows: &Rows, classes: usize) -> Result<(), String> {
    if classes < 2 {
        return Err(format!("{classes} classes, expected two or more"));
    }
    let mut videos: Vec<(usize, usize)> = rows.classes.iter().copied().zip(rows.videos.iter().copied()).collect();
    videos.sort_unstable();
    videos.dedup();
    if videos.windows(2).all(|pair| pair[0].0 != pair[1].0) {
        return Err("every class is of one video only, so that nothing of it can be learned from others".to_owned());
    }
    Ok(())
}

/// A head on one sort of features.
struct OfFeatures {
    features: &'static str,
    /// Of each split.
    found: Vec<Measured>,
}

fn measure(
    head: &dyn ProbeHead,
    collected: &Collected,
    features: &Features,
    folds: &[Fold],
    (subject, options): (Subject<'_>, &ProbeOptions),
    progress: &mut dyn FnMut(f64),
) -> Result<Vec<Measured>, EvalError> {
    let device = subject.model.device();
    let of = |(place, fold): (usize, &Fold)| {
        let data = ProbeData {
            features,
            classes: &collected.rows.classes,
            class_count: collected.classes.len(),
            fold,
            seed: options.seed,
            device: &device,
        };
        head.measure(&data, &mut |done| progress((place as f64 + done) / folds.len() as f64))
    };
    folds.iter().enumerate().map(of).collect()
}

/// Each metric of a head on each sort of features, and how much more the model has; with what always answering the most frequent class has.
fn compare(head: &str, all: Vec<OfFeatures>, rows: &Rows, folds: &[Fold], seed: u64) -> Vec<ProbeResult> {
    let names: Vec<&'static str> = all[0].found[0].metrics.iter().map(|(name, _)| *name).collect();
    let mut results = Vec::new();
    for (place, metric) in names.into_iter().enumerate() {
        let mut columns: Vec<(&'static str, Vec<f64>, Vec<Value>)> = Vec::new();
        for OfFeatures { features, found } in &all {
            let values = found.iter().map(|found| found.metrics[place].1.clone());
            let chosen = found.iter().map(|found| found.chosen.clone()).filter(|chosen| !chosen.is_null());
            columns.push((features, by_video(rows, folds, values), chosen.collect()));
        }
        if metric == ACCURACY {
            let values = folds.iter().map(|fold| majority(rows, fold));
            columns.push((MAJORITY, by_video(rows, folds, values), Vec::new()));
        }
        let model = columns[0].1.clone();
        for (features, values, chosen) in columns {
            let minus = || {
                let apart: Vec<f64> = model.iter().zip(&values).map(|(model, value)| model - value).collect();
                let interval = bootstrap(&apart, seed);
                Difference { value: mean(&apart), interval, beats: interval[0] > 0.0 }
            };
            results.push(ProbeResult {
                head: head.to_owned(),
                metric,
                features,
                value: mean(&values),
                interval: bootstrap(&values, seed),
                model_minus_this: (features != MODEL).then(minus),
                chosen,
            });
        }
    }
    results
}

/// The mean of each tested video, by its number.
fn by_video(rows: &Rows, folds: &[Fold], values: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    let mut sums: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (fold, values) in folds.iter().zip(values) {
        for (row, value) in fold.test.iter().zip(values) {
            let (sum, count) = sums.entry(rows.videos[*row]).or_default();
            *sum += value;
            *count += 1.0;
        }
    }
    sums.into_values().map(|(sum, count)| sum / count).collect()
}

/// Accuracies of always answering the most frequent class of the training rows, the first of equals.
fn majority(rows: &Rows, fold: &Fold) -> Vec<f64> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for &row in &fold.training {
        *counts.entry(rows.classes[row]).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(class, count)| (**count, usize::MAX - **class)).map(|(class, _)| *class);
    fold.test.iter().map(|&row| f64::from(u8::from(Some(rows.classes[row]) == most))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_paired_by_video() {
        // Two views of each of four videos, in two folds.
        let rows = Rows { classes: vec![0, 0, 0, 0, 0, 1, 1, 1], videos: vec![0, 0, 1, 1, 2, 2, 3, 3] };
        let fold = |training: &[usize], test: &[usize]| Fold {
            training: training.to_vec(),
            validation: vec![],
            test: test.to_vec(),
        };
        let folds = [fold(&[4, 5, 6, 7], &[0, 1, 2, 3]), fold(&[0, 1, 2, 3], &[4, 5, 6, 7])];
        let found = |first: [f64; 4], second: [f64; 4]| {
            [first, second]
                .map(|values| Measured { metrics: vec![(ACCURACY, values.to_vec())], chosen: Value::Null })
                .to_vec()
        };
        let all = vec![
            OfFeatures { features: MODEL, found: found([1.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 0.0]) },
            OfFeatures { features: RANDOM, found: found([1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]) },
        ];
        let results = compare("linear", all, &rows, &folds, 0);
        let values: Vec<(&str, f64)> = results.iter().map(|result| (result.features, result.value)).collect();
        // Of the first fold's training rows most are of class 1, of the second's all of class 0.
        assert_eq!(values, [(MODEL, 0.75), (RANDOM, 0.25), (MAJORITY, 0.125)]);
        assert_eq!(results[0].model_minus_this, None);
        // One half more in every video, whichever are drawn, though values differ between videos.
        let difference = results[1].model_minus_this.unwrap();
        assert_eq!(difference, Difference { value: 0.5, interval: [0.5, 0.5], beats: true });
        assert!(results[1].interval[0] < results[1].interval[1]);
    }

    #[test]
    fn a_class_needs_two_videos() {
        let rows = |classes: &[usize], videos: &[usize]| Rows { classes: classes.to_vec(), videos: videos.to_vec() };
        assert!(check_classes(&rows(&[0, 0], &[0, 1]), 1).unwrap_err().contains("1 classes"));
        assert!(check_classes(&rows(&[0, 1, 0], &[0, 1, 0]), 2).unwrap_err().contains("of one video only"));
        assert_eq!(check_classes(&rows(&[0, 1, 0], &[0, 1, 2]), 2), Ok(()));
    }
}
