//! Which instructions a product runs on.

use super::super::level::Instructions;
use super::{Level, Precision};

/// Depths and columns of a right operand from which a product of float32 is faster on tiles than on vectors: to cut numbers into parts
/// and to lay them out for tiles is work that few products with each of them do not repay.
const WIDE: [[usize; 2]; 3] = [[32, 128], [256, 64], [1024, 32]];

/// The same of a product in bfloat16, where what it is compared with is float32 on vectors.
const WIDE_ROUNDED: [[usize; 2]; 3] = [[16, 128], [24, 17], [64, 1]];

/// The level at which a product with a right operand of these sizes is done when this precision is asked for, and the precision in which it
/// is done: those that do not lose to others. Where laying out for tiles costs more than they save, that is float32 whatever is asked for:
/// bfloat16 is there for speed.
///
/// `prevision bench routes` measures it; the numbers behind it are in `docs/src/kernels.md`. The rows of the left operand have no
/// say, so that a row's result does not depend on how many others are beside it, unless the product is so deep that its depth is shared.
pub fn route(level: Level, precision: Precision, [depth, columns]: [usize; 2]) -> (Level, Precision) {
    if !level.has_tiles() {
        return (level, precision);
    }
    let from: &[[usize; 2]] = match precision {
        Precision::Float32 => &WIDE,
        Precision::Bfloat16 => &WIDE_ROUNDED,
    };
    if from.iter().any(|least| depth >= least[0] && columns >= least[1]) {
        return (level, precision);
    }
    (level.at_most(Instructions::Avx512), Precision::Float32)
}
