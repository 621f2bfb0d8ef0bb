//! How many steps lie between two latents, as a metric on a learned embedding.
//!
//! In the style of Wang et al. 2023, "Optimal Goal-Reaching Reinforcement Learning via Quasimetric Learning", with the symmetric case of
//! the interval embedding: each group of coordinates contributes its largest absolute difference, groups are summed.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, assert_shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layers::{Activation, linear};
use prevision_core::config::check::positive;

/// Configuration of a [`StepDistance`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
            // A bias would cancel in every difference.
            output: LinearConfig::new(self.hidden, self.groups * self.size).with_bias(false).init(device),
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
        let x = linear(&self.first, latents, Activation::Relu);
        linear(&self.output, linear(&self.second, x, Activation::Relu), Activation::Identity)
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

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::tensor::Distribution;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literal() {
        let device = Device::flex();
        let mut head = StepDistanceConfig { hidden: 2, groups: 2, size: 2 }.init(2, &device);
        head.first.weight = Param::from_tensor(Tensor::eye(2, &device));
        head.second.weight = Param::from_tensor(Tensor::eye(2, &device));
        for layer in [&mut head.first, &mut head.second] {
            layer.bias = Some(Param::from_tensor(Tensor::zeros([2], &device)));
        }
        head.output.weight =
            Param::from_tensor(Tensor::from_data([[1.0, 0.0, 2.0, 0.0], [0.0, -3.0, 0.0, 1.0]], &device));
        let embedding = head.embed(Tensor::from_data([[1.0, 2.0], [3.0, 0.5]], &device));
        let values = embedding.clone().try_into_vec_as::<f32>().unwrap();
        assert_eq!(values, [1.0, -6.0, 2.0, 2.0, 3.0, -1.5, 6.0, 0.5]);
        // |differences| are [2, 4.5] and [4, 1.5]: 4.5 + 4.
        let distance = head.distance_between(embedding.clone().narrow(0, 0, 1), embedding.narrow(0, 1, 1));
        assert_eq!(distance.into_scalar::<f32>(), 8.5);
    }

    #[test]
    fn one_goal_is_compared_with_many() {
        let device = Device::flex();
        let head = StepDistanceConfig::default().init(4, &device);
        let embeddings = head.embed(Tensor::random([5, 4], Distribution::Normal(0.0, 1.0), &device));
        let goal = embeddings.clone().narrow(0, 2, 1);
        let distances = head.distance_between(embeddings, goal).try_into_vec_as::<f32>().unwrap();
        assert_eq!(distances.len(), 5);
        assert_eq!(distances[2], 0.0);
        assert!(distances[0] > 0.0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn is_a_metric(values in proptest::collection::vec(-3.0..3.0_f32, 12), groups in 1..5_usize, size in 1..4_usize) {
            let device = Device::flex();
            let head = StepDistanceConfig { hidden: 8, groups, size }.init(4, &device);
            let points = Tensor::<1>::from_data(values.as_slice(), &device).reshape([3, 4]);
            let distance = |i: usize, j: usize| -> f32 {
                head.forward(points.clone().narrow(0, i, 1), points.clone().narrow(0, j, 1)).into_scalar()
            };
            for i in 0..3 {
                prop_assert_eq!(distance(i, i), 0.0);
                for j in 0..3 {
                    prop_assert!(distance(i, j) >= 0.0);
                    prop_assert_eq!(distance(i, j), distance(j, i));
                    for k in 0..3 {
                        prop_assert!(distance(i, k) <= distance(i, j) + distance(j, k) + 1e-5);
                    }
                }
            }
        }
    }
}
