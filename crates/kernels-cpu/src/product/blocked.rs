//! Products on vectors: the right operand is laid out in panels in the order in which the processor reads them, and a block of sums stays
//! in its registers (Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication"). The left operand, of which one
//! element is read at a time, stays where it is if it can.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::vectors::{Element, MOST_ROWS, Vectors, WithVectors, blocks, with_height};
use super::block::{Block, Store};
use super::left::Left;
use super::panels::{Panels, Prepared, panel_length, write_panel};
use super::*;

/// The longest part of a product's depth: panels stay in the second cache. Shorter parts are added up in memory more often.
const DEPTH: usize = 512;
/// Multiplications of a product that is not worth sharing among cores.
const SMALL: usize = 1 << 19;
/// Numbers of a right operand that are not worth sharing among cores.
const SMALL_RIGHT: usize = 1 << 15;
/// Numbers of a result that is larger than the second cache.
const FAR: usize = 1 << 18;

/// The parts of a product's depth: as few as may be, of nearly one length, all but the last whole elements.
pub(super) fn parts((start, end): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    let depth = end - start;
    let length = depth.div_ceil(depth.div_ceil(DEPTH).max(1)).next_multiple_of(2).max(2);
    (start..end).step_by(length).map(move |start| (start, (start + length).min(end)))
}

/// `out = finish(a b)`
pub(super) struct Product<'a, E> {
    pub(super) precision: Precision,
    pub(super) a: Matrix<'a>,
    pub(super) b: Matrix<'a>,
    /// `b` as [`panels::WritePanels`](super::panels::WritePanels) lays it out, if that was done before.
    pub(super) packed: Option<&'a Scratch>,
    /// Whether all cores may take part.
    pub(super) shared: bool,
    pub(super) out: &'a mut [f32],
    pub(super) epilogue: &'a E,
}

impl<E: Epilogue> WithVectors for Product<'_, E> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { precision, a, b, packed, shared, out, epilogue } = self;
        let n = b.columns();
        let shared = shared && a.rows() * n * a.columns() > SMALL;
        let (whole, far) = ((0, a.columns()), out.len() > FAR);
        if shared && packed.is_none() && deep::suits(a.columns(), out.len()) {
            deep::deep::<V, ROWS, COLUMNS>(precision, a, b, out, epilogue);
            return;
        }
        let mut run = |depth: (usize, usize), panels: &[V::Element], length: usize, part: Range<usize>| {
            let part = Prepared::<V, COLUMNS> { panels, length, part };
            Part { precision, a, depth, whole, n, far, epilogue }.run::<V, ROWS, COLUMNS>(shared, part, out);
        };
        if let Some(packed) = packed {
            let length = panel_length::<V, COLUMNS>(a.columns());
            let panels = packed.kept::<V::Element>(n.div_ceil(COLUMNS) * length);
            for depth in parts(whole) {
                let elements = depth.0 / V::Element::DEPTH * COLUMNS..depth.1.div_ceil(V::Element::DEPTH) * COLUMNS;
                run(depth, panels, length, elements);
            }
            return;
        }
        let columns = b.transposed();
        with_scratch(|scratch| {
            for depth in parts(whole) {
                let length = panel_length::<V, COLUMNS>(depth.1 - depth.0);
                let panels = scratch.get::<V::Element>(n.div_ceil(COLUMNS) * length);
                let lay_out = |(index, panel): (usize, &mut [V::Element])| {
                    write_panel::<V, COLUMNS>(precision, &columns, index * COLUMNS, depth, panel);
                };
                if shared && panels.len() > SMALL_RIGHT {
                    each(panels.chunks_mut(length).enumerate(), lay_out);
                } else {
                    panels.chunks_mut(length).enumerate().for_each(lay_out);
                }
                run(depth, panels, length, 0..length);
            }
        });
    }
}

/// A part of the depth of a product.
#[derive(Debug)]
pub(super) struct Part<'a, E> {
    pub(super) precision: Precision,
    pub(super) a: Matrix<'a>,
    pub(super) depth: (usize, usize),
    /// The depth that is added up in one result.
    pub(super) whole: (usize, usize),
    /// Columns of the result.
    pub(super) n: usize,
    /// Whether the result is larger than the cache.
    pub(super) far: bool,
    pub(super) epilogue: &'a E,
}

impl<E> Clone for Part<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Part<'_, E> {}

impl<E: Epilogue> Part<'_, E> {
    /// Computes all rows of the result, or adds this part of the depth to them; on all cores if `shared`.
    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(
        self,
        shared: bool,
        right: Prepared<'_, V, COLUMNS>,
        out: &mut [f32],
    ) {
        let height = rows_of_task(self.a.rows(), shared);
        let rows = |(task, out): (usize, &mut [f32])| {
            self.rows::<V, ROWS, COLUMNS>(task * height, right.clone(), out);
        };
        if shared {
            each(out.chunks_mut(height * self.n).enumerate(), rows);
        } else {
            out.chunks_mut(height * self.n).enumerate().for_each(rows);
        }
    }

    /// Computes the rows `first ..` that `out` holds, or adds this part of the depth to them.
    pub(super) fn rows<V: Vectors, const ROWS: usize, const COLUMNS: usize>(
        self,
        first: usize,
        mut right: impl Panels<V>,
        out: &mut [f32],
    ) {
        let Self { precision, a, depth, whole, n, far, epilogue } = self;
        let (begins, ends) = (depth.0 == whole.0, depth.1 == whole.1);
        let blocks = blocks(out.len() / n, ROWS);
        let steps = (depth.1 - depth.0).div_ceil(V::Element::DEPTH);
        with_scratch(|scratch| {
            let left = Left::new::<V, ROWS>(precision, &a, depth, first..first + out.len() / n, scratch);
            let mut sums = [[0.0; COLUMNS]; MOST_ROWS];
            for column in (0..n).step_by(COLUMNS) {
                let (right, pitch) = right.panel(column / COLUMNS);
                let columns = COLUMNS.min(n - column);
                for (index, (top, end)) in blocks.clone().enumerate() {
                    let (left, strides) = left.block(index, top);
                    for row in top..end {
                        if far || !begins {
                            prefetch(&out[row * n + column..][..columns]);
                        }
                        if ends {
                            epilogue.prefetch(first + row, column, columns);
                        }
                    }
                    let block = Block::<V, COLUMNS> { left, strides, steps, right, pitch, columns, sums: &mut sums };
                    // SAFETY: the vectors are supported.
                    unsafe {
                        with_height(end - top, block);
                        V::vectorise(Store {
                            part: self,
                            first,
                            rows: (top, end),
                            column,
                            sums: &mut sums,
                            out: &mut *out,
                        });
                    }
                }
            }
        });
    }
}
