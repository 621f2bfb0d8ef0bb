//! What looks like what was labelled unsafe.

use std::path::PathBuf;

use burn::prelude::*;
use prevision_core::config::Options;
use prevision_core::config::check::{check, ensure};
use prevision_model::Latents;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Constraint, Happened, Logistic};
use crate::cost::{Imagined, Measure, Scene};

/// Keys of [`Unsafe`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UnsafeConfig {
    /// Path of a table (CSV) of labelled frames with the columns `file`, `frame` and `label`; must be given. A file is a picture or a
    /// video, its path relative to the table; a frame is its number from 0, and may be left out with its column; a label is 1 if the
    /// frame is unsafe, else 0.
    pub examples: PathBuf,
    /// Probability from which on a latent is unsafe. Default 0.5.
    pub threshold: f64,
    /// Weight of the squared norm of the classifier's weights in its loss. Default 0.001.
    pub penalty: f64,
}

impl Default for UnsafeConfig {
    fn default() -> Self {
        Self { examples: PathBuf::new(), threshold: 0.5, penalty: 1e-3 }
    }
}

impl Options for UnsafeConfig {
    fn validate(&self) -> Result<(), String> {
        check("threshold", self.threshold).above(0.0)?.below(1.0)?;
        check("penalty", self.penalty).above(0.0)?;
        let given = !self.examples.as_os_str().is_empty();
        ensure(given, "examples", "not set", "the path of a table with the columns file, frame and label")
    }
}

/// No imagined latent may be unsafe, by a logistic regression on the latents of the frozen model, fitted to a few labelled frames when
/// the constraint is made. Violated by the logarithm of the odds in excess of those of the threshold, summed over the horizon. What really
/// happened violates it if the latent of what is seen after a step is unsafe.
#[derive(Clone, Debug)]
pub struct Unsafe {
    /// Of all numbers of a latent.
    weights: Vec<f32>,
    /// Added to the weighted sum, so that what is unsafe is above 0.
    intercept: f32,
}

impl Unsafe {
    /// Fits it to labelled latents; `true` is unsafe. `penalty` and `threshold` as in [`UnsafeConfig`].
    ///
    /// # Shapes
    /// - latents: `[n, 1, tokens, d]`
    /// - labels: `n`
    ///
    /// # Errors
    /// If a label does not occur, or latents are not finite.
    ///
    /// # Panics
    /// If there are not as many labels as latents.
    pub fn fit(latents: &Latents, labels: &[bool], penalty: f64, threshold: f64) -> Result<Self, String> {
        let [count, ..] = latents.dims();
        assert_eq!(count, labels.len(), "labels of latents");
        let features = latents.vectors().into_data().try_into_vec_as::<f32>().map_err(|error| error.to_string())?;
        if features.iter().any(|value| !value.is_finite()) {
            return Err("the latents of the examples are not finite: the model's weights are no use".to_owned());
        }
        let Logistic { weights, intercept } = Logistic::fit(&features, labels, penalty)?;
        let weights = weights.into_iter().map(|weight| weight as f32).collect();
        Ok(Self { weights, intercept: (intercept - (threshold / (1.0 - threshold)).ln()) as f32 })
    }

    /// The logarithm of the odds of being unsafe less that of the threshold.
    ///
    /// # Shapes
    /// - output: `[b, t]`
    fn excess(&self, latents: &Latents) -> Tensor<2> {
        let vectors = latents.vectors();
        let [rows, time, width] = vectors.dims();
        let weights = Tensor::<3>::from_data(TensorData::new(self.weights.clone(), [1, 1, width]), &vectors.device());
        (vectors * weights).sum_dim(2).reshape([rows, time]) + self.intercept
    }
}

impl Constraint for Unsafe {
    fn prepare(&self, _: &Scene) -> Result<Box<dyn Measure>, String> {
        Ok(Box::new(self.clone()))
    }

    fn violated(&self, happened: &Happened<'_>) -> Result<Option<Vec<bool>>, String> {
        let after = happened.latents()?.moments(1, 1);
        let excess = self.excess(&after).into_data().try_into_vec_as::<f32>().map_err(|error| error.to_string())?;
        Ok(Some(excess.into_iter().map(|excess| excess > 0.0).collect()))
    }
}

impl Measure for Unsafe {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, ..] = imagined.actions.dims();
        self.excess(&imagined.latents).clamp_min(0.0).sum_dim(1).reshape([rows, samples])
    }
}
