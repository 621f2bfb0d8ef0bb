//! Costs: what is wrong with an imagined future.
//!
//! A cost is prepared once per plan with what it needs of the present and the goal ([`Scene`]) and then measures candidates, chunk by
//! chunk ([`Imagined`]). Costs add up by their weights and know nothing of each other.

mod action;
mod comparison;
mod distance;
mod imagined;
mod inverse_dynamics;
mod latent;
mod reachability;
mod readout;
mod scene;
mod smoothness;
mod steps;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use burn::prelude::*;
use prevision_core::config::{NoKeys, Registry};
use prevision_model::{Distance, WorldModel};

pub use action::ActionNorm;
pub use comparison::Metric;
pub use distance::{DistanceConfig, LearnedDistance};
pub use imagined::Imagined;
pub use inverse_dynamics::InverseConsistency;
pub use latent::{LatentConfig, LatentDistance};
pub use reachability::{Reachability, ReachabilityConfig};
pub use readout::{ReadoutConfig, ReadoutDistance};
pub use scene::Scene;
pub use smoothness::Smoothness;
pub use steps::Steps;

/// Something to be minimised.
pub trait Cost: Send + Sync {
    /// Of which imagined steps it reads [`Imagined::starts`]; `None` if it does not.
    fn starts(&self) -> Option<Steps> {
        None
    }

    /// Takes what it needs of the present and the goal of every episode.
    ///
    /// # Errors
    /// What is missing, for example a goal.
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String>;
}

/// A cost, or a constraint, of one plan: measures candidates.
pub trait Measure: Send + Sync {
    /// The value of each candidate. It must not depend on which others it is computed with.
    ///
    /// # Shapes
    /// - output: `[b, samples]`, `b` the episodes [`Imagined::rows`] of the scene
    fn value(&self, imagined: &Imagined) -> Tensor<2>;
}

/// A function of what is imagined and of the latents of the goals, `[b, tokens, d]` for the same episodes, is a cost.
impl<F> Cost for F
where
    F: Fn(&Imagined, Tensor<3>) -> Tensor<2> + Clone + Send + Sync + 'static,
{
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        Ok(Box::new(ToGoal { value: self.clone(), goals: scene.goal()? }))
    }
}

struct ToGoal<F> {
    value: F,
    goals: Tensor<3>,
}

impl<F> Measure for ToGoal<F>
where
    F: Fn(&Imagined, Tensor<3>) -> Tensor<2> + Clone + Send + Sync + 'static,
{
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let goals = self.goals.clone().slice_dim(0, imagined.rows.clone());
        (self.value)(imagined, goals)
    }
}

/// What costs and constraints are made with, beside their keys.
#[derive(Clone)]
pub struct CostContext {
    /// The model that imagines.
    pub model: Arc<dyn WorldModel>,
}

/// The costs that are registered.
pub type Costs = Registry<CostContext, Box<dyn Cost>>;

/// The built-in costs.
pub fn built_in_costs() -> Costs {
    Registry::new("cost")
        .with("latent", |keys: LatentConfig, _| Ok(Box::new(LatentDistance::new(keys)) as Box<dyn Cost>))
        .with("distance", |keys: DistanceConfig, context| Ok(Box::new(LearnedDistance::new(context, keys)?)))
        .with("reachability", |keys: ReachabilityConfig, context| Ok(Box::new(Reachability::new(context, keys)?)))
        .with("readout", |keys: ReadoutConfig, context| Ok(Box::new(ReadoutDistance::new(context, &keys)?)))
        .with("inverse-dynamics", |_: NoKeys, context| Ok(Box::new(InverseConsistency::new(context)?)))
        .with("action", |_: NoKeys, _| Ok(Box::new(ActionNorm)))
        .with("smoothness", |_: NoKeys, context| Ok(Box::new(Smoothness::new(context))))
}

/// Why a part that needs the learned distance cannot be used.
pub(crate) const NO_DISTANCE: &str = "this model has no learned distance; train it with objective.distance above 0";

/// A model that is known to have a learned distance.
#[derive(Clone)]
struct Learned(Arc<dyn WorldModel>);

impl Learned {
    /// # Errors
    /// If the model has no learned distance.
    fn new(context: &CostContext) -> Result<Self, String> {
        match context.model.distance() {
            Some(_) => Ok(Self(Arc::clone(&context.model))),
            None => Err(format!("weight is above 0, but must be 0: {NO_DISTANCE}")),
        }
    }

    fn distance(&self) -> &dyn Distance {
        self.0.distance().expect("checked when it was made")
    }

    /// Steps from every imagined latent to a goal.
    ///
    /// # Shapes
    /// - goals: `[scene, g]`, for all episodes of the scene
    /// - output: `[b * samples, horizon or 1]`
    fn steps(&self, imagined: &Imagined, steps: Steps, goals: &Tensor<2>) -> Tensor<2> {
        let [rows, samples, count, width] = imagined.starts(steps).dims();
        let starts = imagined.starts(steps).reshape([rows, samples * count, width]);
        let goals = goals.clone().narrow(0, imagined.rows.start, rows);
        self.distance().between(starts, goals).reshape([rows * samples, count])
    }
}
