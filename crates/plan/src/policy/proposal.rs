//! What a reflex proposes to a planner.

use std::sync::Arc;

use prevision_model::WorldModel;

use crate::action_plan::ActionPlan;
use crate::cost::Scene;
use crate::reflex::Reflex;
use crate::solver::SolverContext;

/// Proposes a plan for every episode.
#[derive(Clone, Debug)]
pub struct Proposal {
    reflex: Arc<Reflex>,
    context: SolverContext,
    name: String,
}

impl Proposal {
    /// Plans by a reflex, as `context` describes them. `name` is that of a planner which is told of them.
    pub fn new(reflex: Arc<Reflex>, context: &SolverContext, name: String) -> Self {
        Self { reflex, context: context.clone(), name }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The plans of the episodes of a scene, in the action space, each also its only kept sequence.
    ///
    /// # Errors
    /// If the scene has no goal.
    pub(super) fn plan(&self, model: &dyn WorldModel, scene: &Scene) -> Result<ActionPlan, String> {
        let SolverContext { horizon, .. } = self.context;
        let mut actions = self.reflex.propose(model, scene, horizon)?;
        self.context.project(&mut actions);
        let rows = actions.len() / self.context.sequence();
        Ok(ActionPlan {
            horizon,
            action_width: self.context.action_width(),
            cost: vec![0.0; rows],
            violation: vec![0.0; rows],
            kept: 1,
            elites: actions.clone(),
            actions,
        })
    }
}
