//! Whoever watches episodes run.

use prevision_env::{Decision, TimeStep, Worlds};

/// What an onlooker can fail with.
pub type WatchError = Box<dyn std::error::Error + Send + Sync>;

/// Looks on while episodes run: shows progress, makes videos. Does nothing unless told otherwise.
pub trait Watch {
    /// Told before every step of the episodes that run side by side, and once more when all of them have ended.
    fn progress(&mut self, progress: &PlanProgress) {
        let _ = progress;
    }

    /// Shown every moment of a watched episode: before each step with the decision, and at the end without one.
    ///
    /// # Errors
    /// Whatever ends the run.
    fn moment(&mut self, worlds: &dyn Worlds, moment: &Moment<'_>) -> Result<(), WatchError> {
        let _ = (worlds, moment);
        Ok(())
    }
}

/// Nobody watches.
impl Watch for () {}

/// Two watch.
impl<A: Watch, B: Watch> Watch for (A, B) {
    fn progress(&mut self, progress: &PlanProgress) {
        self.0.progress(progress);
        self.1.progress(progress);
    }

    fn moment(&mut self, worlds: &dyn Worlds, moment: &Moment<'_>) -> Result<(), WatchError> {
        self.0.moment(worlds, moment)?;
        self.1.moment(worlds, moment)
    }
}

/// A watched episode at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// Its row in the worlds, which can draw it.
    pub row: usize,
    /// Number of the episode.
    pub episode: usize,
    /// Its place among the watched ones.
    pub watched: usize,
    /// The world as it is now.
    pub now: &'a TimeStep,
    /// Where the agent has been, oldest first, in the world's coordinates; empty in a world that is not drawn.
    pub trail: &'a [[f32; 2]],
    /// What the policy has decided to do; `None` at the end.
    pub decision: Option<&'a Decision>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanProgress {
    /// Steps taken by the episodes that run side by side.
    pub step: usize,
    /// Steps after which an episode ends.
    pub max_steps: usize,
    /// Episodes that are running.
    pub running: usize,
    /// Episodes that have reached their goal.
    pub arrived: usize,
    /// Episodes that are over, those that were solved at the start among them.
    pub ended: usize,
    /// Episodes in all.
    pub episodes: usize,
}

impl PlanProgress {
    /// The share of the work that is done.
    pub fn share(&self) -> f64 {
        let running = self.running as f64 * self.step as f64 / self.max_steps as f64;
        (self.ended as f64 + running) / self.episodes as f64
    }
}
