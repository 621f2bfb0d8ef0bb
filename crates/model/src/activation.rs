//! Pointwise non-linearities that a configuration can name.

use prevision_kernels as kernels;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `max(x, 0)`; the fastest on a CPU.
    Relu,
    /// Gaussian error linear unit, exact (with the error function).
    Gelu,
}

impl Activation {
    /// The same for the kernels.
    pub(crate) fn kernel(self) -> kernels::Activation {
        match self {
            Self::Relu => kernels::Activation::Relu,
            Self::Gelu => kernels::Activation::Gelu,
        }
    }
}
