//! What reads classes from features.

use burn::tensor::Device;
use prevision_core::config::Registry;
use serde_json::Value;

use super::{Features, Fold};
use crate::EvalError;

/// The heads that are registered.
pub type ProbeHeads = Registry<(), Box<dyn ProbeHead>>;

/// A head: it learns from training rows, is chosen by validation rows and measured on test rows.
pub trait ProbeHead: Send + Sync {
    /// Measures one split. `progress` is told which share of it is done.
    ///
    /// # Errors
    /// If the device fails, or the head does not fit the features.
    fn measure(&self, data: &ProbeData<'_>, progress: &mut dyn FnMut(f64)) -> Result<Measured, EvalError>;
}

/// What a head sees.
#[derive(Clone, Copy)]
pub struct ProbeData<'a> {
    /// Features of all rows.
    pub features: &'a Features,
    /// The class of each row, from 0.
    pub classes: &'a [usize],
    /// Number of classes.
    pub class_count: usize,
    /// The split.
    pub fold: &'a Fold,
    /// Seed of weights and of the order of rows.
    pub seed: u64,
    /// Where heads learn.
    pub device: &'a Device,
}

impl ProbeData<'_> {
    /// The classes of these rows.
    pub fn classes_of(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().map(|&row| self.classes[row]).collect()
    }
}

/// What a head found.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Numbers by name, each with a value for every test row, in their order.
    pub metrics: Vec<(&'static str, Vec<f64>)>,
    /// What was chosen by the validation rows; null if nothing is chosen.
    pub chosen: Value,
}

/// The name of the share of rows whose class was told, the metric of every classifier.
pub const ACCURACY: &str = "accuracy";

/// Accuracies, 1 or 0 for every row.
pub(super) fn accuracies(predicted: &[usize], classes: &[usize]) -> Vec<f64> {
    predicted.iter().zip(classes).map(|(predicted, class)| f64::from(u8::from(predicted == class))).collect()
}

/// Place of the largest number, the first of equals.
pub(super) fn largest(numbers: &[f32]) -> usize {
    (1..numbers.len()).fold(0, |best, place| if numbers[place] > numbers[best] { place } else { best })
}
