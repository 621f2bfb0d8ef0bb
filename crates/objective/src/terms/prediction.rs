//! Latent prediction: how far predicted latents are from the encoded ones.

use burn::prelude::*;
use prevision_core::config::Options;
use prevision_core::config::check::{check, positive};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seen::mean;
use crate::{Frames, Needs, Prediction, Seen, Term};

/// The elementwise distance of a latent prediction, always averaged over every element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
pub fn prediction(predicted: Tensor<3>, target: Tensor<3>, loss: PredictionLoss) -> Tensor<1> {
    assert_eq!(predicted.dims(), target.dims(), "predicted latents and their targets must have one shape");
    loss.elementwise(predicted, target).mean()
}

/// The prediction of latents; with a masked model averaged over the masks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PredictionTerm {
    /// Distance of a prediction from its target, `l1`, `l2` or `smooth-l1`. Default `l2`.
    loss: PredictionLoss,
    /// Whether targets are layer-normed without affine parameters (V-JEPA). Default false.
    normalise_targets: bool,
    /// Steps rolled out from the first frame of a clip with the true actions; the loss is the mean over steps. Not for masked
    /// models. Default 8.
    rollout_steps: usize,
    /// Weight of the loss of one-step predictions from every encoded moment (teacher forcing) beside that of the rollout, which has 1
    /// (V-JEPA 2-AC takes 1, with a rollout of 2). Not for masked models. Default 0.
    teacher_forcing: f64,
    /// Whether the gradient stops at targets that come from the context encoder itself; a target encoder never gets one. Default
    /// false, as in `eb_jepa` and LeWM.
    detach_targets: bool,
}

impl Default for PredictionTerm {
    fn default() -> Self {
        Self {
            loss: PredictionLoss::L2,
            normalise_targets: false,
            rollout_steps: 8,
            teacher_forcing: 0.0,
            detach_targets: false,
        }
    }
}

impl Options for PredictionTerm {
    fn validate(&self) -> Result<(), String> {
        positive("rollout_steps", self.rollout_steps)?;
        check("teacher_forcing", self.teacher_forcing).at_least(0.0)?.done()
    }
}

impl Term for PredictionTerm {
    fn needs(&self) -> Needs {
        let one_step = self.teacher_forcing > 0.0;
        Needs {
            frames: if one_step { Frames::All } else { Frames::First },
            rollout: Some(self.rollout_steps),
            one_step,
            normalised_targets: self.normalise_targets,
            time: one_step,
            ..Needs::default()
        }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        let aim = |target: Tensor<3>| if self.detach_targets { target.detach() } else { target };
        let rollout = mean(seen.predictions.iter().cloned().map(|Prediction { predicted, target }| {
            let target = aim(target);
            let reach = predicted.dims()[1];
            // Another term may have asked for a longer rollout.
            let steps = if seen.latents.is_some() { self.rollout_steps.min(reach) } else { reach };
            if steps == reach {
                return prediction(predicted, target, self.loss);
            }
            prediction(predicted.narrow(1, 0, steps), target.narrow(1, 0, steps), self.loss)
        }));
        match seen.one_step.clone() {
            Some(Prediction { predicted, target }) if self.teacher_forcing > 0.0 => {
                rollout + prediction(predicted, aim(target), self.loss) * self.teacher_forcing
            }
            _ => rollout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{gradient_error, scalar};
    use prevision_model::normalise_latents;

    fn pair(device: &Device) -> (Tensor<3>, Tensor<3>) {
        let predicted = Tensor::from_floats([[[0.0, 1.0, 2.0], [3.0, -1.0, 0.5]]], device);
        let target = Tensor::from_floats([[[0.5, 1.0, -1.0], [1.0, -1.0, 0.0]]], device);
        (predicted, target)
    }

    #[test]
    fn losses_match_hand_computed_values() {
        let (predicted, target) = pair(&Device::flex());
        // Differences: -0.5, 0, 3, 2, 0, 0.5.
        let value = |loss| scalar(prediction(predicted.clone(), target.clone(), loss));
        assert!((value(PredictionLoss::L1) - 1.0).abs() < 1e-6);
        assert!((value(PredictionLoss::L2) - 13.5 / 6.0).abs() < 1e-6);
        assert!((value(PredictionLoss::SmoothL1) - (0.125 + 2.5 + 1.5 + 0.125) / 6.0).abs() < 1e-6);
    }

    #[test]
    fn equal_latents_cost_nothing() {
        let (predicted, _) = pair(&Device::flex());
        for loss in [PredictionLoss::L1, PredictionLoss::L2, PredictionLoss::SmoothL1] {
            assert_eq!(scalar(prediction(predicted.clone(), predicted.clone(), loss)), 0.0);
        }
    }

    #[test]
    fn rollout_loss_is_the_mean_of_the_steps_losses() {
        let (predicted, target) = pair(&Device::flex());
        let step = |k| {
            let at = |x: &Tensor<3>| x.clone().narrow(1, k, 1);
            scalar(prediction(at(&predicted), at(&target), PredictionLoss::L2))
        };
        let all = scalar(prediction(predicted.clone(), target.clone(), PredictionLoss::L2));
        assert!((all - f64::midpoint(step(0), step(1))).abs() < 1e-6);
    }

    #[test]
    fn normalised_targets_ignore_their_scale_and_offset() {
        let device = Device::flex();
        let target: Tensor<3> = Tensor::from_floats([[[1.0, 2.0, 3.0, 6.0]]], &device);
        // Mean 3, variance (4 + 1 + 0 + 9) / 4 = 3.5.
        let expected: Vec<f32> = [-2.0, -1.0, 0.0, 3.0].iter().map(|x: &f32| x / 3.5_f32.sqrt()).collect();
        let got = normalise_latents(target.clone()).into_data().try_into_vec_as::<f32>().expect("floats");
        for (a, b) in got.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-5, "{got:?} against {expected:?}");
        }
        let predicted = normalise_latents(target.clone() * 5.0 - 2.0);
        assert!(scalar(prediction(predicted, normalise_latents(target), PredictionLoss::L1)) < 1e-5);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let values = [0.3, -0.8, 1.7, 0.2, 2.1, -0.4];
        for loss in [PredictionLoss::L1, PredictionLoss::L2, PredictionLoss::SmoothL1] {
            for normalised in [false, true] {
                let error = gradient_error(&values, |x| {
                    let x = x.reshape([1, 2, 3]);
                    let (predicted, target) = (x.clone().narrow(1, 0, 1), x.narrow(1, 1, 1));
                    prediction(predicted, if normalised { normalise_latents(target) } else { target }, loss)
                });
                assert!(error < 2e-2, "{loss:?} normalised {normalised}: {error}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "must have one shape")]
    fn different_shapes_panic() {
        let device = Device::flex();
        prediction(Tensor::zeros([1, 2, 3], &device), Tensor::zeros([1, 3, 3], &device), PredictionLoss::L2);
    }
}
