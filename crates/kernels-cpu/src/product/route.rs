//! Which instructions a product runs on.

use super::super::level::Instructions;
use super::{Level, Precision};

/// Depths and columns of a right operand from which a product of float32 is faster on tiles than on vectors: to cut numbers into parts
/// and to lay them out for tiles is work that few products with each of them do not repay.
const WIDE: [[usize; 2]; 3] = [[32, 128], [256, 64], [1024, 32]];

/// The level at which a product with a right operand of these sizes is done in this precision: the highest that does not lose to a lower
/// one. `prevision bench routes` measures it; the numbers behind it are in `docs/src/kernels.md`. The rows of the left operand have no
/// say, so that a row's result does not depend on how many others are beside it, unless the product is so deep that its depth is shared.
pub fn route(level: Level, precision: Precision, [depth, columns]: [usize; 2]) -> Level {
    if !level.has_tiles() {
        return level;
    }
    let tiles = match precision {
        Precision::Float32 => WIDE.iter().any(|least| depth >= least[0] && columns >= least[1]),
        Precision::Bfloat16 => true,
    };
    if tiles { level } else { level.at_most(Instructions::Avx512) }
}
