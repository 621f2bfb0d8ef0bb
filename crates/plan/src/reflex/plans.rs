//! What a planner has planned.

use std::sync::{Arc, Mutex, PoisonError};

use burn::prelude::*;
use prevision_model::{Latents, ModelSpec};

use crate::action_plan::ActionPlan;
use crate::cost::Scene;

/// One plan of one episode. Of the goal and of what is imagined only the numbers that move are kept: the others are the present's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanRecord {
    /// Number of the episode.
    pub episode: u64,
    /// The latent that it began from, `[tokens * d]`.
    pub present: Vec<f32>,
    /// Where it was to lead, `[moving tokens * d]`.
    pub goal: Vec<f32>,
    /// The actions, `[horizon, a]`.
    pub actions: Vec<f32>,
    /// The latents that were imagined after each action, `[horizon, moving tokens * d]`.
    pub imagined: Vec<f32>,
    /// Steps that passing each place took beside what was learned, `[places]`.
    pub obstacles: Option<Vec<f32>>,
}

/// All plans of a planner, to learn from. A handle: whoever holds one sees what the planner plans.
#[derive(Clone, Debug, Default)]
pub struct Plans(Arc<Mutex<Vec<PlanRecord>>>);

impl Plans {
    /// Takes out the plans so far, in the order of the episodes, those of one in the order in which they were made.
    pub fn take(&self) -> Vec<PlanRecord> {
        let mut plans = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        plans.sort_by_key(|plan| plan.episode);
        plans
    }

    /// Adds one plan for each of these episodes, if they have goals.
    pub(crate) fn add(&self, spec: &ModelSpec, episodes: &[u64], scene: &Scene, plan: &ActionPlan, imagined: &Latents) {
        let Some(goal) = &scene.goal else { return };
        let (still, moving) = (spec.static_tokens, spec.tokens - spec.static_tokens);
        let present = rows(scene.present.clone().flatten(1, 2));
        let goal = rows(goal.clone().narrow(1, still, moving).flatten(1, 2));
        let imagined = rows(imagined.tokens.clone().narrow(2, still, moving).flatten(1, 3));
        let mut obstacles = scene.obstacles.clone().map(rows).unwrap_or_default().into_iter();
        let parts = present.into_iter().zip(goal).zip(imagined);
        let records = episodes.iter().zip(parts).enumerate().map(|(row, (episode, ((present, goal), imagined)))| {
            let (episode, actions) = (*episode, plan.plan(row).to_vec());
            PlanRecord { episode, present, goal, actions, imagined, obstacles: obstacles.next() }
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(records);
    }
}

/// The rows of `[b, n]` on the host.
fn rows(values: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, width] = values.dims();
    let values = values.into_data().try_into_vec_as::<f32>().expect("latents are floats");
    values.chunks_exact(width).map(<[f32]>::to_vec).collect()
}
