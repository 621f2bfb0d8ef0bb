//! Constraints: what a plan must not do. A candidate that violates one loses against every candidate that violates none
//! ([`feasibility`](crate::solver::feasibility)), whatever its cost.

mod reachable;

use prevision_core::config::Registry;

pub use reachable::Reachable;

use crate::cost::{CostContext, Measure, ReachabilityConfig, Scene, Steps};

/// Something that a plan must not exceed.
pub trait Constraint: Send + Sync {
    /// Of which imagined steps it reads [`Imagined::starts`](crate::cost::Imagined::starts); `None` if it does not.
    fn starts(&self) -> Option<Steps> {
        None
    }

    /// Takes what it needs of the present and the goal of every episode. What it then measures is the violation: 0 or less where
    /// the constraint holds, else by how much it does not.
    ///
    /// # Errors
    /// What is missing, for example a goal.
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String>;
}

/// The constraints that are registered.
pub type Constraints = Registry<CostContext, Box<dyn Constraint>>;

/// The built-in constraints.
pub fn built_in_constraints() -> Constraints {
    Registry::new("constraint").with("reachable", |keys: ReachabilityConfig, context| {
        Ok(Box::new(Reachable::new(context, keys)?) as Box<dyn Constraint>)
    })
}
