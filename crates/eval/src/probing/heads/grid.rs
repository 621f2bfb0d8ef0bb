//! A grid of learning rates and decays: what heads of a grid share.

use std::f64::consts::PI;

use prevision_core::config::check::{ensure, positive};
use prevision_core::seed;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use crate::probing::head::{accuracies, largest};

/// One head of a grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Setting {
    /// Peak learning rate.
    pub(super) rate: f64,
    /// Decoupled weight decay.
    pub(super) decay: f64,
}

/// How a grid learns.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) settings: Vec<Setting>,
    pub(super) steps: usize,
    pub(super) batch: usize,
}

impl Grid {
    /// Every rate with every decay.
    pub(super) fn new(rates: &[f64], decays: &[f64], steps: usize, batch: usize) -> Self {
        let with = |&rate: &f64| decays.iter().map(move |&decay| Setting { rate, decay });
        Self { settings: rates.iter().flat_map(with).collect(), steps, batch }
    }

    /// Checks the keys that such heads have.
    pub(super) fn check(rates: &[f64], decays: &[f64], steps: usize, batch: usize) -> Result<(), String> {
        let valid = !rates.is_empty() && rates.iter().all(|&rate| rate > 0.0 && rate.is_finite());
        ensure(valid, "rates", format!("{rates:?}"), "at least one number above 0")?;
        let valid = !decays.is_empty() && decays.iter().all(|&decay| decay >= 0.0 && decay.is_finite());
        ensure(valid, "decays", format!("{decays:?}"), "at least one number, 0 or more")?;
        positive("steps", steps)?;
        positive("batch", batch)
    }

    /// The share of the peak learning rate at a step: a cosine down to 0, without a warm-up.
    pub(super) fn share(&self, step: usize) -> f64 {
        0.5 * (1.0 + (PI * step as f64 / self.steps as f64).cos())
    }

    /// The rows of a step, the same for all heads: every pass over the rows is in a random order, and what fills no batch is left out.
    pub(super) fn rows(&self, training: &[usize], seed: u64, step: usize) -> Vec<usize> {
        let batch = self.batch.min(training.len());
        let steps = training.len() / batch;
        let (epoch, place) = (step / steps, step % steps);
        let mut order = training.to_vec();
        order.shuffle(&mut seed::rng(seed, "probe-order", epoch as u64, 0));
        order[place * batch..][..batch].to_vec()
    }

    /// Which head tells most of the validation rows; of equals the one with the least cross-entropy, then the first. With it, as JSON, what
    /// was chosen.
    ///
    /// # Shapes
    /// - logits: of each head, `[rows, class_count]`
    pub(super) fn choose(&self, logits: &[Vec<f32>], classes: &[usize]) -> (usize, Value) {
        let scored = logits.iter().map(|logits| score(logits, classes));
        let mut best: Option<(usize, [f64; 2])> = None;
        for (head, [accuracy, loss]) in scored.enumerate() {
            let better = best.is_none_or(|(_, [most, least])| accuracy > most || accuracy == most && loss < least);
            if better {
                best = Some((head, [accuracy, loss]));
            }
        }
        let (head, [accuracy, _]) = best.expect("a grid has a head");
        let Setting { rate, decay } = self.settings[head];
        (head, json!({ "rate": rate, "decay": decay, "validation_accuracy": accuracy }))
    }
}

/// The class with the largest logit of each row.
pub(super) fn predictions(logits: &[f32], rows: usize) -> Vec<usize> {
    logits.chunks_exact(logits.len() / rows.max(1)).map(largest).collect()
}

/// Accuracy and mean cross-entropy. A loss that is not finite is the worst.
fn score(logits: &[f32], classes: &[usize]) -> [f64; 2] {
    let count = classes.len() as f64;
    let right: f64 = accuracies(&predictions(logits, classes.len()), classes).iter().sum();
    let loss = |(row, &class): (&[f32], &usize)| {
        let peak = row.iter().copied().fold(f32::MIN, f32::max);
        let sum: f64 = row.iter().map(|&logit| f64::from(logit - peak).exp()).sum();
        sum.ln() - f64::from(row[class] - peak)
    };
    let losses: f64 = logits.chunks_exact(logits.len() / classes.len()).zip(classes).map(loss).sum();
    [right / count, if losses.is_finite() { losses / count } else { f64::MAX }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_pass_over_all_rows() {
        let grid = Grid::new(&[1.0], &[0.0], 10, 2);
        let rows: Vec<usize> = (10..16).collect();
        let epoch =
            |first: usize| -> Vec<usize> { (first..first + 3).flat_map(|step| grid.rows(&rows, 1, step)).collect() };
        let mut sorted = epoch(0);
        assert_ne!(sorted, epoch(3));
        sorted.sort_unstable();
        assert_eq!(sorted, rows);
        assert_eq!(Grid { batch: 9, ..grid.clone() }.rows(&rows, 1, 7).len(), 6);
        assert_eq!((grid.share(0), grid.share(10)), (1.0, 0.0));
    }

    #[test]
    fn the_most_accurate_is_chosen_then_the_surest() {
        let grid = Grid::new(&[0.1, 0.2], &[0.0, 0.5], 1, 1);
        assert_eq!(grid.settings[1], Setting { rate: 0.1, decay: 0.5 });
        let wrong = vec![0.0, 9.0, 9.0, 0.0];
        let right = vec![1.0, 0.0, 0.0, 1.0];
        let surer = vec![2.0, 0.0, 0.0, 2.0];
        let (head, chosen) = grid.choose(&[wrong, right, surer.clone(), surer], &[0, 1]);
        assert_eq!(head, 2);
        assert_eq!(chosen, json!({ "rate": 0.2, "decay": 0.0, "validation_accuracy": 1.0 }));
        let [accuracy, loss] = score(&[1.0, 0.0], &[1]);
        assert!(accuracy == 0.0 && (loss - 1.313_261_7).abs() < 1e-6, "{loss}");
    }
}
