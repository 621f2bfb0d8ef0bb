//! How exact products are.

use std::fmt;

use serde::{Deserialize, Serialize};

#[cfg(target_arch = "x86_64")]
use super::amx::{DEPTH, TILE};

/// How exact products are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// As float32's; in configurations `float32`, or `f32` for short.
    #[default]
    #[serde(rename = "float32", alias = "f32")]
    Float32,
    /// Operands rounded to bfloat16, sums in float32; in configurations `bf16`.
    #[serde(rename = "bf16")]
    Bfloat16,
}

impl fmt::Display for Precision {
    /// The name in configurations.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

#[cfg(target_arch = "x86_64")]
impl Precision {
    /// Numbers of a packed panel of 32 rows (or columns) and this depth.
    pub(crate) fn panel(self, depth: usize) -> usize {
        let parts = match self {
            Self::Float32 => 3,
            Self::Bfloat16 => 1,
        };
        depth.div_ceil(DEPTH) * parts * 2 * TILE
    }
}
