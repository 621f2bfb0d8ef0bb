//! Latent prediction: how far predicted latents are from the encoded ones.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

/// What is added to the variance in the normalisation of targets (PyTorch's `layer_norm` default).
const NORMALISE_EPSILON: f64 = 1e-5;

/// The elementwise distance of a latent prediction, always averaged over every element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictionLoss {
    /// Mean absolute difference (V-JEPA, V-JEPA 2).
    L1,
    /// Mean squared difference (`eb_jepa`, LeWM, PLDM). The default.
    #[default]
    L2,
    /// `0.5 x^2` where `|x| < 1`, else `|x| - 0.5` (I-JEPA; PyTorch's `smooth_l1_loss` with beta 1).
    SmoothL1,
}

impl PredictionLoss {
    /// The loss of every element.
    ///
    /// # Shapes
    /// - predicted, target, output: any, the same
    fn elementwise<const D: usize>(self, predicted: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        let difference = predicted - target;
        match self {
            Self::L1 => difference.abs(),
            Self::L2 => difference.square(),
            Self::SmoothL1 => {
                // With c = min(|x|, 1): c (|x| - c / 2) is x^2 / 2 inside and |x| - 1/2 outside.
                let size = difference.abs();
                let inside = size.clone().clamp_max(1.0);
                inside.clone() * (size - inside * 0.5)
            }
        }
    }
}

/// Normalises every latent to mean 0 and variance 1 over its own dimensions: a layer norm without
/// affine parameters, epsilon 1e-5 (V-JEPA 2, `app/vjepa/train.py`, on the targets).
///
/// # Shapes
/// - latents, output: `[batch, time or tokens, dim]`
pub fn normalise(latents: Tensor<3>) -> Tensor<3> {
    let centred = latents.clone() - latents.mean_dim(2);
    let variance = centred.clone().square().mean_dim(2);
    centred / (variance + NORMALISE_EPSILON).sqrt()
}

/// The prediction loss of latents against their targets, a mean over batch, time and dimensions.
///
/// For a rollout whose time axis is the step `k = 1..K`, this is the mean over `k` of the loss at step `k`: the
/// multi-step rollout loss `1/K sum_k loss(z^_k, z_k)` of `eb_jepa` (`ac_video_jepa`). Gradients reach both
/// arguments; detach the target where they must not.
///
/// # Shapes
/// - predicted, target: `[batch, time or tokens, dim]`
/// - output: `[1]`
///
/// # Panics
/// If the shapes differ.
pub fn prediction(predicted: Tensor<3>, target: Tensor<3>, loss: PredictionLoss, normalise_targets: bool) -> Tensor<1> {
    assert_eq!(predicted.dims(), target.dims(), "predicted latents and their targets must have one shape");
    let target = if normalise_targets { normalise(target) } else { target };
    loss.elementwise(predicted, target).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};

    fn pair(device: &Device) -> (Tensor<3>, Tensor<3>) {
        let predicted = Tensor::from_floats([[[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]]], device);
        let target = Tensor::from_floats([[[0.5, 1.0, -1.0], [1.0, -1.0, 0.0]]], device);
        (predicted, target)
    }

    #[test]
    fn losses_match_hand_computed_values() {
        let (predicted, target) = pair(&Device::flex());
        // Differences: -0.5, 0, 3, 2, 0, 0.5.
        let value = |loss| scalar(prediction(predicted.clone(), target.clone(), loss, false));
        assert!((value(PredictionLoss::L1) - 1.0).abs() < 1e-6);
        assert!((value(PredictionLoss::L2) - 13.5 / 6.0).abs() < 1e-6);
        assert!((value(PredictionLoss::SmoothL1) - (0.125 + 2.5 + 1.5 + 0.125) / 6.0).abs() < 1e-6);
    }

    #[test]
    fn equal_latents_cost_nothing() {
        let (predicted, _) = pair(&Device::flex());
        for loss in [PredictionLoss::L1, PredictionLoss::L2, PredictionLoss::SmoothL1] {
            assert_eq!(scalar(prediction(predicted.clone(), predicted.clone(), loss, false)), 0.0);
        }
    }

    #[test]
    fn rollout_loss_is_the_mean_of_the_steps_losses() {
        let (predicted, target) = pair(&Device::flex());
        let step = |k| {
            let at = |x: &Tensor<3>| x.clone().narrow(1, k, 1);
            scalar(prediction(at(&predicted), at(&target), PredictionLoss::L2, false))
        };
        let all = scalar(prediction(predicted.clone(), target.clone(), PredictionLoss::L2, false));
        assert!((all - f64::midpoint(step(0), step(1))).abs() < 1e-6);
    }

    #[test]
    fn normalised_targets_ignore_their_scale_and_offset() {
        let device = Device::flex();
        let target: Tensor<3> = Tensor::from_floats([[[1.0, 2.0, 3.0, 6.0]]], &device);
        // Mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5.
        let expected: Vec<f32> = [-2.0, -1.0, 0.0, 3.0].iter().map(|x: &f32| x / 3.5_f32.sqrt()).collect();
        let got = normalise(target.clone()).into_data().try_into_vec_as::<f32>().expect("floats");
        for (a, b) in got.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-5, "{got:?} against {expected:?}");
        }
        let predicted = normalise(target.clone() * 5.0 - 2.0);
        assert!(scalar(prediction(predicted, target, PredictionLoss::L1, true)) < 1e-5);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let values = [0.3, -0.8, 1.7, 0.2, 2.1, -0.4];
        for loss in [PredictionLoss::L1, PredictionLoss::L2, PredictionLoss::SmoothL1] {
            for normalised in [false, true] {
                let error = gradient_error(&values, |x| {
                    let x = x.reshape([1, 2, 3]);
                    let predicted = x.clone().narrow(1, 0, 1);
                    prediction(predicted, x.narrow(1, 1, 1), loss, normalised)
                });
                assert!(error < 2e-2, "{loss:?} normalised {normalised}: {error}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "must have one shape")]
    fn different_shapes_panic() {
        let device = Device::flex();
        prediction(Tensor::zeros([1, 2, 3], &device), Tensor::zeros([1, 3, 3], &device), PredictionLoss::L2, false);
    }
}
