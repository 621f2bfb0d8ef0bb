//! Distance of what a head of the model reads from latents.

use burn::prelude::*;
use prevision_core::config::Options;
use prevision_core::config::check::message;
use prevision_model::Latents;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::{Cost, CostContext, Imagined, Measure, Metric, Scene, Steps};
use crate::readout::{POSITION, Readout};

/// Keys of [`ReadoutDistance`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReadoutConfig {
    /// Name of the readout. Default `position`: where the agent is, x and y in pixels.
    pub name: String,
    /// What it is to read, as many numbers as the readout has. Unset: what it reads from the goal.
    pub target: Option<Vec<f64>>,
    /// How far two readouts are apart. Default `squared`.
    pub metric: Metric,
    /// Which imagined steps count. Default `summed`.
    pub steps: Steps,
    /// Weight of a summed step over that of the step before it; 1: all weigh the same. Default 1.
    pub discount: f64,
}

impl Default for ReadoutConfig {
    fn default() -> Self {
        let (metric, steps) = (Metric::default(), Steps::default());
        Self { name: POSITION.to_owned(), target: None, metric, steps, discount: 1.0 }
    }
}

impl ReadoutConfig {
    fn comparison(&self) -> Comparison {
        Comparison { metric: self.metric, steps: self.steps, discount: self.discount }
    }
}

impl Options for ReadoutConfig {
    fn validate(&self) -> Result<(), String> {
        self.comparison().validate()
    }
}

/// The distance between what a head reads from the imagined latents and what it is to read: what it reads from the goal's latent,
/// or numbers that are given.
pub struct ReadoutDistance {
    readout: Readout,
    comparison: Comparison,
    target: Option<Vec<f32>>,
}

impl ReadoutDistance {
    /// A cost with these keys.
    ///
    /// # Errors
    /// If the model has no readout of this name, or it has another number of values than the target.
    pub fn new(context: &CostContext, keys: &ReadoutConfig) -> Result<Self, String> {
        let readout = Readout::new("name", &keys.name, &context.model)?;
        if let Some(target) = keys.target.as_ref().filter(|target| target.len() != readout.width()) {
            let allowed = format!("{} numbers, as many as the readout {} has", readout.width(), keys.name);
            return Err(message("target", format_args!("{target:?}"), allowed));
        }
        let target = keys.target.as_ref().map(|target| target.iter().map(|value| *value as f32).collect());
        Ok(Self { readout, comparison: keys.comparison(), target })
    }
}

impl Cost for ReadoutDistance {
    fn prepare(&self, scene: &Scene) -> Result<Box<dyn Measure>, String> {
        let (episodes, width) = (scene.present.dims()[0], self.readout.width());
        let goals = match &self.target {
            Some(target) => {
                let target = TensorData::new(target.clone(), [1, width]);
                Tensor::<2>::from_data(target, &scene.present.device()).repeat_dim(0, episodes)
            }
            None => self.readout.of(&Latents::new(scene.goal()?.unsqueeze_dim(1))).reshape([episodes, width]),
        };
        Ok(Box::new(ToGoal { readout: self.readout.clone(), comparison: self.comparison, goals }))
    }
}

struct ToGoal {
    readout: Readout,
    comparison: Comparison,
    /// `[scene, n]`
    goals: Tensor<2>,
}

impl Measure for ToGoal {
    fn value(&self, imagined: &Imagined) -> Tensor<2> {
        self.comparison.sum(self.readout.of(&imagined.latents), &self.goals, imagined)
    }
}
