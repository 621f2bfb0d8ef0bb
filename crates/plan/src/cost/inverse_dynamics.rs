//! What is imagined must tell the actions that were planned.

use std::sync::Arc;

use burn::prelude::*;
use prevision_core::Space;
use prevision_model::{InverseModel, WorldModel};

use super::{Cost, CostContext, Imagined, Measure, Scene};

/// The sum over the horizon of the squared difference between the planned action and the one that the model's inverse dynamics read
/// from the latents before and after it, the present one before the first. An imagined future that its own actions do not explain is
/// one that the predictor does not know (inverse-dynamics consistency, ACID, arXiv 2607.02403; the scale is ours).
///
/// A difference as large as an action can be counts 1: the radius of a ball; in a box the mean over the numbers, each by half its range
/// (by 1 where that is not finite); the wrong one of several choices; actions without bounds are taken as they are, the mean over their
/// numbers. Of the raw actions in a block it is the mean.
pub struct InverseConsistency {
    model: Arc<dyn WorldModel>,
    /// Weights of the squared differences of one raw action's numbers.
    weights: Vec<f32>,
}

impl InverseConsistency {
    /// A cost for this model.
    ///
    /// # Errors
    /// If the model has no learned inverse dynamics.
    pub fn new(context: &CostContext) -> Result<Self, String> {
        let spaces = &context.model.spec().spaces;
        match (context.model.inverse_dynamics(), &spaces.action) {
            (Some(_), Some(space)) => {
                let block = spaces.frame_step.max(1) as f32;
                let weights = weights(space).into_iter().map(|weight| weight / block).collect();
                Ok(Self { model: Arc::clone(&context.model), weights })
            }
            _ => Err("weight is above 0, but must be 0: this model has no learned inverse dynamics; train it with \
                      objective.inverse_dynamics above 0"
                .to_owned()),
        }
    }
}

/// What makes squared differences of an action's numbers add up to 1 where they are as large as they can be.
fn weights(space: &Space) -> Vec<f32> {
    let width = space.width();
    match space {
        Space::Ball { radius, .. } => vec![radius.powi(-2); width],
        Space::Box { low, high } => {
            let scale = |(low, high): (&f32, &f32)| (high - low) / 2.0;
            let scales = low.iter().zip(high).map(scale);
            let usable = |scale: f32| if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
            scales.map(|scale| usable(scale).powi(-2) / width as f32).collect()
        }
        Space::Discrete { .. } => vec![0.5; width],
        Space::Unbounded { .. } => vec![1.0 / width as f32; width],
    }
}

impl Cost for InverseConsistency {
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        let (model, present) = (Arc::clone(&self.model), scene.present.clone());
        Ok(Box::new(Unexplained { model, weights: self.weights.clone(), present }))
    }
}

struct Unexplained {
    model: Arc<dyn WorldModel>,
    weights: Vec<f32>,
    /// `[scene, tokens, d]`
    present: Tensor<3>,
}

impl Unexplained {
    fn head(&self) -> &dyn InverseModel {
        self.model.inverse_dynamics().expect("checked when it was made")
    }
}

impl Measure for Unexplained {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let ([rows, samples, horizon, width], [rollouts, _, tokens, d]) =
            (imagined.actions.dims(), imagined.latents.dims());
        let present = self.present.clone().narrow(0, imagined.rows.start, rows);
        let present = present.unsqueeze_dim::<4>(1).expand([rows, samples, tokens, d]);
        let mut before = present.reshape([rollouts, 1, tokens, d]);
        if horizon > 1 {
            before = Tensor::cat(vec![before, imagined.latents.tokens.clone().narrow(1, 0, horizon - 1)], 1);
        }
        let count = rollouts * horizon;
        let [before, after] =
            [before, imagined.latents.tokens.clone()].map(|latents| latents.reshape([count, tokens, d]));
        let read = self.head().action(before, after);
        let difference = read - imagined.actions.clone().reshape([count, width]);
        let weights: Vec<f32> = self.weights.iter().copied().cycle().take(width).collect();
        let weights = Tensor::<2>::from_data(TensorData::new(weights, [1, width]), &difference.device());
        let errors = (difference.square() * weights).reshape([rows, samples, horizon * width]);
        errors.sum_dim(2).reshape([rows, samples])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_counts_one() {
        assert_eq!(weights(&Space::Ball { dim: 2, radius: 2.0 }), [0.25, 0.25]);
        let infinite = f32::INFINITY;
        let space = Space::Box { low: vec![-2.0, 0.0, -infinite, 3.0], high: vec![2.0, 1.0, infinite, 3.0] };
        assert_eq!(weights(&space), [0.0625, 1.0, 0.25, 0.25]);
        assert_eq!(weights(&Space::Discrete { count: 3 }), [0.5; 3]);
        assert_eq!(weights(&Space::Unbounded { dim: 4 }), [0.25; 4]);
    }
}
