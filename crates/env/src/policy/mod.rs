//! Whoever chooses actions: a planner, a random policy, an expert, a recording played again, a policy around another one.

mod random;
mod recorded;
mod search;
mod smooth;

use crate::{EnvError, Goal, TimeStep};

pub use random::Random;
pub use recorded::Recorded;
pub use search::{Search, SearchIteration};
pub use smooth::Smooth;

/// Chooses actions for a batch of episodes, step by step.
pub trait Policy {
    /// Its name in results.
    fn name(&self) -> String;

    /// The state in which it wants an episode to begin, asked for before the world is reset; `None` leaves that to the world.
    /// `seed` is the run's, `episode` the number of the episode in it.
    fn start_state(&mut self, seed: u64, episode: u64) -> Option<Vec<f32>> {
        let _ = (seed, episode);
        None
    }

    /// New episodes, a row each, in place of all earlier ones.
    ///
    /// # Errors
    /// If it cannot act in them.
    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError>;

    /// The next action of some rows. A row that is left out once has ended and does not come back. What it chooses in one row must
    /// not depend on the others.
    ///
    /// # Errors
    /// If it fails.
    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError>;
}

impl<P: Policy + ?Sized> Policy for Box<P> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn start_state(&mut self, seed: u64, episode: u64) -> Option<Vec<f32>> {
        (**self).start_state(seed, episode)
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        (**self).begin(episodes)
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        (**self).act(rows, seen)
    }
}

/// An episode when it begins.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// Seed of the run: of all random choices of the policy.
    pub seed: u64,
    /// Number of the episode; with the seed it determines the task.
    pub episode: u64,
    /// Its first moment.
    pub first: &'a TimeStep,
    /// What is to be reached, in a world with goals.
    pub goal: Option<&'a Goal>,
    /// Whether somebody watches, and wants to see what the policy imagines.
    pub watched: bool,
}

/// An action, and what a policy knows of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decision {
    /// The action, in a model's form ([`Space::width`](prevision_core::Space::width)).
    pub action: Vec<f32>,
    /// Whether a plan was made for it, rather than an earlier one followed.
    pub planned: bool,
    /// Where the policy expects the agent in the coming steps, (x, y) in the world's coordinates, soonest first; for rows that are
    /// watched.
    pub imagined: Vec<[f32; 2]>,
    /// How the plan that was made for it was searched for; `None` where none was made, or nothing was searched.
    pub search: Option<Search>,
    /// How wrong it was about what followed its earlier actions; `None` of a policy that does not learn while it acts, and between plans.
    pub prediction_errors: Option<PredictionErrors>,
}

/// How far what a policy imagined of its last actions is from what was then seen, as the mean squared error of latents.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PredictionErrors {
    /// The error of the model as it was trained.
    pub trained: f64,
    /// The error of the model that has been adapted to all that was seen before.
    pub adapted: f64,
}

impl Decision {
    /// An action, and nothing more.
    pub fn of(action: Vec<f32>) -> Self {
        Self { action, ..Self::default() }
    }
}

/// What keeps a policy from acting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy does not fit the world.
    #[error("policy {policy}: {message}")]
    Unfit {
        /// Name of the policy.
        policy: String,
        /// What it needs and the world has not.
        message: String,
    },
    /// The world failed.
    #[error(transparent)]
    World(#[from] EnvError),
    /// The policy failed at its own work.
    #[error("policy {policy}: {source}")]
    Failed {
        /// Name of the policy.
        policy: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
