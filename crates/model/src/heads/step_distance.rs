//! How many steps lie between two latents, as a metric on a learned embedding.
//!
//! In the style of Wang et al. 2023, "Optimal Goal-Reaching Reinforcement Learning via Quasimetric Learning", with the symmetric case of
//! the interval embedding: each group of coordinates contributes its largest absolute difference, groups are summed.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, assert_shape};
use serde::{Deserialize, Serialize};

use crate::validate::positive;

/// Configuration of a [`StepDistance`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepDistanceConfig {
    /// Width of the two hidden layers. Default 256.
    pub hidden: usize,
    /// Groups of coordinates whose distances are summed. Default 16.
    pub groups: usize,
    /// Coordinates in a group. Default 8.
    pub size: usize,
}

impl Default for StepDistanceConfig {
    fn default() -> Self {
        Self { hidden: 256, groups: 16, size: 8 }
    }
}

impl StepDistanceConfig {
    /// Builds the head for latents of length `dim`.
    pub fn init(&self, dim: usize, device: &Device) -> StepDistance {
        StepDistance {
            first: LinearConfig::new(dim, self.hidden).init(device),
            second: LinearConfig::new(self.hidden, self.hidden).init(device),
            output: LinearConfig::new(self.hidden, self.groups * self.size).init(device),
            groups: self.groups,
            size: self.size,
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("hidden", self.hidden)?;
        positive("groups", self.groups)?;
        positive("size", self.size)
    }
}

/// MLP embedding with the metric `sum over groups of max over the group of |difference|`: zero on the diagonal, symmetric, and obeying
/// the triangle inequality whatever the weights.
#[derive(Module, Debug)]
pub struct StepDistance {
    first: Linear,
    second: Linear,
    output: Linear,
    groups: usize,
    size: usize,
}

impl StepDistance {
    /// Embeds latents; do this once for latents that are compared often.
    ///
    /// # Shapes
    /// - latents: `[n, dim]`
    /// - output: `[n, groups * size]`
    pub fn embed(&self, latents: Tensor<2>) -> Tensor<2> {
        let x = relu(self.first.forward(latents));
        self.output.forward(relu(self.second.forward(x)))
    }

    /// Distance of embeddings, in environment steps.
    ///
    /// # Shapes
    /// - from, to: `[n, groups * size]`; either may have `n = 1`
    /// - output: `[n]`
    pub fn distance_between(&self, from: Tensor<2>, to: Tensor<2>) -> Tensor<1> {
        let width = self.groups * self.size;
        assert_shape!(from, [_, width]);
        assert_shape!(to, [_, width]);
        let difference = (from - to).abs();
        let [n, _] = difference.dims();
        difference.reshape([n * self.groups, self.size]).max_dim(1).reshape([n, self.groups]).sum_dim(1).reshape([n])
    }

    /// Distance of latents, in environment steps.
    ///
    /// # Shapes
    /// - from, to: `[n, dim]`
    /// - output: `[n]`
    pub fn forward(&self, from: Tensor<2>, to: Tensor<2>) -> Tensor<1> {
        self.distance_between(self.embed(from), self.embed(to))
    }
}
