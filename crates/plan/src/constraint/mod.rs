//! Constraints: what a plan must not do. A candidate that violates one loses against every candidate that violates none
//! ([`feasibility`](crate::solver::feasibility)), whatever its cost.
//!
//! What a constraint forbids in imagination can happen all the same, since models err. Most constraints can therefore also judge what
//! really [`Happened`]: [`Guardrails`](crate::Guardrails) count it.

#[cfg(feature = "videos")]
mod examples;
mod happened;
mod keep_out;
mod logistic;
mod reachable;
mod speed;
#[cfg(test)]
mod tests;
mod unsafe_latents;

use burn::prelude::*;
use prevision_core::config::Registry;

pub use happened::Happened;
pub use keep_out::{KeepOut, KeepOutConfig, Region};
pub use logistic::Logistic;
pub use reachable::Reachable;
pub use speed::{Speed, SpeedConfig};
pub use unsafe_latents::{Unsafe, UnsafeConfig};

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

    /// Whether what really happened in a step violates it, for each episode; `None` if that cannot be judged. What it says of one
    /// episode must not depend on the others.
    ///
    /// # Errors
    /// If the world does not show what it needs.
    fn violated(&self, happened: &Happened<'_>) -> Result<Option<Vec<bool>>, String> {
        let _ = happened;
        Ok(None)
    }
}

/// The constraints that are registered.
pub type Constraints = Registry<CostContext, Box<dyn Constraint>>;

/// The built-in constraints. `unsafe` reads its examples through FFmpeg and is there with the feature `videos`.
pub fn built_in_constraints() -> Constraints {
    let constraints = Registry::new("constraint")
        .with("reachable", |keys: ReachabilityConfig, context| {
            Ok(Box::new(Reachable::new(context, keys)?) as Box<dyn Constraint>)
        })
        .with("keep-out", |keys: KeepOutConfig, context| Ok(Box::new(KeepOut::new(context, keys)?)))
        .with("speed", |keys: SpeedConfig, context| Ok(Box::new(Speed::new(context, &keys)?)));
    #[cfg(feature = "videos")]
    let constraints =
        constraints.with("unsafe", |keys: UnsafeConfig, context| Ok(Box::new(Unsafe::from_files(context, &keys)?)));
    constraints
}

/// Euclidean norms of rows of numbers, whose gradient at 0 is 0.
///
/// # Shapes
/// - rows: `[m, t, n]`
/// - output: `[m, t]`
fn norms(rows: Tensor<3>) -> Tensor<2> {
    let [count, time, _] = rows.dims();
    rows.square().sum_dim(2).clamp_min(f32::MIN_POSITIVE).sqrt().reshape([count, time])
}
