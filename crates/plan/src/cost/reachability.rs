//! A price on figments: imagined latents that are farther from the present than the actions before them could have led.

use burn::prelude::*;
use prevision_model::DistanceHead;

use super::{Cost, Goal, Imagined, Steps};

/// The sum over the horizon of the steps by which the learned distance between the present and an imagined latent exceeds what
/// the actions up to there can do. A predictor that lets the agent through a wall is caught by the distance, which knows the way
/// around it. A constraint with a fixed multiplier: multiply it by the price of a step.
#[derive(Clone, Debug)]
pub struct Reachability {
    /// The model's distance head.
    pub head: DistanceHead,
    /// Steps, as the head counts them, that one action can lead at most.
    pub steps_per_action: f64,
    /// Steps that are always granted: what the head errs by.
    pub slack: f64,
}

impl Cost for Reachability {
    /// # Panics
    /// If what the head needs of the present is absent, that is, was encoded by a model without this head.
    fn cost(&self, imagined: &Imagined, _goal: &Goal) -> Tensor<2> {
        let present = imagined.present.clone().expect("the present was encoded by a model with a distance head");
        let places = imagined.places(&self.head, Steps::Summed);
        let [rows, samples, horizon, width] = places.dims();
        let granted: Vec<f32> =
            (1..=horizon).map(|step| (step as f64 * self.steps_per_action + self.slack) as f32).collect();
        let granted = Tensor::<1>::from_data(TensorData::new(granted, [horizon]), &imagined.latents.device());
        let distances = self.head.between(places.reshape([rows, samples * horizon, width]), present);
        let over = (distances.reshape([rows * samples, horizon]) - granted.unsqueeze_dim(0)).clamp_min(0.0);
        over.sum_dim(1).reshape([rows, samples])
    }
}
