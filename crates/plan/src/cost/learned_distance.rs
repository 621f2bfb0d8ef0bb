//! Distance in steps, as the model's distance head has learned it.

use burn::prelude::*;
use prevision_model::DistanceHead;

use super::{Cost, Goal, Imagined, Steps};

/// The learned number of environment steps to the goal.
#[derive(Clone, Debug)]
pub struct LearnedDistance {
    /// The model's distance head.
    pub head: DistanceHead,
    /// Which steps count.
    pub steps: Steps,
}

impl Cost for LearnedDistance {
    /// # Panics
    /// If the goal has no embedding, that is, was encoded by a model without this head.
    fn cost(&self, imagined: &Imagined, goal: &Goal) -> Tensor<2> {
        let latents = self.steps.counted(imagined.latents.clone());
        let [rows, samples, steps, dim] = latents.dims();
        let embedding = goal.embedding.clone().expect("the goal was encoded by a model with a distance head");
        let width = embedding.dims()[1];
        let count = rows * samples * steps;
        let imagined = self.head.places(latents.reshape([count, dim]));
        let goal = embedding.unsqueeze_dim::<3>(1).expand([rows, samples * steps, width]).reshape([count, width]);
        self.head.between(imagined, goal).reshape([rows * samples, steps]).sum_dim(1).reshape([rows, samples])
    }
}
