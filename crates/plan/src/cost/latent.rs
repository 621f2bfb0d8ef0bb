//! Mean squared distance of latents.

use burn::prelude::*;
use prevision_core::config::Options;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cost, Imagined, Measure, Scene, Steps};

/// Keys of [`LatentDistance`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LatentConfig {
    /// Which imagined steps count. Default `summed`.
    pub steps: Steps,
}

impl Options for LatentConfig {}

/// The mean over the latent's numbers of the squared difference to the goal's latent (`eb_jepa`'s planning objective).
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
        Ok(Box::new(ToGoal { steps: self.keys.steps, goal: scene.goal()?.flatten(1, 2) }))
    }
}

struct ToGoal {
    steps: Steps,
    /// `[scene, tokens * d]`
    goal: Tensor<2>,
}

impl Measure for ToGoal {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        let latents = self.steps.counted(imagined.latents.vectors(), 1);
        let ([_, steps, dim], [rows, samples, ..]) = (latents.dims(), imagined.actions.dims());
        let goal = self.goal.clone().narrow(0, imagined.rows.start, rows);
        let difference = latents.reshape([rows, samples, steps * dim]) - goal.repeat_dim(1, steps).unsqueeze_dim(1);
        difference.square().sum_dim(2).reshape([rows, samples]) / dim as f32
    }
}
