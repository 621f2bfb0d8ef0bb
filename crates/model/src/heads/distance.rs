//! The learned distance in steps, in either form.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{DistanceField, DistanceFieldConfig, StepDistance, StepDistanceConfig};
use crate::frame_encoder::FrameEncoder;

/// Which form the learned distance has; the key `kind` chooses `embedding` (default) or `field`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// How many steps lie between latents. What is compared often is prepared once: places by [`places`](Self::places), goals by
/// [`goals`](Self::goals).
#[derive(Module, Debug)]
pub enum DistanceHead {
    /// A metric on a learned embedding.
    Embedding(StepDistance),
    /// Shortest paths over a grid of tokens.
    Field(DistanceField),
}

impl DistanceHead {
    /// What is needed of latents that a way starts from.
    ///
    /// # Shapes
    /// - latents: `[n, dim]`
    /// - output: `[n, e]`
    pub fn places(&self, latents: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Embedding(head) => head.embed(latents),
            Self::Field(head) => head.presence(latents),
        }
    }

    /// What is needed of latents that a way leads to.
    ///
    /// # Shapes
    /// - latents: `[n, dim]`
    /// - output: `[n, g]`
    pub fn goals(&self, latents: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Embedding(head) => head.embed(latents),
            Self::Field(head) => head.field(latents, None),
        }
    }

    /// The head in the form that knows places, which can learn of obstacles while acting.
    pub fn as_field(&self) -> Option<&DistanceField> {
        match self {
            Self::Embedding(_) => None,
            Self::Field(head) => Some(head),
        }
    }

    /// Steps from several places each to a goal.
    ///
    /// # Shapes
    /// - places: `[goals, n, e]`, goals: `[goals, g]`, as made above
    /// - output: `[goals, n]`
    pub fn between(&self, places: Tensor<3>, goals: Tensor<2>) -> Tensor<2> {
        let [rows, count, width] = places.dims();
        match self {
            Self::Embedding(head) => {
                let goals = goals.unsqueeze_dim::<3>(1).expand([rows, count, width]);
                let [places, goals] = [places, goals].map(|it| it.reshape([rows * count, width]));
                head.distance_between(places, goals).reshape([rows, count])
            }
            Self::Field(head) => head.steps(places, goals),
        }
    }
}
