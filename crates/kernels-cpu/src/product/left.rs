//! The left operand of a product.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::scratch::Scratch;
use super::super::vectors::{Element, Vectors, blocks};
use super::super::{Matrix, Precision};
use super::panels::{WriteLines, panel_length, write_panel};

/// Units of a line of the cache: rows that are so much longer than a power of two do not meet in one set.
const LINE: usize = 16;
/// The distance of numbers whose lines stay in the cache from one block to the next.
const NEAR: usize = 128;
/// Lines of memory in one set of the first cache, at least.
const WAYS: usize = 8;
/// Distances in memory that are multiples of this many numbers meet in one set of the first cache.
const ALIAS: usize = 1024;

/// Rows of a left operand, in blocks.
pub(super) struct Left<'a, U> {
    elements: &'a [U],
    /// Length of the panel that a block has, if blocks have panels.
    panel: Option<usize>,
    /// Distances of rows and of steps.
    strides: [usize; 2],
}

impl<'a, U: Element> Left<'a, U> {
    /// Rows of `a`: where they are if their lines do not push each other out of the cache, or else laid out in `scratch`.
    pub(super) fn new<V: Vectors<Element = U>, const ROWS: usize>(
        precision: Precision,
        a: &Matrix<'a>,
        depth: (usize, usize),
        rows: Range<usize>,
        scratch: &'a mut Scratch,
    ) -> Self {
        let [row_stride, column_stride] = a.strides();
        // One number is read at a time, so that any order may do.
        let in_place = match [row_stride, column_stride] {
            [_, 1] => ROWS <= WAYS || !row_stride.is_multiple_of(ALIAS),
            [1, _] => column_stride <= NEAR,
            _ => false,
        };
        if let Some(numbers) = U::of_numbers(a.data(), precision).filter(|_| in_place) {
            let elements = &numbers[rows.start * row_stride + depth.0 * column_stride..];
            return Left { elements, panel: None, strides: [row_stride, column_stride] };
        }
        if column_stride == 1 {
            let steps = (depth.1 - depth.0).div_ceil(U::DEPTH);
            let pitch = steps.next_multiple_of(LINE) + LINE;
            let elements = scratch.get::<U>(rows.len() * pitch);
            let lines = |row: usize| &a.data()[(rows.start + row) * row_stride..][depth.0..depth.1];
            // SAFETY: the vectors are supported.
            unsafe { V::vectorise(WriteLines { precision, lines, steps, pitch, elements: &mut *elements }) };
            return Left { elements, panel: None, strides: [pitch, 1] };
        }
        let panel = panel_length::<V, ROWS>(depth.1 - depth.0);
        let blocks = blocks(rows.len(), ROWS);
        let elements = scratch.get::<U>(blocks.len() * panel);
        for ((top, _), panel) in blocks.zip(elements.chunks_exact_mut(panel)) {
            write_panel::<V, ROWS>(precision, a, rows.start + top, depth, panel);
        }
        Left { elements, panel: Some(panel), strides: [1, ROWS] }
    }

    /// Block `index`, whose first row is `top`, and the distances of its rows and of its steps.
    pub(super) fn block(&self, index: usize, top: usize) -> (&'a [U], [usize; 2]) {
        let start = self.panel.map_or(top * self.strides[0], |panel| index * panel);
        (&self.elements[start..], self.strides)
    }
}
