//! What can fail while planning.

use prevision_env::{EnvError, PolicyError};

/// An error of planning or of closed-loop episodes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A value is out of range, or does not fit the model or the world: a sentence that names the key.
    #[error("{0}")]
    Config(String),
    /// The world does not fit the model.
    #[error("world {world} does not fit the model: {message}")]
    Unfit {
        /// The world's name.
        world: String,
        /// What the one has and what the other takes.
        message: String,
    },
    /// A world failed.
    #[error(transparent)]
    World(#[from] EnvError),
    /// The policy failed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A guardrail cannot judge what happens.
    #[error("constraint {name} cannot judge what happens: {message}")]
    Guardrail {
        /// The constraint's name.
        name: String,
        /// What the world does not show.
        message: String,
    },
    /// Whoever watched failed, for example at writing a video.
    #[error(transparent)]
    Watch(Box<dyn std::error::Error + Send + Sync>),
    /// No trial is left, so there is no rate to report.
    #[error("all {episodes} episodes of {world} are solved at the start, so there is nothing to measure")]
    AllSolvedAtStart {
        /// The world's name.
        world: String,
        /// How many episodes were sampled.
        episodes: usize,
    },
}
