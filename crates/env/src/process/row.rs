//! One row: the episode that it is at, and all that it takes to come there again.

use crate::{FactorValues, Goal, TimeStep};

/// How an episode began, and what has happened since.
#[derive(Debug, Clone)]
pub(super) struct Episode {
    pub(super) seed: u64,
    /// The state to start in, if one was chosen.
    pub(super) state: Option<Vec<f32>>,
    pub(super) factors: FactorValues,
    /// The actions so far, in a model's form, one after the other.
    pub(super) actions: Vec<f32>,
    /// Number of actions.
    pub(super) steps: usize,
    /// Where they have led.
    pub(super) now: TimeStep,
    /// Where the agent is.
    pub(super) position: Option<[f32; 2]>,
    /// What is to be reached.
    pub(super) goal: Option<Goal>,
}

impl Episode {
    /// The action of a step, from 0.
    pub(super) fn action(&self, step: usize) -> &[f32] {
        let width = self.actions.len() / self.steps;
        &self.actions[step * width..][..width]
    }
}
