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
        let goal = goal.embedding.clone().expect("the goal was encoded by a model with a distance head");
        let [rows, samples, ..] = imagined.actions.dims();
        let places = imagined.places(&self.head, self.steps);
        let [.., steps, width] = places.dims();
        let distances = self.head.between(places.reshape([rows, samples * steps, width]), goal);
        distances.reshape([rows * samples, steps]).sum_dim(1).reshape([rows, samples])
    }
}
