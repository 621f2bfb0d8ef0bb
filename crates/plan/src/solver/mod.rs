//! Solvers: search for the action sequence of least cost, for all episodes at once.
//!
//! A solver is pure: what it returns depends on the score, the warm start and the noise alone, and what it returns for
//! one episode does not depend on the others. Statistics are taken on the host, where they cost nothing beside the
//! rollouts; only candidates and their costs travel.

mod candidates;
mod cem;
mod elites;
mod icem;
mod mppi;
mod random;
#[cfg(test)]
mod toy;

pub use cem::Cem;
pub use icem::Icem;
pub use mppi::{Mppi, mppi_weights};
pub use random::RandomShooting;

use crate::action_plan::ActionPlan;
use crate::limit::ActionLimit;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Searches for plans.
pub trait Solver {
    /// The plan of each episode, as many as the noise has rows.
    ///
    /// A warm start is an earlier plan already shifted to the present ([`ActionPlan::shift`]).
    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> ActionPlan;
}

/// What every solver searches in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Steps planned ahead.
    pub horizon: usize,
    /// Numbers in one planned action.
    pub action_dim: usize,
    /// Candidates in each iteration.
    pub samples: usize,
    /// Standard deviation at the start of every plan, in the environment's units.
    pub initial_std: f32,
    /// The largest action.
    pub limit: ActionLimit,
    /// Exponent of the noise's spectrum over time: 0 is white ([`Colouring`](crate::colour::Colouring)).
    pub noise_exponent: f64,
}

impl Search {
    /// Numbers in one sequence, `horizon * a`.
    pub fn sequence(&self) -> usize {
        self.horizon * self.action_dim
    }
}
