//! Rounding to bfloat16.

use super::super::level::Work;

/// Rounds numbers to bfloat16, ties to even.
pub(crate) struct Round<'a>(pub(crate) &'a mut [f32]);

impl Work for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for value in self.0 {
            let bits = value.to_bits();
            *value = f32::from_bits(bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000);
        }
    }
}
