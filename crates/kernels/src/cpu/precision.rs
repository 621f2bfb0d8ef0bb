//! How exact products are.

#[cfg(target_arch = "x86_64")]
use super::amx::{DEPTH, TILE};

/// How exact products are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// As float32's.
    Float32,
    /// Operands rounded to bfloat16, sums in float32.
    Bfloat16,
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
