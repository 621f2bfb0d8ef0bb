//! Distance of latents.

use burn::prelude::*;
use prevision_core::config::Options;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::{Cost, Imagined, Measure, Metric, Scene, Steps};

/// Keys of [`LatentDistance`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LatentConfig {
    /// How far two latents are apart. Default `squared`.
    pub metric: Metric,
    /// Which imagined steps count. Default `summed`.
    pub steps: Steps,
    /// Weight of a summed step over that of the step before it; 1: all weigh the same. Default 1.
    pub discount: f64,
}

impl Default for LatentConfig {
    fn default() -> Self {
        Self { metric: Metric::default(), steps: Steps::default(), discount: 1.0 }
    }
}

impl LatentConfig {
    fn comparison(self) -> Comparison {
        let Self { metric, steps, discount } = self;
        Comparison { metric, steps, discount }
    }
}

impl Options for LatentConfig {
    fn validate(&self) -> Result<(), String> {
        self.comparison().validate()
    }
}

/// The distance of the imagined latents to that of the goal, by default the mean over the latent's numbers of the squared difference
/// (`eb_jepa`'s planning objective), summed over the steps. All tokens of a latent are one vector.
#[derive(Clone, Copy, Debug)]
pub struct LatentDistance {
    keys: LatentConfig,
}

impl LatentDistance {
    /// A cost with these keys.
    pub fn new(keys: LatentConfig) -> Self {
        Self { keys }
    }
}

impl Cost for LatentDistance {
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        Ok(Box::new(ToGoal { comparison: self.keys.comparison(), goals: scene.goal()?.flatten(1, 2) }))
    }
}

struct ToGoal {
    comparison: Comparison,
    /// `[scene, tokens * d]`
    goals: Tensor<2>,
}

impl Measure for ToGoal {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        self.comparison.sum(imagined.latents.vectors(), &self.goals, imagined)
    }
}
