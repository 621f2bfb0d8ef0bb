//! Sums over the places of a kernel for vectors of neighbouring pixels.
#![allow(unsafe_code)]

use super::super::Precision;
use super::super::level::Work as _;
use super::super::math::fma;
use super::super::product::{ROWS, Round, blocks};

/// Neighbouring pixels that are computed together.
pub(super) const LANES: usize = 8;
/// Numbers of an image that are read again and again: they stay in the second cache.
const STRIP: usize = 1 << 15;

/// Sums over the places of a kernel: `out[row, y, x] = sum_k weights[row, k] source[y pitch + x + offsets[k]]`.
#[derive(Debug)]
pub(super) struct Correlation {
    /// Rows of weights.
    rows: usize,
    /// `[blocks, k, ROWS]`: the rows of each block.
    weights: Vec<f32>,
    offsets: Vec<usize>,
    /// Rows and columns of pixels.
    pub(super) extent: [usize; 2],
    pitch: usize,
}

impl Correlation {
    pub(super) fn new(
        precision: Precision,
        [rows, depth]: [usize; 2],
        weight: impl Fn(usize, usize) -> f32,
        offset: impl Fn(usize) -> usize,
        extent: [usize; 2],
        pitch: usize,
    ) -> Self {
        let mut weights = Vec::with_capacity(rows.div_ceil(ROWS) * depth * ROWS);
        for (top, end) in blocks(rows) {
            for k in 0..depth {
                weights.extend((top..top + ROWS).map(|row| if row < end { weight(row, k) } else { 0.0 }));
            }
        }
        if precision == Precision::Bfloat16 {
            Round(&mut weights).run::<false>();
        }
        Self { rows, weights, offsets: (0..depth).map(offset).collect(), extent, pitch }
    }

    /// Calls `store` with row, y, x and the sums of pixels from there on, at most [`LANES`].
    #[inline(always)]
    pub(super) fn run<const FUSED: bool>(&self, source: &[f32], mut store: impl FnMut(usize, usize, usize, &[f32])) {
        let ([height, width], depth) = (self.extent, self.offsets.len());
        let groups = width.div_ceil(LANES);
        if height == 0 || groups == 0 {
            return;
        }
        let farthest = self.offsets.iter().copied().max().unwrap_or(0);
        assert!(
            (height - 1) * self.pitch + farthest + groups * LANES <= source.len(),
            "an image of {} numbers",
            source.len()
        );
        // Rows share lines of the image with their neighbours only.
        let strip = (STRIP / (source.len() / height).max(1)).max(2);
        for first in (0..height).step_by(strip) {
            let last = (first + strip).min(height) * groups;
            for (block, (top, end)) in blocks(self.rows).enumerate() {
                let weights = &self.weights[block * depth * ROWS..][..depth * ROWS];
                for group in (first * groups..last).step_by(2) {
                    // Of an odd number of groups the last one is computed twice.
                    let pair = [group, (group + 1).min(last - 1)].map(|group| (group / groups, group % groups * LANES));
                    let bases = pair.map(|(y, x)| y * self.pitch + x);
                    // SAFETY: the last number of the farthest place was found to be inside.
                    let sums = unsafe { self.block::<FUSED>(end - top, weights, source, bases) };
                    for (row, sums) in (top..end).zip(&sums) {
                        for ((y, x), sums) in pair.into_iter().zip(sums) {
                            store(row, y, x, &sums[..LANES.min(width - x)]);
                        }
                    }
                }
            }
        }
    }

    /// The sums of some rows for two groups of pixels.
    ///
    /// # Safety
    /// `source` has [`LANES`] numbers from either base on behind every offset.
    #[inline(always)]
    unsafe fn block<const FUSED: bool>(
        &self,
        rows: usize,
        weights: &[f32],
        source: &[f32],
        bases: [usize; 2],
    ) -> [[[f32; LANES]; 2]; ROWS] {
        // SAFETY: the caller's.
        unsafe {
            match rows {
                1 => self.block_of::<FUSED, 1>(weights, source, bases),
                2 => self.block_of::<FUSED, 2>(weights, source, bases),
                3 => self.block_of::<FUSED, 3>(weights, source, bases),
                4 => self.block_of::<FUSED, 4>(weights, source, bases),
                5 => self.block_of::<FUSED, 5>(weights, source, bases),
                _ => self.block_of::<FUSED, ROWS>(weights, source, bases),
            }
        }
    }

    #[inline(always)]
    unsafe fn block_of<const FUSED: bool, const HEIGHT: usize>(
        &self,
        weights: &[f32],
        source: &[f32],
        bases: [usize; 2],
    ) -> [[[f32; LANES]; 2]; ROWS] {
        let mut totals = [[[0.0; LANES]; 2]; HEIGHT];
        let (weights, _) = weights.as_chunks::<ROWS>();
        for (weights, offset) in weights.iter().zip(&self.offsets) {
            // SAFETY: the caller says that these numbers are there.
            let pixels = bases.map(|base| unsafe { *source.as_ptr().add(base + offset).cast::<[f32; LANES]>() });
            for (totals, weight) in totals.iter_mut().zip(weights) {
                for (totals, pixels) in totals.iter_mut().zip(&pixels) {
                    for (total, pixel) in totals.iter_mut().zip(pixels) {
                        *total = fma::<FUSED>(*weight, *pixel, *total);
                    }
                }
            }
        }
        let mut sums = [[[0.0; LANES]; 2]; ROWS];
        sums[..HEIGHT].copy_from_slice(&totals);
        sums
    }
}
