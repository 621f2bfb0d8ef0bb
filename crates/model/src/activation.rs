//! Pointwise non-linearities that a configuration can name.

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `max(x, 0)`; the fastest on a CPU.
    Relu,
    /// Gaussian error linear unit, exact (with the error function).
    Gelu,
}

impl Activation {
    /// Applies the function to every element.
    ///
    /// # Shapes
    /// - any shape; the output has the same
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(x),
            Self::Gelu => activation::gelu(x),
        }
    }
}
