//! Sums over the places of a kernel for vectors of neighbouring pixels.
//!
//! # Safety
//! A [`Block`] is run where the vectors are *supported* (see [`vectors`](super::super::vectors)), its elements are
//! *inside*: half a vector (a whole one where the halves are neighbours) is in `source` at each base plus each offset,
//! and its target has *room* for two vectors in each of its rows.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::Precision;
use super::super::level::Vectorised;
use super::super::product::prefetch;
use super::super::vectors::{Element, MOST_ROWS, Vectors, WithHeight, add_products, blocks, with_height};

/// Units of an image that are read again and again: they stay in the second cache.
const STRIP: usize = 1 << 15;

/// Portions in which a block of sums has the processor fetch what is needed next: more at once than it can wait for would hold it up.
const FETCHES: usize = 4;

/// Pixels of a row that are computed together: a vector of them, or half of one if that leaves less of the last vector empty.
pub(super) fn together<V: Vectors>(width: usize) -> usize {
    let half = V::LANES / 2;
    if width.next_multiple_of(half) < width.next_multiple_of(V::LANES) { half } else { V::LANES }
}

/// What is done to sums in registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends<'a> {
    /// The number of each row that its sums begin with.
    pub(super) bias: Option<&'a [f32]>,
    /// What sums are at least.
    pub(super) floor: f32,
}

impl Ends<'_> {
    /// Nothing.
    pub(super) const NONE: Self = Self { bias: None, floor: f32::NEG_INFINITY };
}

/// Sums over the places of a kernel: `out[row, y, x] = sum_k weights[row, k] source[y pitch + x + offsets[k]]`.
#[derive(Debug)]
pub(super) struct Correlation<V: Vectors, const ROWS: usize, const COLUMNS: usize> {
    /// Rows of weights.
    rows: usize,
    /// `[blocks, k, ROWS]`: the rows of each block.
    weights: Vec<V::Element>,
    offsets: Vec<usize>,
    /// Where the pixels of each group that is computed together begin, row after row.
    groups: Vec<usize>,
    /// Rows and columns of pixels.
    pub(super) extent: [usize; 2],
}

impl<V: Vectors, const ROWS: usize, const COLUMNS: usize> Correlation<V, ROWS, COLUMNS> {
    /// `weight` says for each place and kind of number in an element where the weight of the first row is, if there is
    /// one; those of the others are `weight_pitch` numbers apart.
    pub(super) fn new(
        precision: Precision,
        [rows, depth]: [usize; 2],
        weights: &[f32],
        weight_pitch: usize,
        weight: impl Fn(usize, usize) -> Option<usize>,
        offset: impl Fn(usize) -> usize,
        extent: [usize; 2],
        pitch: usize,
    ) -> Self {
        let places: Vec<[Option<usize>; 2]> = (0..depth).map(|k| [0, 1].map(|kind| weight(k, kind))).collect();
        let element = |row: usize, place: &[Option<usize>; 2]| {
            let number = |place: Option<usize>| place.map_or(0.0, |place| weights[row * weight_pitch + place]);
            V::Element::join(precision, place.map(number))
        };
        let mut weights = Vec::with_capacity(rows.div_ceil(ROWS) * depth * ROWS);
        for (top, end) in blocks(rows, ROWS) {
            for place in &places {
                weights.extend(
                    (top..top + ROWS).map(|row| if row < end { element(row, place) } else { V::Element::default() }),
                );
            }
        }
        let along = (0..extent[1]).step_by(together::<V>(extent[1]));
        let groups = (0..extent[0]).flat_map(|y| along.clone().map(move |x| y * pitch + x)).collect();
        Self { rows, weights, offsets: (0..depth).map(offset).collect(), groups, extent }
    }

    /// Number of all sums.
    pub(super) fn len(&self) -> usize {
        self.rows * self.extent[0] * self.extent[1]
    }

