//! Products on vectors: the right operand is laid out in panels in the order in which the processor reads them, and a block of sums stays
//! in its registers (Goto and van de Geijn 2008, "Anatomy of High-Performance Matrix Multiplication"). The left operand, of which one
//! unit is read at a time, stays where it is if it can.
#![allow(unsafe_code)]

use std::ops::Range;

use super::super::level::Work;
use super::super::vectors::{MOST_ROWS, OfHeight, OnVectors, Unit, Vectors, add_products, blocks, of_height};
use super::panels::{panel_length, write_panel};
use super::*;

/// The longest part of a product's depth: panels stay in the second cache. Shorter parts are added up in memory more often.
const DEPTH: usize = 512;
/// Rows of the result that one task computes at most.
const TASK_ROWS: usize = 72;
/// The depth of a task of a deep product, at least.
const DEEP: usize = 1024;
/// Numbers of the result of a deep product, at most.
const SMALL_RESULT: usize = 1 << 19;
/// Numbers of all sums of a deep product, about.
const SUMS: usize = 1 << 21;
/// Rows for which the right operand of a deep product is not laid out.
const FEW_ROWS: usize = 96;
/// Units of a line of the cache: rows that are so much longer than a power of two do not meet in one set.
const LINE: usize = 16;
/// The distance of numbers whose lines stay in the cache from one block to the next.
const NEAR: usize = 128;
/// Lines of memory in one set of the first cache, at least.
const WAYS: usize = 8;
/// Multiplications of a product that is not worth sharing among cores.
const SMALL: usize = 1 << 19;
/// Numbers of a right operand that are not worth sharing among cores.
const SMALL_RIGHT: usize = 1 << 15;
/// Distances in memory that are multiples of this many numbers meet in one set of the first cache.
const ALIAS: usize = 1024;

/// The parts of a product's depth: as few as may be, of nearly one length, all but the last whole units.
fn parts((start, end): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
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

impl<E: Epilogue> OnVectors for Product<'_, E> {
    type Output = ();

    fn run<V: Vectors, const ROWS: usize, const COLUMNS: usize>(self) {
        let Self { precision, a, b, packed, shared, out, epilogue } = self;
        let n = b.columns();
        let shared = shared && a.rows() * n * a.columns() > SMALL;
        let whole = (0, a.columns());
        if shared && packed.is_none() && a.columns() >= 2 * DEEP && out.len() <= SMALL_RESULT {
            deep::<V, ROWS, COLUMNS>(precision, a, b, out, epilogue);
            return;
        }
        let mut run = |depth: (usize, usize), panels: &[V::Unit], length: usize, part: Range<usize>| {
            let part = Prepared::<V, COLUMNS> { panels, length, part };
            Part { precision, a, depth, whole, n, epilogue }.run::<V, ROWS, COLUMNS>(shared, part, out);
        };
        if let Some(packed) = packed {
            let length = panel_length::<V, COLUMNS>(a.columns());
            let panels = packed.kept::<V::Unit>(n.div_ceil(COLUMNS) * length);
            for depth in parts(whole) {
                let units = depth.0 / V::Unit::DEPTH * COLUMNS..depth.1.div_ceil(V::Unit::DEPTH) * COLUMNS;
                run(depth, panels, length, units);
            }
            return;
        }
        let columns = b.transposed();
        with_scratch(|scratch| {
            for depth in parts(whole) {
                let length = panel_length::<V, COLUMNS>(depth.1 - depth.0);
                let panels = scratch.get::<V::Unit>(n.div_ceil(COLUMNS) * length);
                let lay_out = |(index, panel): (usize, &mut [V::Unit])| {
                    write_panel::<V, COLUMNS>(precision, &columns, index * COLUMNS, depth, panel);
                };
                if shared && panels.len() > SMALL_RIGHT {
                    panels.par_chunks_mut(length).enumerate().for_each(lay_out);
                } else {
                    panels.chunks_mut(length).enumerate().for_each(lay_out);
                }
                run(depth, panels, length, 0..length);
            }
        });
    }
}

