//! Schedules, as pure functions of how much of the training is done.

use std::f64::consts::PI;

use crate::config::{LearningRateConfig, warmup_share};

/// The learning rate of a step.
///
/// `done` is the share of the training that is done when the step ends, so that the first step of `n` has `1 / n` and the last
/// has 1; `steps` is the budget in steps, if there is one.
pub fn learning_rate(config: &LearningRateConfig, peak: f64, done: f64, steps: Option<u64>) -> f64 {
    let done = done.clamp(0.0, 1.0);
    match *config {
        LearningRateConfig::Constant {} => peak,
        LearningRateConfig::WarmupCosine { warmup_fraction, warmup_steps, final_lr } => {
            let warmup = warmup_share(warmup_fraction, warmup_steps, steps);
            if done < warmup {
                return peak * done / warmup;
            }
            let fallen = if warmup < 1.0 { (done - warmup) / (1.0 - warmup) } else { 0.0 };
            final_lr + (peak - final_lr) * 0.5 * (1.0 + (PI * fallen).cos())
        }
        LearningRateConfig::WarmupStableDecay { warmup_fraction, warmup_steps, decay_fraction, final_lr } => {
            let warmup = warmup_share(warmup_fraction, warmup_steps, steps);
            if done < warmup {
                return peak * done / warmup;
            }
            let left = 1.0 - done;
            if left < decay_fraction { final_lr + (peak - final_lr) * left / decay_fraction } else { peak }
        }
    }
}

/// Momentum of the target encoder at a step, linear from `start` to `end` over the training.
pub fn momentum(start: f64, end: Option<f64>, done: f64) -> f64 {
    end.map_or(start, |end| start + (end - start) * done.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(config: &LearningRateConfig, done: &[f64], steps: Option<u64>) -> Vec<f64> {
        done.iter().map(|&done| (learning_rate(config, 1e-3, done, steps) * 1e9).round() / 1e9).collect()
    }

    #[test]
    fn warmup_and_cosine() {
        let config = LearningRateConfig::WarmupCosine { warmup_fraction: 0.1, warmup_steps: None, final_lr: 1e-5 };
        // Half way down: (1e-3 + 1e-5) / 2; a quarter: 1e-5 + 9.9e-4 * (1 + sqrt(1/2)) / 2.
        let expected = [0.0, 5e-4, 1e-3, 8.55018e-4, 5.05e-4, 1e-5, 1e-5];
        assert_eq!(rates(&config, &[0.0, 0.05, 0.1, 0.325, 0.55, 1.0, 1.5], None), expected);
    }

    #[test]
    fn warmup_in_steps() {
        let config = LearningRateConfig::WarmupCosine { warmup_fraction: 0.1, warmup_steps: Some(4), final_lr: 0.0 };
        assert_eq!(rates(&config, &[0.125, 0.25, 0.5, 0.75], Some(8)), [2.5e-4, 5e-4, 1e-3, 5e-4]);
    }

    #[test]
    fn warmup_stable_decay() {
        let config = LearningRateConfig::WarmupStableDecay {
            warmup_fraction: 0.2,
            warmup_steps: None,
            decay_fraction: 0.4,
            final_lr: 2e-4,
        };
        assert_eq!(rates(&config, &[0.1, 0.2, 0.5, 0.6, 0.8, 1.0], None), [5e-4, 1e-3, 1e-3, 1e-3, 6e-4, 2e-4]);
    }

    #[test]
    fn extremes_are_finite() {
        for warmup_fraction in [0.0, 1.0] {
            let config = LearningRateConfig::WarmupCosine { warmup_fraction, warmup_steps: None, final_lr: 1e-5 };
            assert_eq!(rates(&config, &[1.0], None), [if warmup_fraction == 0.0 { 1e-5 } else { 1e-3 }]);
        }
        let sharp = LearningRateConfig::WarmupStableDecay {
            warmup_fraction: 0.0,
            warmup_steps: None,
            decay_fraction: 0.0,
            final_lr: 1e-5,
        };
        assert_eq!(rates(&sharp, &[0.0, 1.0], None), [1e-3, 1e-3]);
        assert_eq!(rates(&LearningRateConfig::Constant {}, &[0.0, 0.3, 1.0], None), [1e-3; 3]);
    }

    #[test]
    fn momentum_is_linear_or_constant() {
        assert_eq!(momentum(0.998, None, 0.7), 0.998);
        assert!((momentum(0.998, Some(1.0), 0.25) - 0.9985).abs() < 1e-12);
        assert_eq!(momentum(0.9, Some(1.0), 1.0), 1.0);
    }
}
