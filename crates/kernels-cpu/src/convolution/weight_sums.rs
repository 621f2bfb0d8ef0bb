//! Sums over pixels: the gradients of weights.
//!
//! # Safety
//! A [`Block`] is run where the vectors are *supported* (see [`vectors`](super::super::vectors)) and its pixels are
//! *inside*: the image has those of all its rows, `pitch` apart, from each offset on.
#![allow(unsafe_code)]

use super::super::level::Vectorised;
use super::super::product::prefetch;
use super::super::vectors::{Vectors, WithHeight, add_products, blocks, with_height};

/// Units of gradients whose part of the weight gradient is added up in registers: they stay in the first cache.
const STRIP: usize = 1 << 12;

/// Sums over pixels: `sums[column, offset] = sum_(y, x) image[offset + y pitch + x] panels[column, y, x]`.
pub(super) struct WeightSums<'a, V: Vectors> {
    pub(super) image: &'a [V::Element],
    /// Between rows of the image.
    pub(super) pitch: usize,
    pub(super) offsets: &'a [usize],
    /// `[columns / COLUMNS, height, width, COLUMNS]`
    pub(super) panels: &'a [V::Element],
    /// Rows and columns of pixels.
    pub(super) extent: [usize; 2],
    /// Those that count.
    pub(super) used: [usize; 2],
    /// What the processor fetches meanwhile, because it is needed next.
    pub(super) ahead: [&'a [f32]; 2],
}

impl<V: Vectors> WeightSums<'_, V> {
    /// Adds to `sums`, `[columns / COLUMNS, offsets, COLUMNS]`. To be inlined into work for the vectors.
    #[inline(always)]
    pub(super) fn add<const ROWS: usize, const COLUMNS: usize>(self, sums: &mut [f32]) {
        let Self { image, pitch, offsets, panels, extent, used: [height, width], ahead } = self;
        let (all, depth) = (extent[0] * extent[1] * COLUMNS, offsets.len());
        let Some(farthest) = offsets.iter().max() else { return };
        assert!((height - 1) * pitch + farthest + width <= image.len(), "an image of {} elements", image.len());
        let strip = (STRIP / (width * COLUMNS)).max(1);
        let tasks = height.div_ceil(strip) * (panels.len() / all) * depth.div_ceil(ROWS);
        let portion = ahead.iter().map(|ahead| ahead.len()).sum::<usize>().div_ceil(tasks).max(1);
        let mut ahead = ahead.into_iter().flat_map(|ahead| ahead.chunks(portion));
        for first in (0..height).step_by(strip) {
            let rows = strip.min(height - first);
            let image = &image[first * pitch..];
            for (panel, sums) in panels.chunks_exact(all).zip(sums.chunks_exact_mut(depth * COLUMNS)) {
                let panel = &panel[first * width * COLUMNS..][..rows * width * COLUMNS];
                for (top, end) in blocks(depth, ROWS) {
                    let (sums, offsets) = (&mut sums[top * COLUMNS..end * COLUMNS], &offsets[top..end]);
                    let (extent, ahead) = ([rows, width], ahead.next().unwrap_or_default());
                    let block = Block::<V, COLUMNS> { image, pitch, panel, extent, offsets, sums, ahead };
                    // SAFETY: the vectors are supported; the pixels are inside, since the last of the farthest place is
                    // by the assertion.
                    unsafe { with_height(end - top, block) };
                }
            }
        }
    }
}

/// What some rows of pixels give to the gradients of the weights at some places of the kernel.
struct Block<'a, V: Vectors, const COLUMNS: usize> {
    image: &'a [V::Element],
    /// Between rows of the image.
    pitch: usize,
    panel: &'a [V::Element],
    /// Rows and columns of pixels.
    extent: [usize; 2],
    offsets: &'a [usize],
    sums: &'a mut [f32],
    ahead: &'a [f32],
}

impl<V: Vectors, const COLUMNS: usize> WithHeight for Block<'_, V, COLUMNS> {
    #[inline(always)]
    unsafe fn run<const HEIGHT: usize>(self) {
        // SAFETY: the vectors are supported.
        unsafe { V::vectorise(BlockOf::<V, COLUMNS, HEIGHT>(self)) };
    }
}

/// [`Block`] of so many places.
struct BlockOf<'a, V: Vectors, const COLUMNS: usize, const HEIGHT: usize>(Block<'a, V, COLUMNS>);

impl<V: Vectors, const COLUMNS: usize, const HEIGHT: usize> Vectorised for BlockOf<'_, V, COLUMNS, HEIGHT> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Block { image, pitch, panel, extent: [rows, width], offsets, sums, ahead } = self.0;
        let mut ahead = ahead.chunks(ahead.len().div_ceil(rows).max(1));
        let offsets: &[usize; HEIGHT] = offsets.try_into().expect("as many offsets as rows");
        let (sums, _) = sums.as_chunks_mut::<COLUMNS>();
        assert!(sums.len() == HEIGHT && panel.len() == rows * width * COLUMNS, "the sums and gradients of a block");
        // SAFETY: the vectors are supported; the pixels are inside; the panel has all pixels and the sums have all
        // places by the assertion.
        unsafe {
            let mut totals: [[V::Sums; 2]; HEIGHT] =
                std::array::from_fn(|row| [V::read(sums[row].as_ptr()), V::read(sums[row].as_ptr().add(V::LANES))]);
            let mut starts = offsets.map(|offset| image.as_ptr().add(offset));
            let mut panel = panel.as_ptr();
            for _ in 0..rows {
                prefetch(ahead.next().unwrap_or_default());
                totals = add_products::<V, HEIGHT, 2>(
                    width,
                    |x, row| starts[row].add(x),
                    |x| [0, 1].map(|half| V::load(panel.add(x * COLUMNS + half * V::LANES))),
                    totals,
                );
                starts = starts.map(|start| start.wrapping_add(pitch));
                panel = panel.wrapping_add(width * COLUMNS);
            }
            for (totals, sums) in totals.into_iter().zip(sums) {
                V::write(totals[0], sums.as_mut_ptr());
                V::write(totals[1], sums.as_mut_ptr().add(V::LANES));
            }
        }
    }
}
