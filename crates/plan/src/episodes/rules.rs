//! How closed-loop episodes are run.

use std::sync::Arc;

use prevision_core::config::check::check;
use prevision_env::{Manifest, task_seed};

/// How many episodes there are, and when they end.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Number of episodes.
    pub episodes: usize,
    /// The tasks, and all random choices of the policy, are functions of this seed and the number of an episode.
    pub seed: u64,
    /// Most steps in an episode; `None`: what the world says.
    pub max_steps: Option<usize>,
    /// Whether an episode ends when it arrives.
    pub stop_on_arrival: bool,
    /// How many of the trials, the first ones, are watched.
    pub watched: usize,
    /// Frozen tasks that the episodes are taken from, in their order; `None`: tasks are drawn with the seed.
    pub tasks: Option<Arc<Manifest>>,
}

impl Rules {
    /// These many episodes to their ends, watched by nobody.
    pub fn new(episodes: usize, seed: u64) -> Self {
        Self { episodes, seed, max_steps: None, stop_on_arrival: false, watched: 0, tasks: None }
    }

    /// Number of episodes: no more than there are frozen tasks.
    pub fn count(&self) -> usize {
        self.tasks.as_ref().map_or(self.episodes, |manifest| manifest.tasks.len().min(self.episodes))
    }

    /// The seed of an episode's task.
    pub(super) fn task_seed(&self, episode: usize) -> u64 {
        self.tasks.as_ref().map_or_else(|| task_seed(self.seed, episode), |manifest| manifest.tasks[episode].seed)
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// The name, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        check("episodes", self.episodes as f64).at_least(1.0)?;
        self.max_steps.map_or(Ok(()), |steps| check("max_steps", steps as f64).at_least(1.0)?.done())
    }
}