/// A product that is much deeper than its result is large: tasks share its depth, lay out what they need, and never wait for each other.
/// The cut does not depend on their number.
fn deep<V: Vectors, const ROWS: usize, const COLUMNS: usize>(
    precision: Precision,
    a: Matrix<'_>,
    b: Matrix<'_>,
    out: &mut [f32],
    epilogue: &impl Epilogue,
) {
    let n = b.columns();
    // Many tasks for many cores, but no more sums than they are worth.
    let tasks = (a.columns() / DEEP).min(SUMS / out.len()).max(2);
    let length = a.columns().div_ceil(tasks).next_multiple_of(2);
    with_scratch(|scratch| {
        let sums = scratch.get::<f32>(a.columns().div_ceil(length) * out.len());
        sums.par_chunks_mut(out.len()).enumerate().for_each(|(task, sums)| {
            let whole = (task * length, ((task + 1) * length).min(a.columns()));
            with_scratch(|scratch| {
                for depth in parts(whole) {
                    let room = scratch.get::<V::Unit>(panel_length::<V, COLUMNS>(depth.1 - depth.0));
                    let part = Part { precision, a, depth, whole, n, epilogue: &Sums };
                    let right = OnDemand::<V, COLUMNS> { precision, b, depth, few: a.rows() <= FEW_ROWS, room };
                    part.rows::<V, ROWS, COLUMNS>(0, right, sums);
                }
            });
        });
        let (sums, one) = (&*sums, out.len());
        out.par_chunks_mut(TASK_ROWS * n).enumerate().for_each(|(index, out)| {
            let (first, count) = (index * TASK_ROWS, out.len());
            let parts = sums.chunks_exact(one).map(|sums| &sums[first * n..][..count]);
            // SAFETY: the level says that the processor has the vectors.
            unsafe { V::enter(AddUp { parts, first, n, epilogue, out }) };
        });
    });
}

/// Adds parts of some rows of a result up.
struct AddUp<'a, E, P> {
    parts: P,
    first: usize,
    n: usize,
    epilogue: &'a E,
    out: &'a mut [f32],
}

impl<'a, E: Epilogue, P: Iterator<Item = &'a [f32]>> Work for AddUp<'a, E, P> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { parts, first, n, epilogue, out } = self;
        out.fill(0.0);
        for part in parts {
            out.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        for (row, sums) in out.chunks_exact_mut(n).enumerate() {
            epilogue.finish::<FUSED>(first + row, 0, sums);
        }
    }
}

/// The columns of a right operand, some at a time.
trait Panels<V: Vectors> {
    /// Columns from `index COLUMNS` on, and the distance from one step to the next.
    fn panel(&mut self, index: usize) -> (&[V::Unit], usize);
}

/// Panels that were laid out before.
#[derive(Clone)]
struct Prepared<'a, V: Vectors, const COLUMNS: usize> {
    panels: &'a [V::Unit],
    length: usize,
    /// The part of a panel that is used.
    part: Range<usize>,
}

impl<V: Vectors, const COLUMNS: usize> Panels<V> for Prepared<'_, V, COLUMNS> {
    fn panel(&mut self, index: usize) -> (&[V::Unit], usize) {
        (&self.panels[index * self.length..][self.part.clone()], COLUMNS)
    }
}

/// Panels that are laid out when they are needed, or not at all if few rows need them.
struct OnDemand<'a, V: Vectors, const COLUMNS: usize> {
    precision: Precision,
    b: Matrix<'a>,
    depth: (usize, usize),
    few: bool,
    room: &'a mut [V::Unit],
}

impl<V: Vectors, const COLUMNS: usize> Panels<V> for OnDemand<'_, V, COLUMNS> {
    fn panel(&mut self, index: usize) -> (&[V::Unit], usize) {
        let (column, [row_stride, column_stride]) = (index * COLUMNS, self.b.strides());
        let in_place = self.few && column_stride == 1 && column + COLUMNS <= self.b.columns();
        if let Some(numbers) = V::Unit::of_numbers(self.b.data(), self.precision).filter(|_| in_place) {
            let (start, last) = (self.depth.0 * row_stride + column, (self.depth.1 - 1) * row_stride + column);
            return (&numbers[start..last + COLUMNS], row_stride);
        }
        write_panel::<V, COLUMNS>(self.precision, &self.b.transposed(), column, self.depth, self.room);
        (self.room, COLUMNS)
    }
}

