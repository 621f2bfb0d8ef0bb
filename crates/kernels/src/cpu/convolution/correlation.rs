//! Sums over the places of a kernel for vectors of neighbouring pixels.
#![allow(unsafe_code)]

use super::super::level::Work;
use super::super::vectors::{MOST_ROWS, OfHeight, Vectors, add_products, blocks, of_height};

/// Units of an image that are read again and again: they stay in the second cache.
const STRIP: usize = 1 << 15;

/// Pixels of a row that are computed together: a vector of them, or half of one if that leaves less of the last vector empty.
pub(super) fn together<V: Vectors>(width: usize) -> usize {
    let half = V::LANES / 2;
    if width.next_multiple_of(half) < width.next_multiple_of(V::LANES) { half } else { V::LANES }
}

/// Sums over the places of a kernel: `out[row, y, x] = sum_k weights[row, k] source[y pitch + x + offsets[k]]`.
#[derive(Debug)]
pub(super) struct Correlation<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    /// Rows of weights.
    rows: usize,
    /// `[blocks, k, ROWS]`: the rows of each block.
    weights: Vec<V::Unit>,
    offsets: Vec<usize>,
    /// Rows and columns of pixels.
    pub(super) extent: [usize; 2],
    pitch: usize,
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Correlation<V, ROWS, COLUMNS> {
    pub(super) fn new(
        [rows, depth]: [usize; 2],
        weight: impl Fn(usize, usize) -> V::Unit,
        offset: impl Fn(usize) -> usize,
        extent: [usize; 2],
        pitch: usize,
    ) -> Self {
        let mut weights = Vec::with_capacity(rows.div_ceil(ROWS) * depth * ROWS);
        for (top, end) in blocks(rows, ROWS) {
            for k in 0..depth {
                weights.extend((top..top + ROWS).map(|row| if row < end { weight(row, k) } else { V::Unit::default() }));
            }
        }
        Self { rows, weights, offsets: (0..depth).map(offset).collect(), extent, pitch }
    }

    /// Calls `store` with row, y, x and the sums of pixels from there on, at most a vector.
    #[inline(always)]
    pub(super) fn run(&self, source: &[V::Unit], mut store: impl FnMut(usize, usize, usize, &[f32])) {
        let ([height, width], depth) = (self.extent, self.offsets.len());
        let together = together::<V>(width);
        let groups = width.div_ceil(together);
        if height == 0 || groups == 0 {
            return;
        }
        let farthest = self.offsets.iter().copied().max().unwrap_or(0);
        assert!(
            (height - 1) * self.pitch + farthest + groups * together <= source.len(),
            "an image of {} units",
            source.len()
        );
        let mut sums = [[0.0; COLUMNS]; MOST_ROWS];
        // Rows share lines of the image with their neighbours only.
        let strip = (STRIP / (source.len() / height).max(1)).max(2);
        for first in (0..height).step_by(strip) {
            let last = (first + strip).min(height) * groups;
            for (block, (top, end)) in blocks(self.rows, ROWS).enumerate() {
                let weights = &self.weights[block * depth * ROWS..][..depth * ROWS];
                for group in (first * groups..last).step_by(COLUMNS / together) {
                    // If there are no more groups the last one is computed again.
                    let place = |index: usize| {
                        let group = (group + index).min(last - 1);
                        (group / groups, group % groups * together)
                    };
                    let bases = [0, 1, 2, 3].map(|quarter| {
                        let (y, x) = place(quarter * (V::LANES / 2) / together);
                        y * self.pitch + x
                    });
                    let (offsets, whole) = (self.offsets.as_slice(), together == V::LANES);
                    let block = Block::<V, ROWS, COLUMNS> { weights, offsets, source, bases, whole, sums: &mut sums };
                    // SAFETY: the level says that the processor has the vectors, and the last unit of the farthest place was found to
                    // be inside.
                    unsafe { of_height(end - top, block) };
                    for (row, sums) in (top..end).zip(&sums) {
                        for (index, sums) in sums.chunks_exact(together).enumerate() {
                            let (y, x) = place(index);
                            store(row, y, x, &sums[..together.min(width - x)]);
                        }
                    }
                }
            }
        }
    }
}

/// The sums of some rows for two vectors of pixels.
struct Block<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    weights: &'a [V::Unit],
    offsets: &'a [usize],
    source: &'a [V::Unit],
    /// Where the halves of both vectors begin.
    bases: [usize; 4],
    /// Whether the halves of a vector are neighbours.
    whole: bool,
    sums: &'a mut [[f32; COLUMNS]; MOST_ROWS],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> OfHeight for Block<'_, V, ROWS, COLUMNS> {
    #[inline(always)]
    unsafe fn run<const HEIGHT: usize>(self) {
        // SAFETY: the caller's.
        unsafe { V::enter(BlockOf::<V, ROWS, COLUMNS, HEIGHT>(self)) };
    }
}

/// [`Block`] of so many rows.
struct BlockOf<'a, V: Vectors, const ROWS: usize, const COLUMNS: usize, const HEIGHT: usize>(Block<'a, V, ROWS, COLUMNS>);

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize, const HEIGHT: usize> Work
    for BlockOf<'_, V, ROWS, COLUMNS, HEIGHT>
{
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Block { weights, offsets, source, bases, whole, sums } = self.0;
        assert!(HEIGHT <= ROWS && weights.len() == offsets.len() * ROWS, "the weights of a block");
        let weights = weights.as_ptr();
        // SAFETY: work for these vectors was entered, and the caller says that the units behind every offset are there.
        unsafe {
            let starts = bases.map(|base| source.as_ptr().add(base));
            let left = |step: usize, row: usize| weights.add(step * ROWS + row);
            let zeros = [[V::zero(); 2]; HEIGHT];
            let totals = if whole {
                let right = |step: usize| {
                    let offset = *offsets.get_unchecked(step);
                    [V::load(starts[0].add(offset)), V::load(starts[2].add(offset))]
                };
                add_products::<V, HEIGHT>(offsets.len(), left, right, zeros)
            } else {
                let right = |step: usize| {
                    let starts = starts.map(|start| start.add(*offsets.get_unchecked(step)));
                    [V::load_halves([starts[0], starts[1]]), V::load_halves([starts[2], starts[3]])]
                };
                add_products::<V, HEIGHT>(offsets.len(), left, right, zeros)
            };
            for (totals, sums) in totals.into_iter().zip(sums) {
                V::write(totals[0], sums.as_mut_ptr());
                V::write(totals[1], sums.as_mut_ptr().add(V::LANES));
            }
        }
    }
}
