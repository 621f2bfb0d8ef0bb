//! Solvers: search for the action sequence of least cost, for all episodes at once.
//!
//! A solver is pure: what it returns depends on the score, the warm start and the noise alone, and what it returns for
//! one episode does not depend on the others; only a deadline, if one is set, brings in the time. Statistics are taken on the host, where
//! they cost nothing beside the rollouts; only candidates, their costs and derivatives travel. A solver of one's own can be built of the
//! same parts: [`Sampler`], [`elites`], [`feasibility`], [`Descent`], [`Stopwatch`].

mod candidates;
mod categorical_cem;
mod cem;
mod cem_gradient;
mod context;
mod descent;
pub mod elites;
mod evaluate;
pub mod feasibility;
mod gradient;
mod icem;
mod lagrangian;
mod mppi;
mod projected_gradient;
mod proposed;
mod random;
mod search;
mod simplex;
mod start;
#[cfg(test)]
mod toy;
mod tracks;

pub use candidates::{Candidates, Gaussian, Sampler, Scored};
pub use categorical_cem::{CategoricalCem, CategoricalCemConfig};
pub use cem::{Cem, CemConfig};
pub use cem_gradient::{CemGradient, CemGradientConfig};
pub use context::SolverContext;
pub use descent::{Descent, StepRule, Stride};
pub use gradient::{Gradient, GradientConfig};
pub use icem::{Icem, IcemConfig};
pub use lagrangian::{Lagrangian, LagrangianConfig};
pub use mppi::{Mppi, MppiConfig, mppi_weights};
pub use projected_gradient::{ProjectedGradient, ProjectedGradientConfig};
pub use proposed::Proposed;
pub use random::{RandomConfig, RandomShooting};
pub use search::{Stopwatch, summary};
pub(crate) use start::start;

use prevision_core::config::Registry;
use prevision_core::config::check::check;
use prevision_env::Search;
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
    ///
    /// # Errors
    /// What the solver needs and the score has not, for example derivatives.
    fn solve(&self, score: &dyn Score, warm_start: Option<&ActionPlan>, noise: &mut dyn NoiseSource) -> Solved;
}

/// What a solver gives back: or why it cannot search.
pub type Solved = Result<Solution, String>;

/// What a solver returns.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The plans, on the host.
    pub plan: ActionPlan,
    /// What the model imagines for them, `[b, horizon, tokens, d]`.
    pub imagined: Latents,
    /// How each was searched for; empty if the solver does not tell.
    pub searches: Vec<Search>,
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
        .with("gradient", |keys: GradientConfig, context| Ok(Box::new(Gradient::new(context, keys)?)))
        .with("cem-gradient", |keys: CemGradientConfig, context| Ok(Box::new(CemGradient::new(context, keys)?)))
        .with("categorical-cem", |keys: CategoricalCemConfig, context| {
            Ok(Box::new(CategoricalCem::new(context, keys)?))
        })
        .with("projected-gradient", |keys: ProjectedGradientConfig, context| {
            Ok(Box::new(ProjectedGradient::new(context, keys)?))
        })
        .with("lagrangian", |keys: LagrangianConfig, context| Ok(Box::new(Lagrangian::new(context, keys)?)))
}

/// Checks the keys that solvers share.
fn validate_rounds(samples: usize, elites: usize, fewest_elites: f64, iterations: usize) -> Result<(), String> {
    check("samples", samples as f64).at_least(1.0)?;
    check("elites", elites as f64).at_least(fewest_elites)?.at_most(samples as f64, "samples")?;
    check("iterations", iterations as f64).at_least(1.0)?.done()
}
