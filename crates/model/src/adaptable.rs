//! Learning while acting: a step of a model towards what it has just seen.

use std::sync::Arc;

use burn::tensor::Tensor;

use crate::world_model::{Latents, Past, WorldModel};

/// What followed actions that were taken.
#[derive(Clone, Debug)]
pub struct Transition {
    /// What was known when the first of the actions was taken, `b` episodes.
    pub past: Past,
    /// The actions that were taken, `[b, k, a]`.
    pub actions: Tensor<3>,
    /// The latents that were seen last, the one after the last action last, `[b, m, tokens, d]` with `m` from 1 to `k`.
    pub seen: Latents,
}

impl Transition {
    /// The same on the tape; nothing is derived with respect to it.
    #[must_use]
    pub fn autodiff(self) -> Self {
        Self { past: self.past.autodiff(), actions: self.actions.autodiff(), seen: self.seen.autodiff() }
    }
}

/// A world model whose predictor can be adapted to the world it acts in, transition by transition, as in `AdaJEPA` (arXiv 2606.32026).
pub trait Adaptable: Send + Sync {
    /// How far what the model imagines of the actions is from what was seen: the mean squared error of each episode, `[b]`. An
    /// episode's must not depend on the others.
    fn errors(&self, transition: &Transition) -> Tensor<1>;

    /// The model after one gradient step of its predictor on the mean of these errors; the model itself stays as it is. `rate` is the
    /// share of the error of the prediction that the step takes away, as far as the predictor is linear in its weights: 0 changes
    /// nothing.
    fn adapted(&self, transition: &Transition, rate: f64) -> Arc<dyn WorldModel>;
}
