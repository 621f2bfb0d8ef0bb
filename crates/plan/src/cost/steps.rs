//! Which imagined steps count.

use burn::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which imagined steps a cost counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Steps {
    /// The last alone: how it gets there does not matter.
    Last,
    /// The sum over all of them: being near early is better.
    #[default]
    Summed,
}

impl Steps {
    /// Drops the steps that do not count.
    ///
    /// # Shapes
    /// - values: dimension `dim` is the horizon
    /// - output: dimension `dim` is the horizon or 1
    pub fn counted<const D: usize>(self, values: Tensor<D>, dim: usize) -> Tensor<D> {
        match self {
            Self::Summed => values,
            Self::Last => {
                let horizon = values.dims()[dim];
                values.narrow(dim, horizon - 1, 1)
            }
        }
    }
}
