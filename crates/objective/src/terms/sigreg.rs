//! Sketched isotropic Gaussian regularisation: every direction of the latents is pushed to a standard normal.
//!
//! `LeJEPA` (Balestriero and `LeCun` 2025): random unit directions drawn anew each step, the Epps-Pulley statistic of every projection.
//! With the constants of `eb_jepa`, at 10 points in `[-3, 3]` and without a factor for the number of samples; or with those of `LeWM`
//! (stable-worldmodel 0.1.1, `wm/loss.py`), at 17 points in `[0, 3]`, moment by moment, times the number of clips.

use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_core::config::Options;
use prevision_core::config::check::positive;
use prevision_core::seed;
use prevision_kernels::{Knots, epps_pulley};
use rand::distr::Distribution;
use rand_distr::StandardNormal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seen::mean;
use crate::{Frames, Needs, Seen, Term};

/// Unit directions for one batch, drawn on the host: a pure function of the seed and the number of the batch, so that a resumed run
/// draws what an uninterrupted one would, and all processes that have a part of the batch draw the same.
///
/// # Shapes
/// - output: `[dim, directions]`, every column of length 1
pub fn directions(dim: usize, directions: usize, seed: u64, number: u64, device: &Device) -> Tensor<2> {
    let mut rng = seed::rng(seed, "sigreg", 0, number);
    let mut values: Vec<f32> = StandardNormal.sample_iter(&mut rng).take(dim * directions).collect();
    for column in 0..directions {
        let entries = (0..dim).map(|row| row * directions + column);
        let length = entries.clone().map(|i| values[i] * values[i]).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        entries.for_each(|i| values[i] /= length);
    }
    Tensor::from_data(TensorData::new(values, [dim, directions]), device)
}

/// The mean over directions of the Epps-Pulley statistic `integral of exp(-t^2/2) |phi(t) - exp(-t^2/2)|^2 dt`,
/// where `phi` is the empirical characteristic function of the projected latents, by the trapezoid rule at 10 points in
/// `[-3, 3]`. The integrand is even, so only the positive points are computed, with twice their weight.
///
/// A standard normal scores near 0 (of order `1/samples`); constant latents score about 1.
///
/// # Shapes
/// - latents: `[samples, dim]`
/// - directions: `[dim, directions]`, unit columns
/// - output: `[1]`
///
/// # Panics
/// If the dimensions differ.
pub fn sigreg(latents: Tensor<2>, directions: Tensor<2>) -> Tensor<1> {
    let (latent_shape, direction_shape) = (latents.dims(), directions.dims());
    assert_eq!(
        latent_shape[1], direction_shape[0],
        "latents {latent_shape:?} do not fit directions {direction_shape:?}"
    );
    epps_pulley(latents.matmul(directions), Knots::Ten)
}

/// The same as `LeWM` has it: the statistic of every moment over the clips, at 17 points in `[0, 3]` whose mirrored ones count as well, times
/// the number of clips; the mean over directions and moments.
///
/// A standard normal scores about 1.05 whatever the number of clips, latents of 0 score 0.402 for each clip.
///
/// # Shapes
/// - latents: `[clips, time, dim]`
/// - directions: `[dim, directions]`, unit columns
/// - output: `[1]`
///
/// # Panics
/// If the dimensions differ, or there are no moments.
pub fn sigreg_of_moments(latents: Tensor<3>, directions: Tensor<2>) -> Tensor<1> {
    let ([clips, time, dim], [inputs, _]) = (latents.dims(), directions.dims());
    assert_eq!(dim, inputs, "latents [{clips}, {time}, {dim}] do not fit directions of {inputs} numbers");
    let moments = (0..time).map(|moment| {
        let latents: Tensor<2> = latents.clone().narrow(1, moment, 1).squeeze_dim(1);
        epps_pulley(latents.matmul(directions.clone()), Knots::ThirtyThree)
    });
    mean(moments) * clips as f64
}

/// How the statistic is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Statistic {
    /// Of all latents at once, as `eb_jepa`.
    #[default]
    EbJepa,
    /// Of every moment over the clips, times the clips, as `LeWM`.
    Lewm,
}

/// The sketched Gaussian regularisation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SigregTerm {
    /// Random directions that the sketch draws anew each step. Default 256.
    directions: usize,
    /// How the statistic is computed. Default `eb-jepa`.
    statistic: Statistic,
}

impl Default for SigregTerm {
    fn default() -> Self {
        Self { directions: 256, statistic: Statistic::EbJepa }
    }
}