/// A part of the depth of a product.
#[derive(Debug)]
struct Part<'a, E> {
    precision: Precision,
    a: Matrix<'a>,
    depth: (usize, usize),
    /// The depth that is added up in one result.
    whole: (usize, usize),
    /// Columns of the result.
    n: usize,
    epilogue: &'a E,
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
        // Tasks of one height, and as many for each core.
        let tasks = self.a.rows().div_ceil(TASK_ROWS);
        let tasks = if shared { tasks.next_multiple_of(rayon::current_num_threads()) } else { tasks };
        let height = self.a.rows().div_ceil(tasks);
        let rows = |(task, out): (usize, &mut [f32])| {
            self.rows::<V, ROWS, COLUMNS>(task * height, right.clone(), out);
        };
        if shared {
            out.par_chunks_mut(height * self.n).enumerate().for_each(rows);
        } else {
            out.chunks_mut(height * self.n).enumerate().for_each(rows);
        }
    }

    /// Computes the rows `first ..` that `out` holds, or adds this part of the depth to them.
    fn rows<V: Vectors, const ROWS: usize, const COLUMNS: usize>(
        self,
        first: usize,
        mut right: impl Panels<V>,
        out: &mut [f32],
    ) {
        let Self { precision, a, depth, whole, n, epilogue } = self;
        let ends = depth.1 == whole.1;
        let blocks = blocks(out.len() / n, ROWS);
        let [row_stride, column_stride] = a.strides();
        // One number is read at a time: any order does whose lines do not push each other out of the cache.
        let in_place = match [row_stride, column_stride] {
            [_, 1] => ROWS <= WAYS || !row_stride.is_multiple_of(ALIAS),
            [1, _] => column_stride <= NEAR,
            _ => false,
        };
        let in_place = V::Unit::of_numbers(a.data(), precision).filter(|_| in_place);
        let (rows, steps) = (out.len() / n, (depth.1 - depth.0).div_ceil(V::Unit::DEPTH));
        with_scratch(|scratch| {
            // The left operand, and distances there: of blocks, of rows and of steps.
            let (left, block_stride, strides): (&[V::Unit], usize, [usize; 2]) = if let Some(numbers) = in_place {
                let left = &numbers[first * row_stride + depth.0 * column_stride..];
                (left, row_stride, [row_stride, column_stride])
            } else if column_stride == 1 {
                let pitch = steps.next_multiple_of(LINE) + LINE;
                let left = scratch.get::<V::Unit>(rows * pitch);
                let lines = |row: usize| &a.data()[(first + row) * row_stride..][depth.0..depth.1];
                // SAFETY: the level says that the processor has the vectors.
                unsafe { V::enter(WriteLines { precision, lines, steps, pitch, units: &mut *left }) };
                (left, pitch, [pitch, 1])
            } else {
                let panel = panel_length::<V, ROWS>(depth.1 - depth.0);
                let left = scratch.get::<V::Unit>(blocks.len() * panel);
                for ((top, _), panel) in blocks.clone().zip(left.chunks_exact_mut(panel)) {
                    write_panel::<V, ROWS>(precision, &a, first + top, depth, panel);
                }
                (left, panel, [1, ROWS])
            };
            let in_panels = strides == [1, ROWS] && in_place.is_none();
            let mut sums = [[0.0; COLUMNS]; MOST_ROWS];
            for column in (0..n).step_by(COLUMNS) {
                let (right, pitch) = right.panel(column / COLUMNS);
                let columns = COLUMNS.min(n - column);
                for (index, (top, end)) in blocks.clone().enumerate() {
                    let left = &left[if in_panels { index } else { top } * block_stride..];
                    for row in top..end {
                        prefetch(&out[row * n + column..][..columns]);
                        if ends {
                            epilogue.prefetch(first + row, column, columns);
                        }
                    }
                    let block = Block::<V, COLUMNS> { left, strides, steps, right, pitch, columns, sums: &mut sums };
                    // SAFETY: the level says that the processor has the vectors.
                    unsafe {
                        of_height(end - top, block);
                        V::enter(Store {
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

/// Lays rows of a left operand out as they are.
struct WriteLines<'a, L, U> {
    precision: Precision,
    lines: L,
    /// Units of a row.
    steps: usize,
    /// Distance of rows.
    pitch: usize,
    units: &'a mut [U],
}

impl<'m, L: Fn(usize) -> &'m [f32], U: Unit> Work for WriteLines<'_, L, U> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (row, units) in self.units.chunks_exact_mut(self.pitch).enumerate() {
            U::lay_out_line(self.precision, (self.lines)(row), &mut units[..self.steps]);
        }
    }
}

/// The sums of some rows and a panel.
struct Block<'a, V: Vectors, const COLUMNS: usize> {
    left: &'a [V::Unit],
    /// Distances between neighbours in a column and in a row of the left operand.
    strides: [usize; 2],
    /// Units of the depth.
    steps: usize,
    right: &'a [V::Unit],
    /// Distance between the steps of the right operand.
    pitch: usize,
    /// Columns that count.
    columns: usize,
    sums: &'a mut [[f32; COLUMNS]; MOST_ROWS],
}

impl<V: Vectors, const COLUMNS: usize> OfHeight for Block<'_, V, COLUMNS> {
    #[inline(always)]
    unsafe fn run<const HEIGHT: usize>(self) {
        // SAFETY: the caller's.
        unsafe {
            if self.columns <= V::LANES {
                V::enter(BlockOf::<V, COLUMNS, HEIGHT, 1>(self));
            } else {
                V::enter(BlockOf::<V, COLUMNS, HEIGHT, 2>(self));
            }
        }
    }
}

/// [`Block`] of so many rows and vectors in each.
struct BlockOf<'a, V: Vectors, const COLUMNS: usize, const HEIGHT: usize, const WIDTH: usize>(Block<'a, V, COLUMNS>);

impl<V: Vectors, const COLUMNS: usize, const HEIGHT: usize, const WIDTH: usize> Work
    for BlockOf<'_, V, COLUMNS, HEIGHT, WIDTH>
{
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Block { left, strides: [row_stride, column_stride], steps, right, pitch, sums, .. } = self.0;
        if let Some(last) = steps.checked_sub(1) {
            assert!((HEIGHT - 1) * row_stride + last * column_stride < left.len(), "the units of the left operand");
            assert!(last * pitch + COLUMNS <= right.len(), "the units of the right operand");
        }
        let (left, right) = (left.as_ptr(), right.as_ptr());
        // SAFETY: work for these vectors was entered, and the last units were found to be inside.
        unsafe {
            let left = |step: usize, row: usize| left.add(step * column_stride + row * row_stride);
            let right = |step: usize| {
                let mut vectors = [V::load(right.add(step * pitch)); WIDTH];
                for (index, vector) in vectors.iter_mut().enumerate().skip(1) {
                    *vector = V::load(right.add(step * pitch + index * V::LANES));
                }
                vectors
            };
            let totals = add_products::<V, HEIGHT, WIDTH>(steps, left, right, [[V::zero(); WIDTH]; HEIGHT]);
            for (totals, sums) in totals.into_iter().zip(sums) {
                for (index, total) in totals.into_iter().enumerate() {
                    V::write(total, sums.as_mut_ptr().add(index * V::LANES));
                }
            }
        }
    }
}

