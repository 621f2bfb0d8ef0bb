//! What the time of a training goes to.

use std::time::Instant;

use serde::Serialize;

/// Seconds of this part of a run by what they went to; together they are all of them.
///
/// On the CPU an operation has ended when its call returns. On other devices calls return before their work is done, which then counts
/// where its result is waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Stages {
    /// Waiting for the next batch.
    pub waiting_for_data: f64,
    /// Clips to the device, and from them to the losses.
    pub forward: f64,
    /// From the losses to the gradients, with their mean over batches and processes.
    pub backward: f64,
    /// The optimiser's step, and what follows it, as a target encoder.
    pub optimizer: f64,
    /// Everything else: reading losses, writing metrics, pictures and checkpoints.
    pub rest: f64,
}

impl Stages {
    /// Every stage with its name for people, in the order of a step.
    pub fn each(&self) -> [(&'static str, f64); 5] {
        [
            ("waiting for data", self.waiting_for_data),
            ("forward", self.forward),
            ("backward", self.backward),
            ("optimizer", self.optimizer),
            ("the rest", self.rest),
        ]
    }

    /// All of them.
    pub fn total(&self) -> f64 {
        self.each().into_iter().map(|(_, seconds)| seconds).sum()
    }
}

/// Counts the seconds of each stage.
pub(crate) struct Stopwatch {
    stages: Stages,
    since: Instant,
}

impl Stopwatch {
    /// Begins to count.
    pub(crate) fn start() -> Self {
        Self { stages: Stages::default(), since: Instant::now() }
    }

    /// Counts the time since the last call, or since the start, for the stage that `stage` gives.
    pub(crate) fn lap(&mut self, stage: impl FnOnce(&mut Stages) -> &mut f64) {
        let now = Instant::now();
        *stage(&mut self.stages) += (now - self.since).as_secs_f64();
        self.since = now;
    }

    /// What was counted; the time since the last call counts for the rest.
    pub(crate) fn stop(mut self) -> Stages {
        self.lap(|stages| &mut stages.rest);
        self.stages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_moment_counts_for_one_stage() {
        let start = Instant::now();
        let mut watch = Stopwatch::start();
        std::thread::sleep(std::time::Duration::from_millis(20));
        watch.lap(|stages| &mut stages.forward);
        watch.lap(|stages| &mut stages.backward);
        let stages = watch.stop();
        let all = start.elapsed().as_secs_f64();
        assert!(stages.forward >= 0.02 && stages.backward < stages.forward, "{stages:?}");
        assert!(stages.total() <= all && stages.total() > 0.02, "{stages:?} of {all}");
        assert_eq!(stages.waiting_for_data, 0.0);
    }
}
