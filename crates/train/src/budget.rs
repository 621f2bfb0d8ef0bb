//! How much training there is, and how much of it is done.

use crate::config::TrainConfig;

/// The budget of a training.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) steps: Option<u64>,
    seconds: Option<f64>,
}

impl Budget {
    pub(crate) fn new(config: &TrainConfig) -> Self {
        Self { steps: config.steps, seconds: config.minutes.map(|minutes| minutes * 60.0) }
    }

    /// Whether nothing is left after `step` steps and `seconds`.
    pub(crate) fn is_spent(&self, step: u64, seconds: f64) -> bool {
        self.steps.is_some_and(|steps| step >= steps) || self.seconds.is_some_and(|budget| seconds >= budget)
    }

    /// Share of the training that is done after `step` steps and `seconds`, the larger of the two, at most 1.
    pub(crate) fn done(&self, step: u64, seconds: f64) -> f64 {
        let by_steps = self.steps.map_or(0.0, |steps| step as f64 / steps as f64);
        let by_time = self.seconds.map_or(0.0, |budget| seconds / budget);
        by_steps.max(by_time).min(1.0)
    }

    /// Seconds that are left at this many seconds per step.
    pub(crate) fn seconds_left(&self, step: u64, seconds: f64, per_step: f64) -> f64 {
        let by_steps = self.steps.map(|steps| steps.saturating_sub(step) as f64 * per_step);
        let by_time = self.seconds.map(|budget| (budget - seconds).max(0.0));
        by_steps.into_iter().chain(by_time).fold(f64::INFINITY, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_ends_first() {
        let config = TrainConfig { steps: Some(10), minutes: Some(0.5), ..TrainConfig::default() };
        let budget = Budget::new(&config);
        assert_eq!((budget.done(4, 3.0), budget.done(4, 24.0), budget.done(20, 0.0)), (0.4, 0.8, 1.0));
        assert!(budget.is_spent(10, 0.0) && budget.is_spent(0, 30.0) && !budget.is_spent(9, 29.0));
        assert_eq!((budget.seconds_left(4, 3.0, 2.0), budget.seconds_left(4, 25.0, 2.0)), (12.0, 5.0));
    }
}
