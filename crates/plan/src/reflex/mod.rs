//! A reflex: a network that answers a present and a goal with the actions between them, distilled from a planner's own plans.
//!
//! It acts alone, without a search, or proposes where a search begins (action priors of PRISM and `FlexiWorld`, 2026; the policy that
//! guides TD-MPC's planner, Hansen et al. 2022, <https://arxiv.org/abs/2203.04955>).
//!
//! - [`Plans`]: what a planner has planned, for learning
//! - [`distil`]: learns a [`Reflex`] from it
//! - [`Reflex::write`], [`Reflex::read`]: a file beside the run's other files

mod distil;
mod examples;
mod file;
mod fingerprint;
mod inputs;
mod plans;
mod spec;
#[cfg(test)]
mod tests;

use prevision_model::{ReflexNetwork, WorldModel};

use crate::cost::Scene;

pub use distil::{DistilOptions, distil};
pub use plans::{PlanRecord, Plans};
pub use spec::{ReflexError, ReflexSpec};

/// A network from present and goal to actions, of one world model.
#[derive(Clone, Debug)]
pub struct Reflex {
    spec: ReflexSpec,
    network: ReflexNetwork,
}

impl Reflex {
    /// What is fixed about it.
    pub fn spec(&self) -> &ReflexSpec {
        &self.spec
    }

    /// The actions that lead from the present of a scene towards its goal, `[b, horizon, a]`, in the unit of actions and not yet in their
    /// space. Beyond the steps that it has learned they are zero. What it answers for one row does not depend on the others.
    ///
    /// # Errors
    /// If the scene has no goal.
    pub fn propose(&self, model: &dyn WorldModel, scene: &Scene, horizon: usize) -> Result<Vec<f32>, String> {
        let places = self.spec.inputs().of(model, scene)?;
        let outputs = self.network.forward(self.spec.scale.apply(places)) * self.spec.action_scale;
        let values = outputs.into_data().try_into_vec_as::<f32>().expect("actions are floats");
        let (known, width) = (self.spec.network.outputs, self.spec.action_width);
        let wanted = horizon * width;
        let mut actions = vec![0.0; values.len() / known * wanted];
        for (to, from) in actions.chunks_exact_mut(wanted).zip(values.chunks_exact(known)) {
            let both = wanted.min(known);
            to[..both].copy_from_slice(&from[..both]);
        }
        Ok(actions)
    }
}