impl Options for SigregTerm {
    fn validate(&self) -> Result<(), String> {
        positive("directions", self.directions)
    }
}

impl Term for SigregTerm {
    fn needs(&self) -> Needs {
        let latents = self.statistic == Statistic::Lewm;
        Needs { frames: Frames::All, global_batch: true, latents, ..Needs::default() }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        let draw = seen.draw;
        if self.statistic == Statistic::Lewm {
            let latents = seen.latents();
            let (dim, device) = (latents.dims()[2], latents.device());
            return sigreg_of_moments(latents, directions(dim, self.directions, draw.seed, draw.number, &device));
        }
        seen.over_spread(|part| {
            let (dim, device) = (part.dims()[1], part.device());
            sigreg(part, directions(dim, self.directions, draw.seed, draw.number, &device))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    #[test]
    fn directions_are_unit_and_a_function_of_seed_and_step() {
        let device = Device::flex();
        let first = directions(16, 8, 3, 5, &device);
        let lengths = first.clone().square().sum_dim(0).into_data().try_into_vec_as::<f32>().expect("floats");
        assert!(lengths.iter().all(|l| (l - 1.0).abs() < 1e-5), "{lengths:?}");
        assert_eq!(first.to_data(), directions(16, 8, 3, 5, &device).to_data());
        assert_ne!(first.to_data(), directions(16, 8, 3, 6, &device).to_data());
        assert_ne!(first.to_data(), directions(16, 8, 4, 5, &device).to_data());
    }

    #[test]
    fn constant_latents_score_the_closed_form() {
        // phi(t) = 1 everywhere: sum of w exp(-t^2/2) (1 - exp(-t^2/2))^2, by hand with the trapezoid weights.
        const SPACING: f64 = 2.0 / 3.0;
        let knots = |t: f64| (-t * t / 2.0).exp() * (1.0 - (-t * t / 2.0).exp()).powi(2);
        let expected: f64 = (0..10)
            .map(|i| (if i == 0 || i == 9 { 0.5 } else { 1.0 }) * SPACING * knots(-3.0 + SPACING * f64::from(i)))
            .sum();
        let device = Device::flex();
        let got = scalar(sigreg(Tensor::zeros([20, 4], &device), directions(4, 3, 0, 0, &device)));
        assert!((got - expected).abs() < 1e-5, "{got} against {expected}");
    }

    #[test]
    fn gaussian_latents_score_far_below_collapsed_and_stretched_ones() {
        let device = Device::flex();
        let mut rng = seed::rng(0, "test", 0, 0);
        let values: Vec<f32> = StandardNormal.sample_iter(&mut rng).take(4000 * 8).collect();
        let normal = Tensor::<2>::from_data(TensorData::new(values, [4000, 8]), &device);
        let axes = directions(8, 32, 0, 0, &device);
        let score = |x: Tensor<2>| scalar(sigreg(x, axes.clone()));
        let healthy = score(normal.clone());
        assert!(healthy < 2e-3, "{healthy}");
        assert!(score(normal.clone() * 0.1) > 0.1);
        assert!(score(normal * 5.0) > 0.1);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let axes = directions(2, 5, 1, 1, &Device::flex());
        let values = [0.3, -0.9, 1.1, 0.25, -1.4, 0.5, 0.7, -0.6];
        let error = gradient_error(&values, |x| sigreg(x.reshape([4, 2]), axes.clone()));
        assert!(error < 1e-2, "{error}");
        let error = gradient_error(&values, |x| sigreg_of_moments(x.reshape([2, 2, 2]), axes.clone()));
        assert!(error < 1e-2, "{error}");
    }

    /// What a model should come to, and the most it can score by standing still.
    #[test]
    fn moments_of_a_normal_score_about_one_and_constant_ones_grow_with_the_clips() {
        let device = Device::flex();
        let mut rng = seed::rng(0, "test", 0, 1);
        let values: Vec<f32> = StandardNormal.sample_iter(&mut rng).take(600 * 2 * 8).collect();
        let normal = Tensor::<3>::from_data(TensorData::new(values, [600, 2, 8]), &device);
        let score = scalar(sigreg_of_moments(normal, directions(8, 64, 0, 0, &device)));
        assert!((score - 1.05).abs() < 0.4, "{score}");
        let still = scalar(sigreg_of_moments(Tensor::zeros([128, 3, 4], &device), directions(4, 3, 0, 0, &device)));
        assert!((still - 51.46).abs() < 0.01, "{still}");
    }
}
