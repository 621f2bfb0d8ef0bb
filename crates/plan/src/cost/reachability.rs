//! A price on latents that cannot be reached: that are farther from the present than the actions before them could have led.

use burn::prelude::*;
use prevision_core::config::Options;
use prevision_core::config::check::check;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cost, CostContext, Imagined, Learned, Measure, Scene, Steps};

/// Keys of [`Reachability`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReachabilityConfig {
    /// Steps, as the learned distance counts them, that one action can lead at most. Default 2.
    pub steps_per_action: f64,
    /// Steps that are always granted: what the learned distance errs by. Default 4.
    pub slack: f64,
}

impl Default for ReachabilityConfig {
    fn default() -> Self {
        Self { steps_per_action: 2.0, slack: 4.0 }
    }
}

impl Options for ReachabilityConfig {
    fn validate(&self) -> Result<(), String> {
        check("steps_per_action", self.steps_per_action).above(0.0)?;
        check("slack", self.slack).at_least(0.0)?.done()
    }
}

/// The sum over the horizon of the steps by which the learned distance between the present and an imagined latent exceeds what
/// the actions up to there can do. A predictor that lets the agent through a wall is caught by the distance, which knows the way
/// around it. Its weight is the price of such a step.
pub struct Reachability {
    model: Learned,
    keys: ReachabilityConfig,
}

impl Reachability {
    /// A cost with these keys.
    ///
    /// # Errors
    /// If the model has no learned distance.
    pub fn new(context: &CostContext, keys: ReachabilityConfig) -> Result<Self, String> {
        Ok(Self { model: Learned::new(context)?, keys })
    }
}

impl Cost for Reachability {
    fn starts(&self) -> Option<Steps> {
        Some(Steps::Summed)
    }

    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        let (distance, present) = (self.model.distance(), scene.present.clone());
        let obstacles = scene.obstacles.as_ref().map(|_| distance.starts(present.clone()));
        let obstacles = obstacles.and_then(|presence| scene.obstacles_from(presence));
        let present = distance.goals(present, obstacles);
        Ok(Box::new(Excess { model: self.model.clone(), keys: self.keys, present }))
    }
}

/// Steps by which imagined latents are too far from the present.
struct Excess {
    model: Learned,
    keys: ReachabilityConfig,
    /// `[scene, g]`
    present: Tensor<2>,
}

impl Measure for Excess {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, horizon, _] = imagined.actions.dims();
        let ReachabilityConfig { steps_per_action, slack } = self.keys;
        let granted: Vec<f32> = (1..=horizon).map(|step| (step as f64 * steps_per_action + slack) as f32).collect();
        let granted = Tensor::<1>::from_data(TensorData::new(granted, [horizon]), &imagined.actions.device());
        let distances = self.model.steps(imagined, Steps::Summed, &self.present);
        (distances - granted.unsqueeze_dim(0)).clamp_min(0.0).sum_dim(1).reshape([rows, samples])
    }
}
