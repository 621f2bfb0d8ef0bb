//! The learned distance in steps, in either form.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DistanceField, DistanceFieldConfig, StepDistance, StepDistanceConfig};
use crate::frame_encoder::FrameEncoder;
use crate::world_model::Distance;

/// Which form the learned distance has; the key `kind` chooses `embedding` (default) or `field`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DistanceHeadConfig {
    /// A metric on a learned embedding.
    Embedding(StepDistanceConfig),
    /// Shortest paths over a grid of tokens.
    Field(DistanceFieldConfig),
}

impl Default for DistanceHeadConfig {
    fn default() -> Self {
        Self::Embedding(StepDistanceConfig::default())
    }
}

impl DistanceHeadConfig {
    /// Builds the head for the latents of `encoder`, behind static latents of `static_dim` numbers.
    pub fn init(&self, encoder: &FrameEncoder, static_dim: usize, device: &Device) -> DistanceHead {
        match self {
            Self::Embedding(config) => DistanceHead::Embedding(config.init(static_dim + encoder.dim(), device)),
            Self::Field(config) => DistanceHead::Field(config.init(encoder.grid(), static_dim, encoder.dim(), device)),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        match self {
            Self::Embedding(config) => config.validate(),
            Self::Field(config) => config.validate(),
        }
    }
}

/// How many steps lie between latents.
#[derive(Module, Debug)]
pub enum DistanceHead {
    /// A metric on a learned embedding.
    Embedding(StepDistance),
    /// Shortest paths over a grid of tokens.
    Field(DistanceField),
}

impl Distance for DistanceHead {
    fn starts(&self, latents: Tensor<3>) -> Tensor<2> {
        let latents = latents.flatten(1, 2);
        match self {
            Self::Embedding(head) => head.embed(latents),
            Self::Field(head) => head.presence(latents),
        }
    }

    fn goals(&self, latents: Tensor<3>, obstacles: Option<Tensor<2>>) -> Tensor<2> {
        let latents = latents.flatten(1, 2);
        match self {
            Self::Embedding(head) => {
                assert!(obstacles.is_none(), "an embedding knows no places for obstacles to stand in");
                head.embed(latents)
            }
            Self::Field(head) => head.field(latents, obstacles),
        }
    }

    fn between(&self, starts: Tensor<3>, goals: Tensor<2>) -> Tensor<2> {
        let [rows, count, width] = starts.dims();
        match self {
            Self::Embedding(head) => {
                let goals = goals.unsqueeze_dim::<3>(1).expand([rows, count, width]);
                let [starts, goals] = [starts, goals].map(|it| it.reshape([rows * count, width]));
                head.distance_between(starts, goals).reshape([rows, count])
            }
            Self::Field(head) => head.steps(starts, goals),
        }
    }

    fn places(&self) -> Option<usize> {
        match self {
            Self::Embedding(_) => None,
            Self::Field(head) => Some(head.places()),
        }
    }
}