    /// Writes `out`, `[rows, height, width]`, and has the processor fetch `ahead`, which is needed next. `finish` gets the sums of some
    /// rows of weights, rows and their pixels, while they are in the cache.
    #[inline(always)]
    pub(super) fn run(
        &self,
        source: &[V::Element],
        ahead: &[f32],
        ends: Ends<'_>,
        out: &mut [f32],
        mut finish: impl FnMut(&mut [f32], Range<usize>, Range<usize>),
    ) {
        let ([height, width], depth) = (self.extent, self.offsets.len());
        let together = together::<V>(width);
        let (Some(last_offset), Some(last_group)) = (self.offsets.iter().max(), self.groups.last()) else {
            out.fill(0.0);
            return;
        };
        assert!(last_offset + last_group + together <= source.len(), "an image of {} elements", source.len());
        let pixels = height * width;
        assert_eq!(out.len(), self.rows * pixels, "the sums of an image");
        assert!(ends.bias.is_none_or(|bias| bias.len() == self.rows), "a number for each row");
        let along = self.groups.len() / height;
        let mut sums = [[0.0; COLUMNS]; MOST_ROWS];
        let tasks = (self.groups.len() * together).div_ceil(COLUMNS) * self.rows.div_ceil(ROWS);
        let mut ahead = ahead.chunks(ahead.len().div_ceil(tasks).max(1));
        // Rows share lines of the image with their neighbours only.
        let strip = (STRIP / (source.len() / height).max(1)).max(2);
        for first in (0..height).step_by(strip) {
            let end_of_strip = (first + strip).min(height);
            let groups = &self.groups[first * along..end_of_strip * along];
            for (block, (top, end)) in blocks(self.rows, ROWS).enumerate() {
                let weights = &self.weights[block * depth * ROWS..][..depth * ROWS];
                for (index, bases) in groups.chunks(COLUMNS / together).enumerate() {
                    let index = first * along + index * (COLUMNS / together);
                    // If there are not enough groups the last one is computed again.
                    let base = |quarter: usize| bases[(quarter * (V::LANES / 2) / together).min(bases.len() - 1)];
                    // Sums of whole groups are neighbours in the result.
                    let whole = width.is_multiple_of(together) && bases.len() * together == COLUMNS;
                    let target = if whole {
                        let place = top * pixels + index * together;
                        assert!(place + (end - top - 1) * pixels + COLUMNS <= out.len(), "room for sums");
                        (out[place..].as_mut_ptr(), pixels)
                    } else {
                        (sums.as_flattened_mut().as_mut_ptr(), COLUMNS)
                    };
                    let block = Block::<V, ROWS> {
                        weights,
                        offsets: &self.offsets,
                        source,
                        bases: [base(0), base(1), base(2), base(3)],
                        neighbours: together == V::LANES,
                        target,
                        bias: ends.bias.map_or(&[0.0; MOST_ROWS][..end - top], |bias| &bias[top..end]),
                        floor: ends.floor,
                        ahead: ahead.next().unwrap_or_default(),
                    };
                    // SAFETY: the vectors are supported; the elements are inside, since the last of the farthest place
                    // is by the first assertion; the result has room by the last assertion, and `sums` by its size.
                    unsafe { with_height(end - top, block) };
                    if whole {
                        continue;
                    }
                    for (row, sums) in (top..end).zip(&sums) {
                        for (group, sums) in (index..index + bases.len()).zip(sums.chunks_exact(together)) {
                            let (y, x) = (group / along, group % along * together);
                            let count = together.min(width - x);
                            out[row * pixels + y * width + x..][..count].copy_from_slice(&sums[..count]);
                        }
                    }
                }
                finish(out, top..end, first * width..end_of_strip * width);
            }
        }
    }
}

/// The sums of some rows for two vectors of pixels.
struct Block<'a, V: Vectors, const ROWS: usize> {
    weights: &'a [V::Element],
    offsets: &'a [usize],
    source: &'a [V::Element],
    /// Where the halves of both vectors begin.
    bases: [usize; 4],
    /// Whether the halves of a vector are neighbours.
    neighbours: bool,
    /// Where the sums go, and the distance between rows there.
    target: (*mut f32, usize),
    /// What the sums of each row begin with.
    bias: &'a [f32],
    floor: f32,
    /// What the processor fetches meanwhile.
    ahead: &'a [f32],
}

impl<V: Vectors, const ROWS: usize> WithHeight for Block<'_, V, ROWS> {
    #[inline(always)]
    unsafe fn run<const HEIGHT: usize>(self) {
        // SAFETY: the vectors are supported.
        unsafe { V::vectorise(BlockOf::<V, ROWS, HEIGHT>(self)) };
    }
}

/// [`Block`] of so many rows.
struct BlockOf<'a, V: Vectors, const ROWS: usize, const HEIGHT: usize>(Block<'a, V, ROWS>);

impl<V: Vectors, const ROWS: usize, const HEIGHT: usize> Vectorised for BlockOf<'_, V, ROWS, HEIGHT> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Block { weights, offsets, source, bases, neighbours, target: (target, pitch), bias, floor, ahead } = self.0;
        let part = offsets.len().div_ceil(FETCHES).max(1);
        let mut ahead = ahead.chunks(ahead.len().div_ceil(FETCHES).max(1));
        let bias: &[f32; HEIGHT] = bias.try_into().expect("a number for each row");
        assert!(HEIGHT <= ROWS && weights.len() == offsets.len() * ROWS, "the weights of a block");
        let (weights, depth) = (weights.as_ptr(), offsets.len());
        // SAFETY: the vectors are supported; the elements are inside; the weights are as many as places by the
        // assertion; the target has room.
        unsafe {
            let starts = bases.map(|base| source.as_ptr().add(base));
            let mut totals: [[V::Sums; 2]; HEIGHT] = std::array::from_fn(|row| [V::all(bias[row]); 2]);
            for first in (0..offsets.len()).step_by(part) {
                prefetch(ahead.next().unwrap_or_default());
                let (offsets, weights) = (offsets.as_ptr().add(first), weights.add(first * ROWS));
                let steps = part.min(depth - first);
                let left = |step: usize, row: usize| weights.add(step * ROWS + row);
                totals = if neighbours {
                    let right = |step: usize| {
                        let offset = *offsets.add(step);
                        [V::load(starts[0].add(offset)), V::load(starts[2].add(offset))]
                    };
                    add_products::<V, HEIGHT, 2>(steps, left, right, totals)
                } else {
                    let right = |step: usize| {
                        let starts = starts.map(|start| start.add(*offsets.add(step)));
                        [V::load_halves([starts[0], starts[1]]), V::load_halves([starts[2], starts[3]])]
                    };
                    add_products::<V, HEIGHT, 2>(steps, left, right, totals)
                };
            }
            let floor = V::all(floor);
            for (row, totals) in totals.into_iter().enumerate() {
                V::write(V::at_least(floor, totals[0]), target.add(row * pitch));
                V::write(V::at_least(floor, totals[1]), target.add(row * pitch + V::LANES));
            }
        }
    }
}
