//! Distance in steps, as the model has learned it.

use burn::prelude::*;
use prevision_core::config::Options;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cost, CostContext, Imagined, Learned, Measure, Scene, Steps};

/// Keys of [`LearnedDistance`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DistanceConfig {
    /// Which imagined steps count. Default `summed`.
    pub steps: Steps,
}

impl Options for DistanceConfig {}

/// The number of steps to the goal, by the model's learned distance.
pub struct LearnedDistance {
    model: Learned,
    keys: DistanceConfig,
}

impl LearnedDistance {
    /// A cost with these keys.
    ///
    /// # Errors
    /// If the model has no learned distance.
    pub fn new(context: &CostContext, keys: DistanceConfig) -> Result<Self, String> {
        Ok(Self { model: Learned::new(context)?, keys })
    }
}

impl Cost for LearnedDistance {
    fn starts(&self) -> Option<Steps> {
        Some(self.keys.steps)
    }

    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        let goals = self.model.distance().goals(scene.goal()?, scene.obstacles.clone());
        Ok(Box::new(ToGoal { model: self.model.clone(), steps: self.keys.steps, goals }))
    }
}

struct ToGoal {
    model: Learned,
    steps: Steps,
    /// `[scene, g]`
    goals: Tensor<2>,
}

impl Measure for ToGoal {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let [rows, samples, ..] = imagined.actions.dims();
        self.model.steps(imagined, self.steps, &self.goals).sum_dim(1).reshape([rows, samples])
    }
}
