//! Rows of results: sums over places of the kernel, and their way to planes.
//!
//! # Safety
//! See [`super`].
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::super::amx::{BLOCK, Step, Tiles};
use super::super::super::vectors::round;
use super::layout::Square;
use super::{GROUP, RIGHT};

/// Pixels that are taken to planes together.
pub(super) const CHUNK: usize = 16;
/// Numbers of the sums of a pixel: two tiles.
const PIXEL: usize = GROUP * BLOCK;
/// Bytes of the sums that are kept until they are taken to planes, about: part of the second cache. The more of a plane is written at a
/// time, the better its memory is foreseen.
const STRIP: usize = 1 << 19;

/// Sums of some rows of results: `[blocks, pixels, 2, GROUP, 16]`, for every block of channels, for every pixel, two tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strip {
    /// Rows of a strip, at most.
    pub(super) rows: usize,
    /// Pixels of a row.
    columns: usize,
    /// Room for the pixels of a block.
    pixels: usize,
    blocks: usize,
}

impl Strip {
    /// Strips of a result of this size, with so many blocks of channels.
    pub(super) fn new([rows, columns]: [usize; 2], blocks: usize) -> Self {
        let most = (STRIP / (blocks * columns * PIXEL * size_of::<f32>())).clamp(1, rows);
        // Strips of nearly one height; the last pixel is for sums that nobody reads.
        let rows = rows.div_ceil(rows.div_ceil(most));
        Self { rows, columns, pixels: (rows * columns).next_multiple_of(CHUNK) + 1, blocks }
    }

    /// Numbers of all sums.
    pub(super) fn count(&self) -> usize {
        self.blocks * self.pixels * PIXEL
    }

    /// Writes the sums of pixels of a row in a block: `count` of them, `step` apart, from `place` on. The first reads from `left` on.
    ///
    /// # Safety
    /// Tiles are supported; what the steps name is there.
    pub(super) unsafe fn write(
        &self,
        tiles: &mut Tiles,
        row: Row<'_>,
        left: *const u16,
        weights: *const u16,
        [block, place, step, count]: [usize; 4],
        sums: &mut [f32],
    ) {
        assert!(
            sums.len() == self.count() && (count == 0 || place + (count - 1) * step + 1 < self.pixels),
            "the sums of a row"
        );
        let pixel = |index: usize| (block * self.pixels + index) * PIXEL;
        for index in (0..count).step_by(2) {
            // The second pixel of the last pair is the first once more where there is none.
            let (next, second) =
                if index + 1 < count { (row.pixel, place + (index + 1) * step) } else { (0, self.pixels - 1) };
            // SAFETY: tiles are supported, what the steps name is there, and the sums of both pixels are inside by the assertion.
            unsafe {
                let left = left.cast::<u8>().add(index * row.pixel).cast();
                let out = [place + index * step, second].map(|index| sums.as_mut_ptr().add(pixel(index)));
                tiles.gather(row.steps, left, [row.image, next], weights, out);
            }
        }
    }

    /// The sums of `rows` rows to `give`: the image, the channel, the first of at most sixteen pixels, counted over the rows, how many
    /// there are, and the numbers.
    ///
    /// # Safety
    /// The processor has AVX-512.
    #[inline(always)]
    pub(super) unsafe fn read(
        &self,
        rows: usize,
        images: usize,
        channels: usize,
        sums: &[f32],
        mut give: impl FnMut([usize; 4], &mut [f32; CHUNK]),
    ) {
        assert!(sums.len() == self.count() && rows <= self.rows, "the sums of {rows} rows");
        let mut square = Square::ZERO;
        let halves = (0..2 * self.blocks).filter(|half| half * 16 < channels);
        for (image, half) in (0..images).flat_map(|image| halves.clone().map(move |half| (image, half))) {
            let start = (half / 2 * self.pixels * 2 + half % 2) * PIXEL / 2 + image * 16;
            for first in (0..rows * self.columns).step_by(CHUNK) {
                let there = CHUNK.min(rows * self.columns - first);
                // SAFETY: AVX-512 is supported; the chunk's pixels are among those of the block, sixteen numbers of the image in each.
                unsafe { square.gather(sums.as_ptr().add(start + first * PIXEL), PIXEL) };
                for (channel, numbers) in (half * 16..channels).zip(&mut square.0) {
                    give([image, channel, first, there], numbers);
                }
            }
        }
    }
}

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

/// Writes the first numbers of a chunk, as many as `out` has room for.
///
/// # Safety
/// The processor has AVX-512.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) unsafe fn write(numbers: &[f32; CHUNK], out: &mut [f32]) {
    let mask = u16::MAX >> (CHUNK - out.len().min(CHUNK));
    // SAFETY: a chunk is a vector, and the numbers under the mask are inside `out`.
    unsafe { _mm512_mask_storeu_ps(out.as_mut_ptr(), mask, _mm512_loadu_ps(numbers.as_ptr())) };
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
                *number = (round(weight(step, k, column)) >> 16) as u16;
            }
        }
    }
    packed
}
