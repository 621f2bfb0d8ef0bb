//! How closed-loop episodes are run.

use prevision_core::config::check::check;

/// How many episodes there are, and when they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

impl Rules {
    /// These many episodes to their ends, watched by nobody.
    pub fn new(episodes: usize, seed: u64) -> Self {
        Self { episodes, seed, max_steps: None, stop_on_arrival: false, watched: 0 }
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
