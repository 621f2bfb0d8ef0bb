//! `knn`: the classes of the nearest training rows.

use prevision_core::config::Options;
use prevision_core::config::check::ensure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::cosine;
use crate::EvalError;
use crate::probing::head::{accuracies, largest};
use crate::probing::{ACCURACY, Measured, ProbeData, ProbeHead};

/// Temperature of the votes (Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers").
const TEMPERATURE: f64 = 0.07;

/// Keys of `head.knn`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KnnKeys {
    /// How many neighbours may vote. Default `[1, 3, 5, 10, 20]`.
    neighbours: Vec<usize>,
}

impl Default for KnnKeys {
    fn default() -> Self {
        Self { neighbours: vec![1, 3, 5, 10, 20] }
    }
}

impl Options for KnnKeys {
    fn validate(&self) -> Result<(), String> {
        let valid = !self.neighbours.is_empty() && !self.neighbours.contains(&0);
        ensure(valid, "neighbours", format!("{:?}", self.neighbours), "at least one number above 0")
    }
}

/// Votes of the nearest training rows by the cosine of standardised vectors, each of weight `exp(cosine / 0.07)`.
pub(super) struct Knn {
    pub(super) keys: KnnKeys,
}

impl ProbeHead for Knn {
    fn measure(&self, data: &ProbeData<'_>, progress: &mut dyn FnMut(f64)) -> Result<Measured, EvalError> {
        let fold = data.fold;
        let vectors = data.features.vectors(&fold.training);
        let gallery: Vec<(usize, Vec<f32>)> =
            fold.training.iter().map(|&row| (data.classes[row], vectors.row(row))).collect();
        let (total, mut done) = ((fold.validation.len() + fold.test.len()) as f64, 0);
        let mut predict = |rows: &[usize]| -> Vec<Vec<usize>> {
            let mut of_row = |&row: &usize| {
                done += 1;
                progress(f64::from(done) / total);
                self.classes(&vectors.row(row), &gallery, data.class_count)
            };
            rows.iter().map(&mut of_row).collect()
        };
        let (validation, test) = (predict(&fold.validation), predict(&fold.test));
        let right = |predicted: &[Vec<usize>], rows: &[usize], choice: usize| {
            let predicted: Vec<usize> = predicted.iter().map(|of_row| of_row[choice]).collect();
            accuracies(&predicted, &data.classes_of(rows))
        };
        let mut best = (0, -1.0);
        for choice in 0..self.keys.neighbours.len() {
            let sum: f64 = right(&validation, &fold.validation, choice).iter().sum();
            if sum > best.1 {
                best = (choice, sum);
            }
        }
        let (choice, sum) = best;
        let accuracy = sum / fold.validation.len() as f64;
        Ok(Measured {
            metrics: vec![(ACCURACY, right(&test, &fold.test, choice))],
            chosen: json!({ "neighbours": self.keys.neighbours[choice], "validation_accuracy": accuracy }),
        })
    }
}

impl Knn {
    /// The class of a vector by each number of neighbours.
    fn classes(&self, vector: &[f32], gallery: &[(usize, Vec<f32>)], class_count: usize) -> Vec<usize> {
        let mut near: Vec<(f64, usize)> =
            gallery.iter().map(|(class, other)| (cosine(vector, other), *class)).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        let vote = |&neighbours: &usize| {
            let mut votes = vec![0.0_f32; class_count];
            for (cosine, class) in near.iter().take(neighbours) {
                votes[*class] += (cosine / TEMPERATURE).exp() as f32;
            }
            largest(&votes)
        };
        self.keys.neighbours.iter().map(vote).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_vote_by_their_cosine() {
        let keys = KnnKeys { neighbours: vec![1, 3] };
        let gallery = [(1, vec![1.0, 0.0]), (0, vec![0.98, 0.2]), (0, vec![0.97, 0.24]), (1, vec![0.0, 1.0])];
        // One row of class 1 is nearest; two of class 0 are nearly as near.
        assert_eq!(Knn { keys }.classes(&[2.0, 0.0], &gallery, 2), [1, 0]);
    }
}
