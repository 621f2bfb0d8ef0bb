//! What a solver minimises.

mod chunk;
mod model_score;

use burn::prelude::*;
use prevision_model::Latents;

pub use model_score::{Criteria, ModelScore};

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
}
