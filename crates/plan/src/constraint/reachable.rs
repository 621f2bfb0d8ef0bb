//! What is imagined must be reachable.

use super::Constraint;
use crate::cost::{Cost, CostContext, Measure, NO_DISTANCE, Reachability, ReachabilityConfig, Scene, Steps};

/// No imagined latent may be farther from the present, by the learned distance, than the actions before it can lead. Violated by
/// the steps in excess, summed over the horizon: what [`Reachability`] puts a price on.
pub struct Reachable(Reachability);

impl Reachable {
    /// A constraint with these keys.
    ///
    /// # Errors
    /// If the model has no learned distance.
    pub fn new(context: &CostContext, keys: ReachabilityConfig) -> Result<Self, String> {
        let ReachabilityConfig { slack, .. } = keys;
        Reachability::new(context, keys)
            .map(Self)
            .map_err(|_| format!("slack is {slack}, but must be left out with its table: {NO_DISTANCE}"))
    }
}

impl Constraint for Reachable {
    fn starts(&self) -> Option<Steps> {
        self.0.starts()
    }

    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        self.0.prepare(scene)
    }
}
