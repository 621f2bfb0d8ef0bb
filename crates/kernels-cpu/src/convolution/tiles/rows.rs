//! A row of results: sums over places of the kernel, and their way to planes.
//!
//! # Safety
//! See [`super`].
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::super::amx::{BLOCK, Step, Tiles};
use super::layout::Square;
use super::{GROUP, RIGHT};

/// Pixels whose sums are kept until they are taken to planes.
pub(super) const CHUNK: usize = 16;
/// Numbers of the sums of a pixel: two tiles.
const PIXEL: usize = GROUP * BLOCK;
/// Numbers of the sums of a chunk.
pub(super) const CHUNK_SUMS: usize = CHUNK * PIXEL;

/// How the pixels of a row are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    /// What is under a pixel: left tiles from the first pixel on, right ones from the weights of a block.
    pub(super) steps: &'a [Step],
    /// Bytes from one image to the next.
    pub(super) image: usize,
    /// Bytes from one pixel to the next.
    pub(super) pixel: usize,
}

impl Row<'_> {
    /// Writes the sums of `count` pixels, the first of which reads from `left` on, `[pixel, 2, GROUP, 16]`.
    ///
    /// # Safety
    /// Tiles are supported; what the steps name is there.
    pub(super) unsafe fn sums(
        &self,
        tiles: &mut Tiles,
        left: *const u16,
        count: usize,
        weights: *const u16,
        out: &mut [f32; CHUNK_SUMS],
    ) {
        let (pairs, _) = out.as_chunks_mut::<{ 2 * PIXEL }>();
        for (index, out) in pairs.iter_mut().enumerate().take(count.div_ceil(2)) {
            // The second pixel of the last pair is the first once more where there is none.
            let next = if 2 * index + 1 < count { self.pixel } else { 0 };
            // SAFETY: tiles are supported, and what the steps name is there.
            unsafe {
                let left = left.cast::<u8>().add(2 * index * self.pixel).cast();
                tiles.gather(self.steps, left, [self.image, next], weights, out);
            }
        }
    }
}

/// Writes the sums of sixteen pixels of an image in the sixteen channels of tile `half`: a row of pixels for each channel.
///
/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) unsafe fn channels(sums: &[f32; CHUNK_SUMS], image: usize, half: usize, out: &mut Square) {
    let start = (half * GROUP + image) * 16;
    // SAFETY: sixteen numbers are at each of these places of `sums`; a row is a vector.
    unsafe {
        for (pixel, row) in out.0.iter_mut().enumerate() {
            _mm512_store_ps(row.as_mut_ptr(), _mm512_loadu_ps(sums.as_ptr().add(pixel * PIXEL + start)));
        }
        out.transpose();
    }
}

/// Weights as right tiles: for every two tiles of columns, for every step, both tiles. `weight(step, k, column)` is the number that
/// multiplies number `k` of 32 in a row of a left tile.
pub(super) fn pack(steps: usize, columns: usize, weight: impl Fn(usize, usize, usize) -> f32) -> Vec<u16> {
    let mut packed = vec![0; columns.div_ceil(BLOCK) * steps * RIGHT];
    for (index, tiles) in packed.chunks_exact_mut(RIGHT).enumerate() {
        let (block, step) = (index / steps, index % steps);
        for (place, number) in tiles.iter_mut().enumerate() {
            let (half, place) = (place / 512, place % 512);
            let (k, column) = (place / 32 * 2 + place % 2, block * BLOCK + half * 16 + place % 32 / 2);
            if column < columns {
                *number = rounded(weight(step, k, column));
            }
        }
    }
    packed
}

/// A number as bfloat16, rounded to nearest, ties to even.
fn rounded(number: f32) -> u16 {
    let bits = number.to_bits();
    ((bits.wrapping_add(0x7fff + (bits >> 16 & 1))) >> 16) as u16
}

/// Sums of a chunk, aligned.
#[repr(align(64))]
pub(super) struct ChunkSums(pub(super) [f32; CHUNK_SUMS]);