/// Takes a block of sums to the result.
struct Store<'a, E, const COLUMNS: usize> {
    part: Part<'a, E>,
    first: usize,
    rows: (usize, usize),
    column: usize,
    sums: &'a mut [[f32; COLUMNS]; MOST_ROWS],
    out: &'a mut [f32],
}

impl<E: Epilogue, const COLUMNS: usize> Work for Store<'_, E, COLUMNS> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Self { part: Part { depth, whole, n, epilogue, .. }, first, rows, column, sums, out } = self;
        let (begins, ends) = (depth.0 == whole.0, depth.1 == whole.1);
        let columns = COLUMNS.min(n - column);
        for (row, sums) in (rows.0..rows.1).zip(sums) {
            let target = &mut out[row * n + column..][..columns];
            // Numbers of a known length that nothing else refers to make vectors of an epilogue's loops.
            if let Some(target) = target.as_mut_array::<COLUMNS>() {
                let mut values = *sums;
                finish::<FUSED>(epilogue, first + row, column, begins, ends, &mut values, target);
            } else if let (Some(target), Some(sums)) = (target.as_mut_array::<8>(), sums.first_chunk::<8>()) {
                let mut values = *sums;
                finish::<FUSED>(epilogue, first + row, column, begins, ends, &mut values, target);
            } else {
                finish::<FUSED>(epilogue, first + row, column, begins, ends, &mut sums[..columns], target);
            }
        }
    }
}

/// Stores sums of a row, or adds them to those of the depth before.
#[inline(always)]
fn finish<const FUSED: bool>(
    epilogue: &impl Epilogue,
    row: usize,
    column: usize,
    begins: bool,
    ends: bool,
    sums: &mut [f32],
    target: &mut [f32],
) {
    if !begins {
        sums.iter_mut().zip(&*target).for_each(|(sum, before)| *sum += before);
    }
    if ends {
        epilogue.finish::<FUSED>(row, column, sums);
    }
    target.copy_from_slice(sums);
}
