//! What a solver minimises.

mod chunk;
mod memory;
mod model_score;
mod tape;

use burn::prelude::*;
use prevision_model::Latents;

pub use model_score::{Criteria, ModelScore};
pub use tape::{OnTape, differentiate};

/// What candidates are worth.
#[derive(Clone, Debug)]
pub struct Scores {
    /// The cost of each, lower is better; what is not a number counts as infinite. `[b, samples]`
    pub costs: Tensor<2>,
    /// By how much each violates constraints, 0 or less if it does not; `None` without constraints. `[b, samples]`
    pub violations: Option<Tensor<2>>,
}

/// Candidates rolled out.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// What they are worth.
    pub scores: Scores,
    /// The latents after each action, `[b * samples, horizon, tokens, d]`.
    pub latents: Latents,
}

/// What candidates are worth, and how that changes with their actions.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// What they are worth.
    pub scores: Scores,
    /// The derivative of each candidate's cost with respect to its own actions, `[b, samples, horizon, a]`.
    pub costs: Tensor<4>,
    /// The same of the violations, `[b, samples, horizon, a]`; `None` without constraints. Zero where nothing is violated.
    pub violations: Option<Tensor<4>>,
}

/// Judges candidate action sequences.
pub trait Score {
    /// Where the candidates are wanted.
    fn device(&self) -> Device;

    /// Rolls candidates out. What it gives for one must not depend on the others.
    ///
    /// # Shapes
    /// - actions: `[b, samples, horizon, a]`
    fn rollout(&self, actions: Tensor<4>) -> Rollout;

    /// What candidates are worth; may need less memory than a rollout that is kept.
    ///
    /// # Shapes
    /// - actions: `[b, samples, horizon, a]`
    fn score(&self, actions: Tensor<4>) -> Scores {
        self.rollout(actions).scores
    }

    /// What candidates are worth and its derivatives; for the solvers that descend. What it gives for one candidate must not depend on
    /// the others.
    ///
    /// # Shapes
    /// - actions: `[b, samples, horizon, a]`
    ///
    /// # Errors
    /// What keeps it from having derivatives: a whole sentence. A score that does not say otherwise has none.
    fn gradients(&self, actions: Tensor<4>) -> Result<Gradients, String> {
        let _ = actions;
        Err("this score has no derivatives with respect to the actions".to_owned())
    }
}
