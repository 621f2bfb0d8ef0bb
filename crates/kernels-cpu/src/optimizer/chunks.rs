//! How parameters are cut: into chunks of a fixed length, so that results do not depend on the number of threads.

use super::super::level::Vectorised;

/// Numbers in a chunk: four arrays of them fit into a core's second cache.
pub(super) const CHUNK: usize = 1 << 14;

/// The sum of squares of some numbers.
///
/// Summed in lanes, which a compiler turns into vectors, and the lanes in double precision.
pub(super) struct SumOfSquares<'a>(pub(super) &'a [f32]);

impl Vectorised for SumOfSquares<'_> {
    type Output = f64;

    // Never with fused multiply-adds: the same number at every level.
    #[inline(always)]
    fn run<const FUSED: bool>(self) -> f64 {
        const LANES: usize = 64;
        let mut lanes = [0.0_f32; LANES];
        let (chunks, rest) = self.0.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane += value * value;
            }
        }
        for (lane, value) in lanes.iter_mut().zip(rest) {
            *lane += value * value;
        }
        lanes.iter().map(|&lane| f64::from(lane)).sum()
    }
}
