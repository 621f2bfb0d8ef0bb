//! Rollout error: how far imagined latents are from those that came.

use serde::Serialize;

use crate::Latents;
use crate::latents::squared_error;

/// Latent mean squared errors at one horizon, over clips and dimensions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RolloutError {
    /// Steps ahead.
    pub horizon: usize,
    /// The model's rollout.
    pub model: f64,
    /// Predicting the last observed latent.
    pub copy: f64,
    /// Predicting the mean latent of the evaluation set.
    pub mean: f64,
}

/// The error of rollouts from the first latent of every clip.
///
/// # Shapes
/// - predicted: `[clips, k, dim]`, the latents 1 to `k` steps after the first
/// - targets: `[clips, t, dim]` with `t > k`
///
/// # Panics
/// If the arrays do not fit, or a horizon is not in `1..=k`.
pub fn rollout_errors(predicted: &Latents, targets: &Latents, horizons: &[usize]) -> Vec<RolloutError> {
    assert_eq!(
        (predicted.clips(), predicted.dim()),
        (targets.clips(), targets.dim()),
        "predictions and targets differ"
    );
    let clips = targets.clips();
    let mean: Vec<f32> = targets.mean().into_iter().map(|value| value as f32).collect();
    let average = |error: &dyn Fn(usize) -> f64| (0..clips).map(error).sum::<f64>() / clips as f64;
    horizons
        .iter()
        .map(|&horizon| {
            assert!(horizon > 0, "horizon 0 is the present");
            RolloutError {
                horizon,
                model: average(&|clip| squared_error(predicted.at(clip, horizon - 1), targets.at(clip, horizon))),
                copy: average(&|clip| squared_error(targets.at(clip, 0), targets.at(clip, horizon))),
                mean: average(&|clip| squared_error(&mean, targets.at(clip, horizon))),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_match_hand_computed_values() {
        // Two clips of three latents of one dimension; the mean is 2.
        let targets = Latents::from_values(vec![0.0, 1.0, 3.0, 4.0, 2.0, 2.0], 3, 1);
        let predicted = Latents::from_values(vec![1.0, 2.0, 3.0, 2.0], 2, 1);
        let errors = rollout_errors(&predicted, &targets, &[1, 2]);
        // Horizon 1: targets 1 and 2, predictions 1 and 3, copies 0 and 4.
        assert_eq!(errors[0], RolloutError { horizon: 1, model: 0.5, copy: 2.5, mean: 0.5 });
        // Horizon 2: targets 3 and 2, predictions 2 and 2, copies 0 and 4.
        assert_eq!(errors[1], RolloutError { horizon: 2, model: 0.5, copy: 6.5, mean: 0.5 });
    }

    #[test]
    #[should_panic(expected = "step 2 of 2")]
    fn horizons_beyond_the_rollout_panic() {
        let targets = Latents::from_values(vec![0.0; 4], 4, 1);
        let _ = rollout_errors(&Latents::from_values(vec![0.0; 2], 2, 1), &targets, &[3]);
    }
}
