//! Solvers: search for the action sequence of least cost, for all episodes at once.
//!
//! A solver is pure: what it returns depends on the score, the warm start and the noise alone, and what it returns for
//! one episode does not depend on the others. Statistics are taken on the host, where they cost nothing beside the
//! rollouts; only candidates and their costs travel. A solver of one's own can be built of the same parts: [`Sampler`], [`elites`],
//! [`feasibility`].

mod candidates;
mod cem;
mod context;
pub mod elites;
pub mod feasibility;
mod icem;
mod mppi;
mod random;
#[cfg(test)]
mod toy;

pub use candidates::{Candidates, Gaussian, Sampler, Scored};
pub use cem::{Cem, CemConfig};
pub use context::SolverContext;
pub use icem::{Icem, IcemConfig};
pub use mppi::{Mppi, MppiConfig, mppi_weights};
pub use random::{RandomConfig, RandomShooting};

use prevision_core::config::Registry;
use prevision_core::config::check::check;
use prevision_model::Latents;

use crate::action_plan::ActionPlan;
use crate::noise::NoiseSource;
use crate::score::Score;

/// Searches for plans.
pub trait Solver: Send + Sync {
    /// Its name in results.
    fn name(&self) -> &str;

    /// The plan of each episode, as many as the noise has rows.
    ///
    /// A warm start is an earlier plan already shifted to the present ([`ActionPlan::shift`]).
    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solution;
}

/// What a solver returns.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The plans, on the host.
    pub plan: ActionPlan,
    /// What the model imagines for them, `[b, horizon, tokens, d]`.
    pub imagined: Latents,
}

/// The solvers that are registered.
pub type Solvers = Registry<SolverContext, Box<dyn Solver>>;

/// The built-in solvers.
pub fn built_in_solvers() -> Solvers {
    let boxed = |solver: Box<dyn Solver>| Ok(solver);
    Registry::new("solver")
        .with("random", move |keys: RandomConfig, context| boxed(Box::new(RandomShooting::new(context, keys))))
        .with("cem", move |keys: CemConfig, context| boxed(Box::new(Cem::new(context, keys))))
        .with("icem", move |keys: IcemConfig, context| boxed(Box::new(Icem::new(context, keys))))
        .with("mppi", move |keys: MppiConfig, context| boxed(Box::new(Mppi::new(context, keys))))
}

/// Checks the keys that solvers share.
fn validate_rounds(samples: usize, elites: usize, fewest_elites: f64, iterations: usize) -> Result<(), String> {
    check("samples", samples as f64).at_least(1.0)?;
    check("elites", elites as f64).at_least(fewest_elites)?.at_most(samples as f64, "samples")?;
    check("iterations", iterations as f64).at_least(1.0)?.done()
}
